"""The text teachers: a sentence encoder fine-tuned on GoEmotions, then on half of MELD in context.

    python -m research.recipes.teacher teach DATA ENCODER OUT HALF
    python -m research.recipes.teacher write DATA ENCODER OUT

ENCODER is any encoder that transformers loads, by name or folder; the students that ship learned from all-MiniLM-L6-v2
(Apache-2.0).  An utterance reads `[CLS] speaker: words [SEP] the six utterances before, with speakers [SEP]`; a quarter
of them stand alone, half have other marks or none, a fifth are misheard (`augmentation.rewording`), and a fifth as many
plain sentences (`recipes.plain`) are among them.  `teach` makes OUT/teacher-HALF.pt; `write` tells the students
(`recipes.minilm`) of each dialogue of MELD what the teacher says that never saw it, and of everything else the mean of
both.  The last weights, averaged over steps, count: nothing is chosen on MELD's development split.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from emoje_edge.emotion import EMOTIONS
from emoje_edge.metrics import score
from emoje_edge.training.batching import Reword
from emoje_edge.training.datasets import Corpus, open_dataset
from emoje_edge.training.text_teacher import TextTeacher, Window, batches, describe
from research.augmentation.rewording import as_spoken
from research.recipes.plain import sentences

TOKENS, BEFORE = 80, 6  # of the window, utterances of context in it
MELD, GOEMOTIONS = 0, 1  # heads: the corpora do not agree on what is neutral


@dataclass(frozen=True)
class Settings:
    """How to fine-tune.

    Args:
        goemotions: comments to train on, rare classes first; None for all.
        epochs: of MELD, the first among half of the comments.
        frozen: lowest layers that keep their weights.
        average: decay of the averaged weights, over the epochs of MELD alone.
        alone: share of MELD's lines read without those before.
        plain: made sentences an epoch of MELD.
        half: of MELD's dialogues, 0 or 1; None for all.
    """

    goemotions: int | None = None
    epochs: int = 4
    frozen: int = 0
    batch: int = 32
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    average: float = 0.996
    alone: float = 0.25
    plain: int = 1200
    half: int | None = None
    seed: int = 0


class Teacher(TextTeacher):
    """A text teacher with a head for each of the two corpora, whose embeddings and lowest layers keep their weights."""

    def __init__(self, encoder: str | Path, frozen: int = 0) -> None:
        super().__init__(encoder, [len(EMOTIONS)] * 2, tokens=TOKENS, context=BEFORE)
        for part in (self.encoder.embeddings, *self.encoder.encoder.layer[:frozen]):
            part.requires_grad_(False)


def thin(corpus: Corpus, count: int, g: np.random.Generator) -> Corpus:
    """`count` samples with at most a fifth of them of one class."""
    labels = corpus.labels()
    kept = np.concatenate([g.permutation(np.flatnonzero(labels == c))[: count // 5] for c in range(len(EMOTIONS))])
    chosen = set(g.permutation(kept)[:count].tolist())
    return Corpus(corpus.name, corpus.classes, tuple(s for i, s in enumerate(corpus.samples) if i in chosen))


def half(corpus: Corpus, which: int) -> Corpus:
    """Every other dialogue, in a fixed order drawn at random."""
    names = sorted({s.dialogue for s in corpus.samples})
    order = np.random.default_rng(0).permutation(len(names))
    chosen = {names[i] for i in order[which::2]}
    return corpus.keep(lambda s: s.dialogue in chosen)


@dataclass(frozen=True, eq=False)
class Lines:
    """Windows, and the distribution [N, 7] that each is to get."""

    windows: list[Window]
    shares: Tensor


def hard(labels: np.ndarray, smoothing: float) -> Tensor:
    """[N, 7]: labels as distributions."""
    one = F.one_hot(torch.from_numpy(labels), len(EMOTIONS)).float()
    return one * (1 - smoothing) + smoothing / len(EMOTIONS)


def lines_of(teacher: Teacher, meld: Corpus, settings: Settings, epoch: int, vary: Reword) -> Lines:
    """An epoch of MELD in other wordings, with plain sentences among it."""
    g = np.random.default_rng((settings.seed, epoch))
    made, targets = sentences(settings.plain, seed=1000 * settings.seed + epoch)
    shares = targets.logits[[targets.rows[f"plain/{s.uid}"] for s in made.samples]].softmax(1)
    windows = teacher.windows(meld, vary=vary, alone=settings.alone, g=g) + teacher.windows(made, vary=vary, g=g)
    return Lines(windows, torch.cat([hard(meld.labels(), 0.07), shares]))


Step = tuple[int, Tensor, list[Window]]  # head, distributions, windows


def plan(comments: Lines, meld: Sequence[Lines], settings: Settings, g: np.random.Generator) -> tuple[list[Step], int]:
    """Half of the comments; the rest of them among MELD's first epoch; MELD.  And where that last part begins."""

    def steps(head: int, lines: Lines) -> list[Step]:
        found = batches(lines.windows, settings.batch, g)
        return [(head, lines.shares[rows], [lines.windows[i] for i in rows]) for rows in found]

    others, epochs = steps(GOEMOTIONS, comments), [steps(MELD, lines) for lines in meld]
    middle = len(others) // 2
    mixed = others[middle:] + epochs[0]
    first = others[:middle] + [mixed[i] for i in g.permutation(len(mixed))]
    return first + [step for epoch in epochs[1:] for step in epoch], len(first)


