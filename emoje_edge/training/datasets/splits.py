"""Splits that keep groups whole (actor, dialogue, recording, content, video): random rows would leak."""

from __future__ import annotations

import numpy as np

from emoje_edge.errors import UsageError
from emoje_edge.training.datasets.base import Corpus


def k_fold(corpus: Corpus, folds: int, *, seed: int = 0) -> list[tuple[Corpus, Corpus]]:
    """`folds` pairs (train, held out); groups whole, classes as even as groups allow (scikit-learn's splitter).

    Raises:
        UsageError: fewer groups than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    blocks = np.array([s.block for s in corpus.samples])
    if folds < 2 or len(set(blocks.tolist())) < folds:
        raise UsageError(
            f"{folds} folds of {corpus.name}, which has {len(set(blocks.tolist()))} groups",
            "folds go from 2 to the number of groups (actors, dialogues, recordings …)",
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    pairs = []
    for train, held_out in splitter.split(np.zeros(len(corpus)), corpus.labels(), blocks):
        pairs.append(tuple(Corpus(corpus.name, corpus.classes, _take(corpus, part)) for part in (train, held_out)))
    return pairs  # type: ignore[return-value]


def hold_out(corpus: Corpus, share: float = 0.2, *, seed: int = 0) -> tuple[Corpus, Corpus]:
    """(train, held out): about `share` of the samples held out, groups whole."""
    if not 0 < share <= 0.5:
        raise UsageError(f"a held-out share of {share}", "allowed: above 0, at most 0.5")
    return k_fold(corpus, max(2, round(1 / share)), seed=seed)[0]


def train_and_dev(corpus: Corpus, *, share: float = 0.2, seed: int = 0) -> tuple[Corpus, Corpus]:
    """The official train and dev splits where both are here, else groups held out of whatever is not test."""
    names = {s.split for s in corpus.samples}
    if {"train", "dev"} <= names:
        return corpus.split("train"), corpus.split("dev")
    return hold_out(corpus.keep(lambda s: s.split != "test"), share, seed=seed)


def _take(corpus: Corpus, rows: np.ndarray) -> tuple:
    return tuple(corpus.samples[i] for i in sorted(rows.tolist()))
