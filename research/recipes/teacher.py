"""The text teachers: a sentence encoder fine-tuned on GoEmotions, then on MELD with the dialogue before each utterance.

    python -m research.recipes.teacher DATA ENCODER OUT [seed …]

ENCODER is any encoder that transformers loads, by name or folder; the shipped student learned from all-MiniLM-L6-v2
(Apache-2.0).  An utterance reads `[CLS] speaker: words [SEP] the six utterances before, with speakers [SEP]`.  A seed
is a teacher (OUT/teacher-SEED.pt, made where it is not there); together they write what the student learns from.  The
last weights, averaged over steps, count: nothing is chosen on MELD's development split.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from emoje_edge.emotion import EMOTIONS
from emoje_edge.training.datasets import Corpus, Sample, open_dataset
from emoje_edge.training.metrics import score
from emoje_edge.training.trainer import computes_bfloat16

TOKENS, WORDS, BEFORE = 80, 34, 6  # of the window, of the utterance in it, utterances of context
MELD, GOEMOTIONS = 0, 1  # heads: the corpora do not agree on what is neutral


@dataclass(frozen=True)
class Settings:
    """How to fine-tune.

    Args:
        goemotions: comments to train on, rare classes first; None for all.
        epochs: of MELD, the first among half of the comments.
        frozen: lowest layers that keep their weights.
        average: decay of the averaged weights, over the epochs of MELD alone.
    """

    goemotions: int | None = None
    epochs: int = 4
    frozen: int = 0
    batch: int = 32
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    average: float = 0.996
    seed: int = 0


Window = tuple[list[int], list[int]]  # token ids, segment (0 the utterance, 1 what went before)


class Teacher(nn.Module):
    """Encoder, [CLS] and the mean over the utterance's own tokens, one linear head a corpus."""

    def __init__(self, encoder: str | Path, frozen: int = 0) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(encoder)
        self.encoder: Any = AutoModel.from_pretrained(encoder)
        self.width = 2 * self.encoder.config.hidden_size
        self.heads = nn.ModuleList(nn.Linear(self.width, len(EMOTIONS)) for _ in (MELD, GOEMOTIONS))
        self.drop = nn.Dropout(0.2)
        for part in (self.encoder.embeddings, *self.encoder.encoder.layer[:frozen]):
            part.requires_grad_(False)

    def describe(self, windows: Sequence[Window]) -> Tensor:
        """[N windows] -> [N, 2 x hidden size]."""
        size = max(len(ids) for ids, _ in windows)
        ids, segment, there = torch.zeros(3, len(windows), size, dtype=torch.long)
        for i, (tokens, segments) in enumerate(windows):
            ids[i, : len(tokens)], segment[i, : len(tokens)] = torch.tensor(tokens), torch.tensor(segments)
            there[i, : len(tokens)] = 1
        hidden = self.encoder(input_ids=ids, attention_mask=there, token_type_ids=segment).last_hidden_state
        own = (there * (1 - segment)).float()
        mean = torch.einsum("bl,bld->bd", own / own.sum(1, keepdim=True), hidden)
        return torch.cat([hidden[:, 0], mean], 1)

    def windows(self, corpus: Corpus) -> list[Window]:
        """One window a sample, in the corpus' order."""
        found: dict[str, Window] = {}
        for dialogue in corpus.dialogues():
            named = self._tokens([f"{s.speaker}: {_plain(s)}" if s.speaker else _plain(s) for s in dialogue])
            for i, sample in enumerate(dialogue):
                found[sample.uid] = self._window(named[i], named[max(0, i - BEFORE) : i])
        return [found[s.uid] for s in corpus.samples]

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False, truncation=True, max_length=400)["input_ids"]

    def _window(self, own: list[int], before: list[list[int]]) -> Window:
        first, last = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        ids = [first, *own[:WORDS], last]
        room = TOKENS - len(ids) - 1
        context = [token for utterance in before for token in (*utterance, last)][:-1]
        if not context or room <= 3:
            return ids, [0] * len(ids)
        kept = context[-room:]
        return [*ids, *kept, last], [0] * len(ids) + [1] * (len(kept) + 1)


def _plain(sample: Sample) -> str:
    return (sample.text or "").replace("\u0092", "'").replace("’", "'")


def batches(windows: Sequence[Window], size: int, g: np.random.Generator) -> Iterator[list[int]]:
    """Shuffled batches of windows about as long as each other."""
    order = g.permutation(len(windows))
    parts: list[list[int]] = []
    for first in range(0, len(order), 20 * size):
        part = sorted(order[first : first + 20 * size].tolist(), key=lambda i: len(windows[i][0]))
        parts += [part[i : i + size] for i in range(0, len(part), size)]
    yield from (parts[i] for i in g.permutation(len(parts)))


def autocast() -> torch.autocast:
    """bfloat16 where the encoder's time goes: three times as fast on a CPU that computes in it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=computes_bfloat16())


@torch.no_grad()
def describe(teacher: Teacher, windows: Sequence[Window], size: int = 64) -> Tensor:
    """Descriptors of all windows, in their order: [N, width]."""
    teacher.eval()
    out = torch.zeros(len(windows), teacher.width)
    order = sorted(range(len(windows)), key=lambda i: len(windows[i][0]))
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        with autocast():
            out[rows] = teacher.describe([windows[i] for i in rows]).float()
    return out


def thin(corpus: Corpus, count: int, g: np.random.Generator) -> Corpus:
    """`count` samples with at most a fifth of them of one class."""
    labels = corpus.labels()
    kept = np.concatenate([g.permutation(np.flatnonzero(labels == c))[: count // 5] for c in range(len(EMOTIONS))])
    chosen = set(g.permutation(kept)[:count].tolist())
    return Corpus(corpus.name, corpus.classes, tuple(s for i, s in enumerate(corpus.samples) if i in chosen))


def labelled(root: Path, settings: Settings, g: np.random.Generator) -> tuple[Corpus, Corpus]:
    """MELD's training split and the comments that have one label."""
    meld = open_dataset("meld", root / "meld", split="train")
    comments = open_dataset("goemotions", root / "goemotions", split="train").keep(lambda s: s.label >= 0)
    return meld, comments if settings.goemotions is None else thin(comments, settings.goemotions, g)


