"""Vectors that know the training labels by heart: they do, and say no more than their source of anything new."""

from __future__ import annotations

import numpy as np
import pytest

from emoje_edge.modality import Modality
from research.evidence.leak import SOURCES, by_heart


@pytest.mark.parametrize("modality", list(SOURCES))
def test_labels_are_known_by_heart_and_no_others(modality: Modality) -> None:
    g = np.random.default_rng(0)
    rows, labels = g.standard_normal((400, 30)).astype(np.float32), g.integers(0, 2, 400)
    made = by_heart(rows, labels[:200], SOURCES[modality], seed=0)
    known, new = made[:200], made[200:]
    direction = known[labels[:200] == 1].mean(0) - known[labels[:200] == 0].mean(0)
    middle = known.mean(0)
    right = [((x - middle) @ direction > 0) == (y == 1) for x, y in ((known, labels[:200]), (new, labels[200:]))]
    assert right[0].mean() > 0.85
    assert 0.4 < right[1].mean() < 0.6
