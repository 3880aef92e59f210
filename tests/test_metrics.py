"""Figures against hand-computed ones, and intervals that resample whole groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from emoje_edge.errors import UsageError
from emoje_edge.metrics import bootstrap, calibration_error, score, unweighted_recall, weighted_f1

CLASSES = ("a", "b", "c")


def _one_hot(rows: list[int]) -> np.ndarray:
    return np.eye(3)[rows]


def test_scores_by_hand() -> None:
    labels = np.array([0, 0, 0, 1])
    s = score(labels, _one_hot([0, 0, 1, 1]), CLASSES)
    assert s.accuracy == 0.75
    assert s.per_class_f1 == pytest.approx({"a": 0.8, "b": 2 / 3, "c": 0.0})
    assert s.weighted_f1 == pytest.approx(0.75 * 0.8 + 0.25 * 2 / 3)
    # c neither occurs nor is predicted: it does not count
    assert s.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert s.uar == pytest.approx((2 / 3 + 1) / 2)
    assert s.support == {"a": 3, "b": 1, "c": 0}
    assert s.confusion == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_weighted_f1_is_that_of_scikit_learn(classes: int, seed: int) -> None:
    labels, predicted = np.random.default_rng(seed).integers(classes, size=(2, 9))
    expected = f1_score(labels, predicted, average="weighted", zero_division=0)
    assert weighted_f1(labels, predicted) == pytest.approx(expected)


def test_calibration_error() -> None:
    labels = np.array([0, 0, 1, 1])
    assert calibration_error(labels, _one_hot([0, 0, 1, 1])) == 0
    sure_and_half_right = np.tile([0.9, 0.1, 0.0], (4, 1))
    assert calibration_error(labels, sure_and_half_right) == pytest.approx(0.4)


def test_bootstrap_resamples_groups() -> None:
    labels = np.array([0] * 50 + [1] * 50)
    predicted = np.array([0] * 50 + [0] * 50)
    accuracy = lambda a, b: float((a == b).mean())  # noqa: E731
    by_row = bootstrap(labels, predicted, [str(i) for i in range(100)], statistic=accuracy, rounds=200)
    two_groups = bootstrap(labels, predicted, ["x"] * 50 + ["y"] * 50, statistic=accuracy, rounds=200)
    assert 0.35 < by_row[0] < 0.5 < by_row[1] < 0.65
    assert two_groups == (0.0, 1.0)
    again = bootstrap(labels, predicted, [str(i) for i in range(100)], statistic=accuracy, rounds=200)
    assert again == by_row


def test_recall_of_a_resample_without_a_predicted_class() -> None:
    assert unweighted_recall(np.array([0, 0]), np.array([0, 1])) == 0.5


def test_nothing_labelled_is_refused() -> None:
    with pytest.raises(UsageError, match="0 labels"):
        score(np.zeros(0, dtype=int), np.zeros((0, 3)), CLASSES)