def read_lines(root: Path, teacher: Teacher, settings: Settings, g: np.random.Generator) -> tuple[Lines, list[Lines]]:
    """Comments that have one label, and MELD's training split epoch by epoch."""
    meld = open_dataset("meld", root / "meld", split="train")
    vary = as_spoken(s.text for s in meld.samples if s.text)
    chosen = meld if settings.half is None else half(meld, settings.half)
    comments = open_dataset("goemotions", root / "goemotions", split="train").keep(lambda s: s.label >= 0)
    if settings.goemotions is not None:
        comments = thin(comments, settings.goemotions, g)
    spoken = Lines(teacher.windows(comments, vary=vary, g=g), hard(comments.labels(), 0.0))
    return spoken, [lines_of(teacher, chosen, settings, epoch, vary) for epoch in range(settings.epochs)]


def fine_tune(root: Path, encoder: str, settings: Settings) -> Teacher:
    """One teacher."""
    torch.manual_seed(settings.seed)
    g = np.random.default_rng(settings.seed)
    teacher = Teacher(encoder, settings.frozen).train()
    steps, alone = plan(*read_lines(root, teacher, settings, g), settings, g)
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in teacher.encoder.parameters() if p.requires_grad], "lr": settings.learning_rate},
            {"params": teacher.heads.parameters(), "lr": settings.head_learning_rate},
        ],
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, step / 100) * max(0.02, 1 - step / len(steps))
    )
    average = AveragedModel(teacher, multi_avg_fn=get_ema_multi_avg_fn(settings.average))
    for step, (head, shares, windows) in enumerate(track(steps, "teacher", console=Console(stderr=True))):
        loss = F.cross_entropy(teacher.classify(windows, head), shares)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step >= alone:
            average.update_parameters(teacher)
        if step % 100 == 0:
            print(f"step {step} of {len(steps)}, loss {float(loss.detach()):.3f}", flush=True)
    return cast(Teacher, average.module) if len(steps) > alone else teacher


def predict_logits(
    teachers: Sequence[Teacher], corpus: Corpus, *, heads: Sequence[int] = (MELD,)
) -> tuple[Tensor, Tensor]:
    """What the teachers say of a corpus: the mean of their log-probabilities over `heads` [N, 7], and their
    descriptors side by side [N, teachers x width]."""
    windows = teachers[0].windows(corpus)
    found = [describe(t, windows) for t in teachers]
    with torch.no_grad():
        logits = [t.heads[h](d).log_softmax(1) for t, d in zip(teachers, found, strict=True) for h in heads]
    return torch.stack(logits).mean(0), torch.cat([F.normalize(d, dim=1) for d in found], 1)


def write_targets(teachers: Sequence[Teacher], corpus: Corpus, path: Path, *, heads: Sequence[int] = (MELD,)) -> None:
    """What the teachers say as npz: `uid`, `logits` [N, 7]."""
    save(path, corpus, predict_logits(teachers, corpus, heads=heads)[0])


def save(path: Path, corpus: Corpus, logits: Tensor) -> None:
    uids = np.array([f"{corpus.name}/{s.uid}" for s in corpus.samples])
    np.savez(path, uid=uids, logits=logits.float().numpy())


def by_the_other(teachers: Sequence[Teacher], corpus: Corpus, halves: Sequence[set[str]]) -> Tensor:
    """[N, 7]: what the teacher of the other half says, of dialogues that one of the two was trained on."""
    out = torch.zeros(len(corpus), len(EMOTIONS))
    origin = [s.block.partition("~")[0] for s in corpus.samples]  # of a rewritten dialogue
    for teacher, names in zip(reversed(teachers), halves, strict=True):
        rows = [i for i, name in enumerate(origin) if name in names]
        part = Corpus(corpus.name, corpus.classes, tuple(corpus.samples[i] for i in rows))
        out[rows] = predict_logits([teacher], part)[0]
    return out


def evaluate(teachers: Sequence[Teacher], corpus: Corpus) -> dict[str, float]:
    """Scores of the MELD heads on a labelled corpus."""
    scores = score(corpus.labels(), predict_logits(teachers, corpus)[0].softmax(1).numpy(), EMOTIONS)
    return {name: getattr(scores, name) for name in ("weighted_f1", "macro_f1", "accuracy", "uar")}


def teach(root: Path, encoder: str, out: Path, settings: Settings) -> Teacher:
    """The teacher of this half, from OUT where it is there."""
    path = out / f"teacher-{settings.half}.pt"
    if not path.is_file():
        out.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        torch.save(fine_tune(root, encoder, settings).state_dict(), partial)
        partial.replace(path)
    teacher = Teacher(encoder)
    teacher.load_state_dict(torch.load(path, weights_only=True))
    return teacher


def write_all(teachers: Sequence[Teacher], root: Path, out: Path) -> None:
    """Targets of everything that the students read, see `recipes.minilm`."""
    from research.recipes.minilm import COMMENTS, alone, subsample, unlabelled

    meld = open_dataset("meld", root / "meld", split="train")
    comments = open_dataset("goemotions", root / "goemotions", split="train")
    halves = [{s.dialogue for s in half(meld, which).samples} for which in (0, 1)]
    emory, rewritten = unlabelled(root, meld)
    for corpus in (meld, alone(meld), rewritten):
        save(out / f"{corpus.name}.npz", corpus, by_the_other(teachers, corpus, halves))
    write_targets(teachers, subsample(comments, COMMENTS), out / "goemotions.npz", heads=(MELD, GOEMOTIONS))
    write_targets(teachers, emory, out / "emorynlp.npz")


def main(what: str, root: Path, encoder: str, out: Path, which: int = 0) -> None:
    torch.set_num_threads(1)
    if what == "teach":
        teachers = [teach(root, encoder, out, Settings(half=which, seed=which))]
    else:
        teachers = [teach(root, encoder, out, Settings(half=which, seed=which)) for which in (0, 1)]
        write_all(teachers, root, out)
    print(evaluate(teachers, open_dataset("meld", root / "meld", split="dev")), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), *map(int, sys.argv[5:]))
