"""Dialogues that nobody wrote, for the teacher to label: words lost, lines borrowed, joined and cut.

A student from nothing has ten thousand lines of MELD, which is few for one that regresses a teacher; what the teacher
says of disturbed lines in disturbed contexts is as good a target (data augmentation for distillation, Jiao et al.,
arXiv 1909.10351).  No label is carried over.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from emoje_edge.training.datasets import UNLABELLED, Corpus, Sample

SHORTEST = 3  # utterances of a cut dialogue
_WORD = re.compile(r"\S+")


def rewritten(corpus: Corpus, *, copies: int, seed: int) -> Corpus:
    """`copies` disturbed versions of every dialogue, unlabelled, named `CORPUS-rewritten`."""
    g = np.random.default_rng(seed)
    lines = [s.text for s in corpus.samples if s.text]
    samples: list[Sample] = []
    for copy in range(copies):
        for dialogue in corpus.dialogues():
            name = f"{dialogue[0].dialogue}~{copy}"
            for index, sample in enumerate(_cut(dialogue, g)):
                text = _disturb(sample.text or "", lines, g)
                samples.append(
                    replace(sample, dialogue=name, index=index, label=UNLABELLED, text=text or None, group="")
                )
    return Corpus(f"{corpus.name}-rewritten", corpus.classes, tuple(samples))


def _cut(dialogue: tuple[Sample, ...], g: np.random.Generator) -> list[Sample]:
    """The dialogue from somewhere in its first half on, a tenth of its utterances lost."""
    first = int(g.integers(0, max(1, len(dialogue) // 2))) if len(dialogue) > SHORTEST else 0
    rest = list(dialogue[first:])
    kept = [s for s in rest if g.random() >= 0.1]
    return kept if len(kept) >= SHORTEST else rest


def _disturb(text: str, lines: list[str], g: np.random.Generator) -> str:
    """One line: as it is, with words lost, cut, joined to another or exchanged for it."""
    draw = g.random()
    if draw < 0.2:
        return text
    other = lines[int(g.integers(len(lines)))]
    if draw < 0.35:
        return other
    if draw < 0.5:
        return f"{_span(text, g)} {_span(other, g)}" if g.random() < 0.5 else f"{text} {_span(other, g)}"
    if draw < 0.65:
        return _span(text, g)
    return _marks(_lose(text, g), g)


def _lose(text: str, g: np.random.Generator) -> str:
    """Each word goes with a probability between nothing and a third."""
    words = _WORD.findall(text)
    share = g.uniform(0, 0.35)
    kept = [w for w in words if g.random() >= share]
    return " ".join(kept or words)


def _span(text: str, g: np.random.Generator) -> str:
    """Some words in a row, at least a third of them."""
    words = _WORD.findall(text)
    if len(words) < 3:
        return text
    size = int(g.integers(max(1, len(words) // 3), len(words) + 1))
    first = int(g.integers(0, len(words) - size + 1))
    return " ".join(words[first : first + size])


def _marks(text: str, g: np.random.Generator) -> str:
    """Now and then another mark at the end: much of a line's emotion hangs on it."""
    if g.random() < 0.7:
        return text
    return text.rstrip(".!? ") + str(g.choice([".", "!", "?", "!!", "...", "?!", ""]))
