"""Observers: from the values a tensor takes on the calibration set to its amax.

All work from one histogram of magnitudes, so that a pass over the data serves every method and memory stays fixed.

- `max`: the largest magnitude.
- `percentile-P`: the magnitude below which P % of the values lie.
- `mse`: the amax with the least squared error of clipping plus rounding.
- `entropy`: the amax whose INT8 histogram has the least Kullback-Leibler divergence from the full one
  (TensorRT's method: Migacz, "8-bit inference with TensorRT", GTC 2017).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

LEVELS = 128  # magnitudes 0 to 127
BINS = 2048
FLOOR = 1e-6  # amax of a tensor that is always zero
METHODS = ("max", "percentile-99.9", "percentile-99.99", "percentile-99.999", "mse", "entropy")


class Histogram:
    """Magnitudes of one tensor; the range doubles when a larger value comes, by joining pairs of bins."""

    def __init__(self) -> None:
        self.counts = np.zeros(BINS)
        self.top = 0.0
        self.largest = 0.0

    def add(self, x: Tensor) -> None:
        """Count the magnitudes of a tensor of any shape."""
        magnitudes = x.detach().abs().flatten().float()
        largest = float(magnitudes.max()) if magnitudes.numel() else 0.0
        self.largest = max(self.largest, largest)
        if self.top == 0.0:
            self.top = largest
        while self.top and largest > self.top:
            self.counts = np.concatenate([self.counts.reshape(-1, 2).sum(1), np.zeros(BINS // 2)])
            self.top *= 2
        if self.top:
            self.counts += torch.histc(magnitudes, BINS, 0, self.top).numpy()

    def amax(self, method: str) -> float:
        """The range that `method` chooses.

        Raises:
            ValueError: an unknown method.
        """
        if not self.largest:
            return FLOOR
        if method == "max":
            return self.largest
        if method.startswith("percentile-"):
            return self._percentile(_share(method))
        if method == "mse":
            return self._search(self._squared_error)
        if method == "entropy":
            return self._search(self._divergence)
        raise ValueError(f"unknown observer {method!r}: must be one of {', '.join(METHODS)}")

    def _percentile(self, share: float) -> float:
        cumulated = np.cumsum(self.counts)
        bin_ = int(np.searchsorted(cumulated, share * cumulated[-1]))
        return min((bin_ + 1) * self.top / BINS, self.largest)

    def _search(self, cost: Callable[[int], float]) -> float:
        """The amax at the end of the bin where `cost` is least."""
        last = int(np.ceil(self.largest / self.top * BINS))
        candidates = np.unique(np.linspace(min(LEVELS, last), last, 64).astype(int))
        best = min(candidates.tolist(), key=cost)
        return min(float(best) * self.top / BINS, self.largest)

    def _squared_error(self, bins: int) -> float:
        centre = (np.arange(BINS) + 0.5) * self.top / BINS
        amax = bins * self.top / BINS
        step = amax / (LEVELS - 1)
        quantized = np.minimum(np.rint(centre / step), LEVELS - 1) * step
        return float((self.counts * (centre - quantized) ** 2).sum())

    def _divergence(self, bins: int) -> float:
        full = self.counts[:bins].copy()
        full[-1] += self.counts[bins:].sum()
        # spread each level's count evenly over the bins that are not empty, as INT8 cannot tell them apart
        level = np.minimum(np.arange(bins) * LEVELS // bins, LEVELS - 1)
        there = self.counts[:bins] > 0
        total = np.bincount(level, self.counts[:bins], LEVELS)
        width = np.bincount(level, there, LEVELS)
        spread = np.where(there, (total / np.maximum(width, 1))[level], 0.0)
        p, q = full / full.sum(), spread / max(spread.sum(), 1e-30)
        both = (p > 0) & (q > 0)
        lost = p[(p > 0) & (q == 0)].sum()  # mass that INT8 would not represent at all
        return float((p[both] * np.log(p[both] / q[both])).sum() + 10 * lost)


def _share(method: str) -> float:
    text = method.removeprefix("percentile-")
    try:
        share = float(text) / 100
    except ValueError:
        share = 0.0
    if not 0.5 < share <= 1:
        raise ValueError(f"observer {method!r}: {text!r} is no percentage above 50")
    return share
