"""The hum of the mains taken out of a sound: steady tones at the multiples of 50 and 60 Hz.

A voice passes such a frequency, a hum stays: a line counts where it stands out of its neighbourhood in the spectrum
and is about as strong in every quarter of a second.  Its frequency is refined from the spectrum's peak (mains wander
by some tenths of a hertz); where one is found, all multiples are subtracted together, by least squares: what a voice
has at exactly these frequencies for the whole utterance is next to nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAINS = (50.0, 60.0)  # Hz
HARMONICS = 16
WANDER = 0.006  # share of its frequency by which a line may be off
BLOCK = 0.25  # s
LEAST_BLOCKS = 4  # a shorter sound cannot tell a hum from a vowel
STANDS_OUT = 10.0  # times the median of the spectrum around it
AROUND = (3.0, 15.0)  # Hz from the line: what is compared with it
STEADY = 0.4  # the weakest block has at least this share of the strongest one's amplitude


def without_hum(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The sound less its steady mains tones; the very array where there are none, or it is shorter than a second.

    Args:
        samples: float [N], mono, without an offset.
        rate: Hz.
    """
    if samples.size < LEAST_BLOCKS * BLOCK * rate:
        return samples
    spectrum, hertz = _spectrum(samples, rate)
    for mains in MAINS:
        found = _mains(samples, mains, rate, spectrum=spectrum, hertz=hertz)
        if found is not None:
            samples = _less(samples, np.float64(found) * np.arange(1.0, HARMONICS + 1), rate)
    return samples


def _less(samples: NDArray[np.float32], lines: NDArray[np.float64], rate: int) -> NDArray[np.float32]:
    """The sound less what steady tones at `lines` Hz explain of it."""
    turns = 2 * np.pi * np.outer(np.arange(samples.size) / rate, lines)
    # waves: [N, 2 lines]
    waves = np.concatenate([np.cos(turns), np.sin(turns)], axis=1)
    amplitudes = np.linalg.lstsq(waves.T @ waves, waves.T @ samples.astype(np.float64), rcond=None)[0]
    return (samples - waves @ amplitudes).astype(np.float32)


def _spectrum(samples: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float64], float]:
    """Magnitudes, and the distance of two bins in Hz."""
    size = 2 << (samples.size - 1).bit_length()  # twice as fine as needed: the parabola is then exact enough
    return np.abs(np.fft.rfft(samples * np.hanning(samples.size), size)), rate / size


def _mains(
    samples: NDArray[np.float32], mains: float, rate: int, *, spectrum: NDArray[np.float64], hertz: float
) -> float | None:
    """The mains' frequency (Hz) as the line tells it that tells it best, None where nothing hums."""
    best, found = 0.0, None
    for k in range(1, HARMONICS + 1):
        line = _peak(spectrum, k * mains, hertz)
        if line is None or not _is_steady(samples, line, rate):
            continue
        sure = k * spectrum[round(line / hertz)]
        if sure > best:
            best, found = sure, line / k
    return found


def _peak(spectrum: NDArray[np.float64], wanted: float, hertz: float) -> float | None:
    """The frequency near `wanted` (Hz) at which the spectrum (one bin each `hertz`) has a line, None without one."""
    low, high = (round(wanted * (1 + side) / hertz) for side in (-WANDER, WANDER))
    at = low + int(np.argmax(spectrum[low : high + 1]))
    near, far = (int(width / hertz) for width in AROUND)
    around = np.concatenate([spectrum[max(1, at - far) : at - near], spectrum[at + near : at + far]])
    if spectrum[at] <= STANDS_OUT * np.median(around) or spectrum[at] < max(spectrum[at - 1], spectrum[at + 1]):
        return None
    # the vertex of the parabola through the peak and its neighbours, in decibels
    left, top, right = np.log(spectrum[at - 1 : at + 2] + 1e-30)
    return float(at + 0.5 * (left - right) / (left - 2 * top + right - 1e-12)) * hertz


def _is_steady(samples: NDArray[np.float32], line: float, rate: int) -> bool:
    """Whether the tone at `line` Hz is about as strong in every block."""
    block = int(BLOCK * rate)
    parts = samples[: samples.size // block * block].reshape(-1, block)
    tone = np.exp(-2j * np.pi * line * np.arange(block) / rate) * np.hanning(block)
    strength = np.abs(np.einsum("bn,n->b", parts, tone))  # no BLAS: its threads cost more than they do here
    return bool(strength.min() >= STEADY * strength.max())
