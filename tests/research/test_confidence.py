"""What a calibration error is worth on so many utterances."""

from __future__ import annotations

import numpy as np
import pytest

from research.recipes.confidence import chance_error


def _sure(rows: int, share: float) -> np.ndarray:
    """Answers of seven emotions that all are `share` sure of the first."""
    rest = (1 - share) / 6
    return np.tile([share, *[rest] * 6], (rows, 1))


def test_chance_falls_with_the_root_of_how_many_there_are() -> None:
    few, many = (chance_error(_sure(rows, 0.7)) for rows in (100, 10_000))
    # mean |k/n - p| of a binomial: sqrt(2 p (1 - p) / (pi n))
    assert few == pytest.approx(np.sqrt(2 * 0.21 / np.pi / 100), rel=0.15)
    assert few / many == pytest.approx(10, rel=0.25)


def test_who_is_certain_and_right_has_no_error_by_chance() -> None:
    assert chance_error(_sure(50, 1.0)) == 0
