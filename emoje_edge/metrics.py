"""Figures of a classifier: scikit-learn's scores, calibration error, and confidence intervals by group.

Percentages are never used: every score is between 0 and 1.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emoje_edge.errors import UsageError


@dataclass(frozen=True)
class Scores:
    """What one prediction run is worth.

    Attributes:
        weighted_f1, macro_f1, accuracy: scikit-learn's; macro over the classes that occur or were predicted.
        uar: unweighted average recall over the classes that occur ("UA" in the speech literature).
        per_class_f1, support: by class name, all classes.
        ece: expected calibration error, 15 bins of equal width.
        confusion: [C][C], rows the truth.
    """

    weighted_f1: float
    macro_f1: float
    accuracy: float
    uar: float
    per_class_f1: dict[str, float]
    support: dict[str, int]
    ece: float
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, object]:
        return dict(vars(self))


def score(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> Scores:
    """Score probabilities [N, C] against labels [N] (all ≥ 0).

    Raises:
        UsageError: no labelled utterance, or shapes that do not agree.
    """
    from sklearn.metrics import confusion_matrix, f1_score, recall_score

    if not len(labels) or probabilities.shape != (len(labels), len(classes)):
        raise UsageError(
            f"{len(labels)} labels against probabilities {probabilities.shape} of {len(classes)} classes",
            "there must be at least one labelled utterance, and one row an utterance",
        )
    predicted = probabilities.argmax(1)
    names = list(range(len(classes)))
    f1 = f1_score(labels, predicted, labels=names, average=None, zero_division=0)
    present = sorted(set(labels.tolist()))
    return Scores(
        weighted_f1=float(f1_score(labels, predicted, average="weighted", zero_division=0)),
        macro_f1=float(f1_score(labels, predicted, average="macro", zero_division=0)),
        accuracy=float((labels == predicted).mean()),
        uar=float(recall_score(labels, predicted, labels=present, average="macro", zero_division=0)),
        per_class_f1={name: float(v) for name, v in zip(classes, f1, strict=True)},
        support={name: int((labels == i).sum()) for i, name in enumerate(classes)},
        ece=calibration_error(labels, probabilities),
        confusion=confusion_matrix(labels, predicted, labels=names).tolist(),
    )


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, *, bins: int = 15) -> float:
    """Σ_b n_b/N |accuracy_b − confidence_b| over bins of the top probability.  Guo et al., arXiv 1706.04599."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = which == b
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)


def weighted_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """scikit-learn's figure without its checks, which take most of its time: a bootstrap asks a thousand times."""
    classes = int(max(labels.max(), predicted.max())) + 1
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    support, right = confusion.sum(1), confusion.diagonal()
    # 2 TP / (2 TP + FN + FP); a class that neither occurs nor is predicted weighs nothing
    f1 = 2 * right / np.maximum(support + confusion.sum(0), 1)
    return float((f1 * support).sum() / support.sum())


def unweighted_recall(labels: np.ndarray, predicted: np.ndarray) -> float:
    from sklearn.metrics import balanced_accuracy_score

    with warnings.catch_warnings():
        # a resample may lack a class that was predicted: it has no recall, and does not count
        warnings.simplefilter("ignore", UserWarning)
        return float(balanced_accuracy_score(labels, predicted))


def bootstrap(
    labels: np.ndarray,
    predicted: np.ndarray,
    groups: Sequence[str],
    *,
    statistic: Callable[[np.ndarray, np.ndarray], float] = weighted_f1,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a score under resampling of whole groups (dialogues, actors …): these are what is drawn.

    Args:
        labels, predicted: [N] integers.  groups: [N] names.
    """
    names, which = np.unique(np.asarray(groups), return_inverse=True)
    rows = [np.flatnonzero(which == g) for g in range(len(names))]
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(rounds):
        drawn = np.concatenate([rows[g] for g in generator.integers(len(names), size=len(names))])
        values.append(statistic(labels[drawn], predicted[drawn]))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
