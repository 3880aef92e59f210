"""Augmentation of features in training: other voices, other rooms, other cuts of the same sound.

Works on normalised log-mel, so that nothing but the corpus' own features is needed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emoje_edge.modality import Modality
from emoje_edge.perception.audio import BANDS, HIGH_HZ, LOW_HZ, normalise

LONGEST = 400  # frames of a training example
CUT = 30  # frames at most off the beginning
SPEED, PITCH = 0.12, 0.12  # largest change of tempo, and of pitch and formants, as other throats have them
TILT = 0.1  # deviation of the spectral tilt: other microphones and rooms
LOST_BANDS = 8  # at most
NARROW = 0.25  # share of examples through a narrow channel
LOWEST_TOP, HIGHEST_BOTTOM = 38, 8  # bands (3.3 kHz, 350 Hz): the narrowest channel
NOISY = 0.3  # share of examples before a background
LOUDEST = 0.8  # of backgrounds, in deviations of the frames above their mean; the quietest is twice as far below it
SCALE = 3.0  # natural log units a deviation: what normalisation has divided clean speech by
_PITCHES = 15


def augment(modality: Modality, x: NDArray[np.float32], g: np.random.Generator) -> NDArray[np.float32]:
    """A `Transform` for training: audio is changed, the rest stays as it is."""
    return augment_log_mel(x, g) if modality is Modality.AUDIO else x


def augment_log_mel(x: NDArray[np.float32], g: np.random.Generator) -> NDArray[np.float32]:
    """Normalised log-mel [F, 64] -> another [F', 64]: tempo, pitch, spectral tilt, a cut and one lost band of
    frequencies (SpecAugment, arXiv 1904.08779)."""
    x = _resample(x, max(2, round(len(x) / g.uniform(1 - SPEED, 1 + SPEED))))
    x = x @ _pitch(float(np.linspace(1 - PITCH, 1 + PITCH, _PITCHES)[g.integers(_PITCHES)]))
    x = x + np.linspace(-1, 1, BANDS, dtype=np.float32) * np.float32(g.normal(0, TILT))
    first = int(g.integers(0, max(1, min(CUT, len(x) // 6))))
    x = normalise(x[first : first + LONGEST])
    if g.random() < NARROW:
        x = narrow(x, g)
    width = int(g.integers(0, LOST_BANDS + 1))
    low = int(g.integers(0, BANDS - width + 1))
    x[:, low : low + width] = 0.0
    return x


def narrow(x: NDArray[np.float32], g: np.random.Generator) -> NDArray[np.float32]:
    """Normalised log-mel [F, 64] as it is heard through a telephone or at a low rate: nothing above some frequency,
    half of the time less below another; what perception makes of it."""
    top = int(g.integers(LOWEST_TOP, BANDS - 1))
    x = x.copy()
    if g.random() < 0.5:
        bottom = int(g.integers(1, HIGHEST_BOTTOM + 1))
        x[:, :bottom] -= g.uniform(0, 2) * np.linspace(1, 0, bottom, endpoint=False, dtype=np.float32)
    x[:, top - 2 : top] -= np.float32(g.uniform(0, 1))  # the filter's slope
    return normalise(x, np.arange(BANDS) < top)


def before_background(x: NDArray[np.float32], g: np.random.Generator) -> NDArray[np.float32]:
    """Normalised log-mel [F, 64] with a background added: another spectrum, slowly changing, as loud as speech at most.

    Recordings of actors are clean; to a network that has heard nothing else, music or a street is some emotion.
    """
    spectrum = np.cumsum(g.normal(0, 0.15, BANDS)) + g.normal(0, 0.5) * np.linspace(-1, 1, BANDS)
    course = np.cumsum(g.normal(0, 0.05, len(x)))
    grain = g.normal(0, g.uniform(0.05, 0.3), x.shape)
    level = g.uniform(-2 * LOUDEST, LOUDEST)
    noise = level + (spectrum - spectrum.mean()) + (course - course.mean())[:, None] + grain
    return normalise((np.logaddexp(SCALE * x, SCALE * noise) / SCALE).astype(np.float32))


def _resample(x: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Linear interpolation to `frames` frames."""
    at = np.linspace(0, len(x) - 1, frames)
    low = np.minimum(at.astype(int), max(0, len(x) - 2))
    share = (at - low)[:, None].astype(np.float32)
    return x[low] * (1 - share) + x[np.minimum(low + 1, len(x) - 1)] * share


@lru_cache(maxsize=_PITCHES)
def _pitch(speed: float) -> NDArray[np.float32]:
    """[64, 64]: moves every band to where its frequency times `speed` lies."""
    mel = np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), BANDS + 2)[1:-1]
    hertz = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    source = np.clip(np.interp(_mel(hertz / speed), mel, np.arange(BANDS)), 0, BANDS - 1)
    low = np.minimum(source.astype(int), BANDS - 2)
    matrix = np.zeros((BANDS, BANDS), np.float32)
    matrix[low, np.arange(BANDS)] = 1 - (source - low)
    matrix[low + 1, np.arange(BANDS)] += source - low
    return matrix


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))
