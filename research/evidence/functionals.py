"""One vector for a sound: statistics of its log-mel frames, for experiments where a network per fold would be too slow.

Statistics of level, timbre (cepstra), their movement, the course over time and the modulation spectrum: the families
of eGeMAPS (Eyben et al., 2016), computed from log-mel alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CEPSTRA = 20
SEGMENTS = 5
LOUD = 0.35  # speech is above the quiet third by this share of the distance to the loudest frame
_FFT = 256  # frames of 10 ms: the modulation spectrum's bins are 0.39 Hz apart


def functionals(frames: NDArray[np.floating]) -> NDArray[np.float32]:
    """Log-mel frames [T, 64] at a 10 ms hop -> [574] float32.  Silence at both ends does not count."""
    x = np.asarray(frames, np.float32)
    level = x.mean(1)
    quiet = np.percentile(level, 30)
    loud = level > quiet + LOUD * (level.max() - quiet)
    at = np.flatnonzero(loud)
    spoken = x[at[0] : at[-1] + 1] if len(at) > 10 else x
    voiced = x[loud] if len(at) > 10 else x
    cepstra = spoken @ _cosines(x.shape[1]).T
    change = np.diff(cepstra, axis=0) if len(cepstra) > 1 else np.zeros_like(cepstra)
    course = spoken.mean(1)
    parts = [
        voiced.mean(0),
        voiced.std(0),
        np.percentile(voiced, 10, 0),
        np.percentile(voiced, 90, 0),
        cepstra.mean(0),
        cepstra.std(0),
        change.std(0),
        np.abs(change).mean(0),
        [len(spoken) / 100, loud.mean(), course.std(), np.ptp(np.percentile(course, [5, 95]))],
        [np.abs(np.diff(course)).mean() if len(course) > 1 else 0.0, level.max()],
        *(part[:, :8].mean(0) if len(part) else np.zeros(8) for part in np.array_split(cepstra, SEGMENTS)),
        _modulation(spoken).ravel(),
    ]
    return np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)


def _cosines(bands: int) -> NDArray[np.float32]:
    """Orthonormal DCT-II, [CEPSTRA, bands]."""
    k, n = np.arange(CEPSTRA)[:, None], np.arange(bands)[None]
    basis = np.cos(np.pi * k * (2 * n + 1) / (2 * bands)) * np.sqrt(2 / bands)
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


def _modulation(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log modulation spectrum of 16 wide bands below 19 Hz, in 12 steps: [12, 16]."""
    wide = frames.reshape(len(frames), 16, -1).mean(2)
    spectrum = np.abs(np.fft.rfft(wide - wide.mean(0), _FFT, axis=0))[:48] / np.sqrt(len(frames))
    return np.log(spectrum.reshape(12, 4, 16).mean(1) + 1e-2)
