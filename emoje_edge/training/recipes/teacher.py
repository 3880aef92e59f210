"""The text teacher: a sentence encoder fine-tuned on GoEmotions, then on MELD with the dialogue before each utterance.

    python -m emoje_edge.training.recipes.teacher DATA ENCODER OUT

ENCODER is any encoder that transformers loads, by name or folder; the shipped student learned from all-MiniLM-L6-v2
(Apache-2.0).  An utterance reads `[CLS] speaker: words [SEP] the three utterances before, with speakers [SEP]`.
The lowest layers stay as they are: ten thousand utterances do not improve them, and they cost a third of the time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emoje_edge.emotion import EMOTIONS
from emoje_edge.training.datasets import Corpus, Sample, open_dataset
from emoje_edge.training.metrics import score

TOKENS, WORDS, BEFORE = 48, 34, 3  # of the window, of the utterance in it, utterances of context
MELD, GOEMOTIONS = 0, 1  # heads: the corpora do not agree on what is neutral


@dataclass(frozen=True)
class Settings:
    """How to fine-tune.

    Args:
        goemotions: comments to train on, rare classes first.
        read: of them, how many the student hears the teacher's word on.
        epochs: of MELD.
        frozen: lowest layers that keep their weights.
    """

    goemotions: int = 16_000
    read: int = 6_000
    epochs: int = 2
    frozen: int = 2
    batch: int = 32
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    seed: int = 0


Window = tuple[list[int], list[int]]  # token ids, segment (0 the utterance, 1 what went before)


class Teacher(nn.Module):
    """Encoder, [CLS] and the mean over the utterance's own tokens, one linear head a corpus."""

    def __init__(self, encoder: str | Path, frozen: int = 2) -> None:
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


@torch.no_grad()
def describe(teacher: Teacher, windows: Sequence[Window], size: int = 64) -> Tensor:
    """Descriptors of all windows, in their order: [N, width]."""
    teacher.eval()
    out = torch.zeros(len(windows), teacher.width)
    order = sorted(range(len(windows)), key=lambda i: len(windows[i][0]))
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        out[rows] = teacher.describe([windows[i] for i in rows])
    return out


def thin(corpus: Corpus, count: int, g: np.random.Generator) -> Corpus:
    """`count` samples with at most a fifth of them of one class."""
    labels = corpus.labels()
    kept = np.concatenate([g.permutation(np.flatnonzero(labels == c))[: count // 5] for c in range(len(EMOTIONS))])
    chosen = set(g.permutation(kept)[:count].tolist())
    return Corpus(corpus.name, corpus.classes, tuple(s for i, s in enumerate(corpus.samples) if i in chosen))


def fine_tune(root: Path, encoder: str, settings: Settings) -> Teacher:
    """GoEmotions; then the rest of it among a third of MELD's batches; then MELD."""
    torch.manual_seed(settings.seed)
    g = np.random.default_rng(settings.seed)
    corpora = (open_dataset("meld", root / "meld", split="train"), open_dataset("goemotions", root / "goemotions"))
    corpora = (corpora[0], thin(corpora[1].split("train"), settings.goemotions, g))
    teacher = Teacher(encoder, settings.frozen).train()
    windows = [teacher.windows(corpus) for corpus in corpora]
    labels = [torch.from_numpy(corpus.labels()) for corpus in corpora]
    comments = [(GOEMOTIONS, b) for b in batches(windows[GOEMOTIONS], settings.batch, g)]
    lines = [(MELD, b) for _ in range(settings.epochs) for b in batches(windows[MELD], settings.batch, g)]
    half, third = len(comments) // 2, len(lines) // 3
    mixed = comments[half:] + lines[:third]
    plan = comments[:half] + [mixed[i] for i in g.permutation(len(mixed))] + lines[third:]
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in teacher.encoder.parameters() if p.requires_grad], "lr": settings.learning_rate},
            {"params": teacher.heads.parameters(), "lr": settings.head_learning_rate},
        ],
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, step / 100) * max(0.02, 1 - step / len(plan))
    )
    began = time.monotonic()
    for step, (head, rows) in enumerate(plan):
        logits = teacher.heads[head](teacher.drop(teacher.describe([windows[head][i] for i in rows])))
        loss = F.cross_entropy(logits, labels[head][rows], label_smoothing=0.07 if head == MELD else 0.0)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(f"{step}/{len(plan)}  loss {loss.item():.3f}  {time.monotonic() - began:.0f} s", flush=True)
    return teacher


def write_targets(teacher: Teacher, corpus: Corpus, path: Path, *, heads: Sequence[int] = (MELD,)) -> None:
    """What the teacher says of a corpus: `uid`, `logits` [N, 7] (mean of log-probabilities over `heads`) and
    `descriptors` [N, width], as npz."""
    found = describe(teacher, teacher.windows(corpus))
    with torch.no_grad():
        logits = torch.stack([teacher.heads[h](found).log_softmax(1) for h in heads]).mean(0)
    uids = np.array([f"{corpus.name}/{s.uid}" for s in corpus.samples])
    np.savez(path, uid=uids, logits=logits.numpy(), descriptors=found.half().numpy())


def evaluate(teacher: Teacher, corpus: Corpus) -> dict[str, float]:
    """Scores of the MELD head on a labelled corpus."""
    with torch.no_grad():
        found = teacher.heads[MELD](describe(teacher, teacher.windows(corpus))).softmax(1).numpy()
    scores = score(corpus.labels(), found, EMOTIONS)
    return {name: getattr(scores, name) for name in ("weighted_f1", "macro_f1", "accuracy", "uar")}


def main(root: Path, encoder: str, out: Path, settings: Settings | None = None) -> None:
    settings = settings or Settings()
    out.mkdir(parents=True, exist_ok=True)
    teacher = fine_tune(root, encoder, settings)
    torch.save(teacher.state_dict(), out / "teacher.pt")
    print(evaluate(teacher, open_dataset("meld", root / "meld", split="dev")))
    write_all(teacher, root, out, settings)


def write_all(teacher: Teacher, root: Path, out: Path, settings: Settings) -> None:
    """Targets of MELD's training split, of part of GoEmotions', of EmoryNLP's lines and of single words."""
    from emoje_edge.training.recipes.text import lines_alone, vocabulary

    write_targets(teacher, open_dataset("meld", root / "meld", split="train"), out / "meld.npz")
    comments = open_dataset("goemotions", root / "goemotions", split="train")
    comments = thin(comments, settings.read, np.random.default_rng(settings.seed))
    write_targets(teacher, comments, out / "goemotions.npz", heads=(MELD, GOEMOTIONS))
    write_targets(teacher, vocabulary(), out / "vocabulary.npz", heads=(MELD, GOEMOTIONS))
    write_targets(teacher, lines_alone(root), out / "emorynlp.npz")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