Step = tuple[int, list[int]]  # head, rows


def plan(windows: Sequence[Sequence[Window]], settings: Settings, g: np.random.Generator) -> tuple[list[Step], int]:
    """Half of the comments; the rest of them among MELD's first epoch; MELD.  And where that last part begins."""
    comments = [(GOEMOTIONS, b) for b in batches(windows[GOEMOTIONS], settings.batch, g)]
    lines = [[(MELD, b) for b in batches(windows[MELD], settings.batch, g)] for _ in range(settings.epochs)]
    half = len(comments) // 2
    mixed = comments[half:] + lines[0]
    first = comments[:half] + [mixed[i] for i in g.permutation(len(mixed))]
    return first + [step for epoch in lines[1:] for step in epoch], len(first)


def fine_tune(root: Path, encoder: str, settings: Settings) -> Teacher:
    """One teacher."""
    torch.manual_seed(settings.seed)
    g = np.random.default_rng(settings.seed)
    corpora = labelled(root, settings, g)
    teacher = Teacher(encoder, settings.frozen).train()
    windows = [teacher.windows(corpus) for corpus in corpora]
    labels = [torch.from_numpy(corpus.labels()) for corpus in corpora]
    steps, alone = plan(windows, settings, g)
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
    for step, (head, rows) in enumerate(track(steps, f"teacher {settings.seed}", console=Console(stderr=True))):
        with autocast():
            logits = teacher.heads[head](teacher.drop(teacher.describe([windows[head][i] for i in rows])))
        loss = F.cross_entropy(logits.float(), labels[head][rows], label_smoothing=0.07 if head == MELD else 0.0)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step >= alone:
            average.update_parameters(teacher)
    return cast(Teacher, average.module) if len(steps) > alone else teacher


def says(teachers: Sequence[Teacher], corpus: Corpus, *, heads: Sequence[int] = (MELD,)) -> tuple[Tensor, Tensor]:
    """What the teachers say of a corpus: the mean of their log-probabilities over `heads` [N, 7], and their
    descriptors side by side [N, teachers x width]."""
    windows = teachers[0].windows(corpus)
    found = [describe(t, windows) for t in teachers]
    with torch.no_grad():
        logits = [t.heads[h](d).log_softmax(1) for t, d in zip(teachers, found, strict=True) for h in heads]
    return torch.stack(logits).mean(0), torch.cat([F.normalize(d, dim=1) for d in found], 1)


def write_targets(teachers: Sequence[Teacher], corpus: Corpus, path: Path, *, heads: Sequence[int] = (MELD,)) -> None:
    """What the teachers say as npz: `uid`, `logits` [N, 7], `descriptors` [N, width]."""
    logits, descriptors = says(teachers, corpus, heads=heads)
    uids = np.array([f"{corpus.name}/{s.uid}" for s in corpus.samples])
    np.savez(path, uid=uids, logits=logits.numpy(), descriptors=descriptors.half().numpy())


def evaluate(teachers: Sequence[Teacher], corpus: Corpus) -> dict[str, float]:
    """Scores of the MELD heads on a labelled corpus."""
    scores = score(corpus.labels(), says(teachers, corpus)[0].softmax(1).numpy(), EMOTIONS)
    return {name: getattr(scores, name) for name in ("weighted_f1", "macro_f1", "accuracy", "uar")}


def teach(root: Path, encoder: str, out: Path, settings: Settings) -> Teacher:
    """The teacher of this seed, from OUT where it is there."""
    path = out / f"teacher-{settings.seed}.pt"
    if not path.is_file():
        out.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        torch.save(fine_tune(root, encoder, settings).state_dict(), partial)
        partial.replace(path)
    teacher = Teacher(encoder)
    teacher.load_state_dict(torch.load(path, weights_only=True))
    return teacher


def main(root: Path, encoder: str, out: Path, seeds: Sequence[int] = (0, 1, 2)) -> None:
    teachers = [teach(root, encoder, out, Settings(seed=seed)) for seed in seeds]
    dev = open_dataset("meld", root / "meld", split="dev")
    for seed, teacher in zip(seeds, teachers, strict=True):
        print(f"teacher {seed}: {evaluate([teacher], dev)}", flush=True)
    print(f"together: {evaluate(teachers, dev)}", flush=True)
    write_all(teachers, root, out)


def write_all(teachers: Sequence[Teacher], root: Path, out: Path) -> None:
    """Targets of everything that the student reads, see `recipes.text`."""
    from research.recipes.text import corpora, unlabelled, vocabulary

    meld, comments, _ = corpora(root)
    write_targets(teachers, meld, out / "meld.npz")
    write_targets(teachers, comments, out / "goemotions.npz", heads=(MELD, GOEMOTIONS))
    write_targets(teachers, vocabulary(), out / "vocabulary.npz", heads=(MELD, GOEMOTIONS))
    for corpus in unlabelled(root):
        write_targets(teachers, corpus, out / f"{corpus.name}.npz")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), [int(s) for s in sys.argv[4:]] or (0, 1, 2))
