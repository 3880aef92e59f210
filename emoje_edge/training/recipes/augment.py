"""Augmentation of features in training: other voices, other rooms, other cuts of the same sound.

Works on normalised log-mel, so that nothing but the corpus' own features is needed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emoje_edge.modality import Modality
from emoje_edge.perception.audio import BANDS, HIGH_HZ, LOW_HZ, normalise

LONGEST = 400  # frames; a RAVDESS clip without its silent end
SPEEDS = (0.9, 0.95, 1.0, 1.05, 1.1)  # of playing: tempo and pitch together, as another throat would


def augment(modality: Modality, x: NDArray[np.float32], g: np.random.Generator) -> NDArray[np.float32]:
    """A `Transform` for training: audio is changed, the rest stays as it is."""
    return augment_log_mel(x, g) if modality is Modality.AUDIO else x


def augment_log_mel(x: NDArray[np.float32], g: np.random.Generator) -> NDArray[np.float32]:
    """Normalised log-mel [F, 64] -> another [F', 64]: speed, cut, spectral tilt and one lost band of
    frequencies (SpecAugment, arXiv 1904.08779)."""
    if len(x) > 200:
        x = x[int(g.integers(0, min(60, len(x) - 200))) :]
    speed = SPEEDS[int(g.integers(len(SPEEDS)))]
    if speed != 1.0:
        x = _resample(x, max(2, round(len(x) / speed))) @ _pitch(speed)
    x = x + np.linspace(-1, 1, BANDS, dtype=np.float32) * np.float32(g.normal(0, 0.1))
    x = normalise(x[:LONGEST])
    width = int(g.integers(0, 8))
    first = int(g.integers(0, BANDS - width))
    x[:, first : first + width] = 0.0
    return x


def _resample(x: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Linear interpolation to `frames` frames."""
    at = np.linspace(0, len(x) - 1, frames)
    low = np.minimum(at.astype(int), max(0, len(x) - 2))
    share = (at - low)[:, None].astype(np.float32)
    return x[low] * (1 - share) + x[np.minimum(low + 1, len(x) - 1)] * share


@lru_cache(maxsize=len(SPEEDS))
def _pitch(speed: float) -> NDArray[np.float32]:
    """[64, 64]: moves every band to where its frequency times `speed` lies."""
    mel = np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), BANDS + 2)[1:-1]
    hertz = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    source = np.interp(_mel(hertz / speed), mel, np.arange(BANDS))
    low = np.minimum(source.astype(int), BANDS - 2)
    matrix = np.zeros((BANDS, BANDS), np.float32)
    matrix[low, np.arange(BANDS)] = 1 - (source - low)
    matrix[low + 1, np.arange(BANDS)] = source - low
    return matrix


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))
