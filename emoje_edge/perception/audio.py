"""Log-mel frames in numpy: all that the audio encoder hears of a sound.

A Hann window of 25 ms every 10 ms, a 512-point FFT, 64 triangular bands equally wide on the mel scale of the HTK Book
(Young et al., 2006, section 5.4: mel = 2595 log10(1 + f / 700)), and the natural logarithm above a floor.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.shapes import FRAME_RATE, SAMPLE_RATE

WINDOW = 400  # samples: 25 ms
HOP = SAMPLE_RATE // FRAME_RATE  # samples
HOP_SECONDS = HOP / SAMPLE_RATE
FFT_SIZE = 512
BANDS = 64
LOW_HZ, HIGH_HZ = 60.0, 7600.0
# A frame of 16-bit rounding noise has a power of about 1e-8 a bin, a whisper 1e-2: below 1e-6 all is silence.
FLOOR = 1e-6
# Frames of steady noise differ by about 0.6 (natural log units); dividing by less would only magnify silence.
LEAST_DEVIATION = 1.0
# Ends of an utterance are silent where they lie in the lowest quarter between its quiet and its loudest frames, if
# these are at least a factor of 20 in energy apart; a tenth of a second of them stays.
QUIET_PERCENTILE, SPOKEN_SHARE, LEAST_RANGE, MARGIN = 20, 0.25, 3.0, 10

_BLOCK = 2048  # frames at a time, so that a long recording needs no more than some MB


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-mel energies of a sound.

    Args:
        samples: float [N], mono at 16 kHz, full scale 1.

    Returns:
        float32 [F, 64]: F = 1 + (N - 400) // 160; 1 for a shorter sound (zeros make up the window), 0 for none.
        A sample that is no finite number counts as silence.

    Raises:
        UsageError: `samples` is not one-dimensional.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim != 1:
        raise UsageError(f"samples of shape {samples.shape}", "give one channel: float32 [N] at 16 kHz")
    if not samples.size:
        return np.zeros((0, BANDS), dtype=np.float32)
    if not np.isfinite(samples).all():
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    if samples.size < WINDOW:
        samples = np.pad(samples, (0, WINDOW - samples.size))
    # frames: [F, WINDOW], a view
    frames = sliding_window_view(samples, WINDOW)[::HOP]
    mel = np.empty((len(frames), BANDS), dtype=np.float32)
    for first in range(0, len(frames), _BLOCK):
        spectrum = np.fft.rfft(frames[first : first + _BLOCK] * _window(), FFT_SIZE)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        mel[first : first + _BLOCK] = power @ _filters()
    return np.log(np.maximum(mel, FLOOR, out=mel), out=mel)


def spoken(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """An utterance's frames without the silence at both ends, which says nothing and would shift the normalisation.

    Args:
        frames: float [F, 64] log-mel, F may be 0.

    Returns:
        A view [F', 64]; all of it where nothing stands out from a quiet background.
    """
    if not len(frames):
        return frames
    level = frames.mean(axis=1)
    quiet, loudest = float(np.percentile(level, QUIET_PERCENTILE)), float(level.max())
    if loudest - quiet < LEAST_RANGE:
        return frames
    loud = np.flatnonzero(level > quiet + SPOKEN_SHARE * (loudest - quiet))
    return frames[max(0, loud[0] - MARGIN) : loud[-1] + 1 + MARGIN]


def normalise(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shift and scale an utterance's frames to mean 0 and deviation 1.

    One mean and one deviation for all bands: the microphone's gain goes, the spectral tilt (arousal) stays.

    Args:
        frames: float [F, 64] log-mel, F may be 0.

    Returns:
        float32 [F, 64], finite; near 0 everywhere for silence.
    """
    frames = np.asarray(frames, dtype=np.float32)
    if not frames.size:
        return frames
    deviation = max(float(frames.std(dtype=np.float64)), LEAST_DEVIATION)
    return ((frames - np.float32(frames.mean(dtype=np.float64))) / np.float32(deviation)).astype(np.float32)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    # The periodic Hann window, as for every short-time FFT: numpy's own is the symmetric one.
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


@lru_cache(maxsize=1)
def _filters() -> NDArray[np.float32]:
    """Triangles [FFT_SIZE // 2 + 1, BANDS], height 1, each from its left neighbour's centre to its right one's."""
    edges = _hertz(np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), BANDS + 2))
    bins = np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE)[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32)


def _mel(hertz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hertz / 700.0))


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
