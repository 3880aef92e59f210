"""Temperatures: one number a mask that the logits are divided by, so that of answers at .7 seven in ten are right.

C. Guo et al., On calibration of modern neural networks, arXiv 1706.04599.  It changes no label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoje_edge.engine.manifest import TEMPERATURES
from emoje_edge.errors import UsageError


def fit_temperature(labels: np.ndarray, logits: np.ndarray) -> float:
    """The temperature of the least mean negative log-likelihood.

    Args:
        labels: [N] integers ≥ 0.
        logits: [N, C]; log-probabilities do as well.

    Raises:
        UsageError: nothing to fit on, or logits that are not finite.
    """
    from scipy.optimize import minimize_scalar

    if not len(labels) or logits.shape[:1] != labels.shape or not np.isfinite(logits).all():
        raise UsageError(
            f"logits {logits.shape} for {len(labels)} labels, or not finite", "give one row of finite numbers a label"
        )

    def loss(log_temperature: float) -> float:
        p = tempered(logits, float(np.exp(log_temperature)))
        return -float(np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-12)).mean())

    found = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded")
    return float(np.clip(np.exp(found.x), *TEMPERATURES))


def tempered(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities [N, C] at a temperature."""
    z = logits / temperature
    e = np.exp(z - z.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))


def held_out_probabilities(
    labels: np.ndarray, logits: np.ndarray, groups: Sequence[str], *, folds: int = 5, seed: int = 0
) -> np.ndarray:
    """Probabilities [N, C] of each row at the temperature of the other folds, so that a figure on them is no memory.

    Args:
        groups: [N], what must stay together (dialogues, actors).
    """
    names = np.unique(np.asarray(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = dict(zip(names[order], np.arange(len(names)) % folds, strict=True))
    which = np.array([fold[g] for g in groups])
    out = np.zeros(logits.shape)
    for k in np.unique(which):
        here = which == k
        rest = ~here if (~here).any() else here
        out[here] = tempered(logits[here], fit_temperature(labels[rest], logits[rest]))
    return out


def risk_coverage(
    labels: np.ndarray, probabilities: np.ndarray, coverages: Sequence[float] = (1.0, 0.8, 0.6, 0.4, 0.2)
) -> list[tuple[float, float, float]]:
    """What is wrong among the surest answers: (coverage, least confidence of these, share of them that is wrong)."""
    confidence = probabilities.max(1)
    order = np.argsort(-confidence, kind="stable")
    wrong = (probabilities.argmax(1) != labels)[order]
    rows = []
    for coverage in coverages:
        kept = max(1, round(coverage * len(labels)))
        rows.append((coverage, float(confidence[order[kept - 1]]), float(wrong[:kept].mean())))
    return rows
