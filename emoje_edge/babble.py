"""A synthetic voice that says vowels: what the demonstration's people sound like, and a voice for tests.

Harmonics of a glottal tone, shaped by the first three formants of American English vowels (Peterson and Barney, 1952),
one vowel a syllable, some syllables with a burst of noise for a consonant.  A speech detector takes it for speech.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# F1, F2, F3 in Hz of the vowels of father, heed, who'd, head, hawed, hood; a man's
_VOWELS = np.array(
    [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410), (440, 1020, 2240)]
)
_BANDWIDTHS = np.array([80.0, 100.0, 140.0])  # Hz
_SMOOTH = 0.05  # s that the mouth takes from one vowel to the next


def babble(
    seconds: float, *, pitch: float, lively: float = 0.5, seed: int = 0, rate: int = 16_000
) -> NDArray[np.float32]:
    """Samples [N] of full scale 1.

    Args:
        pitch: mean fundamental, Hz.
        lively: 0 slow, flat and soft to 1 quick, sung and loud.
    """
    g = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    swing = 1 + 0.2 * lively * np.sin(2 * np.pi * 1.3 * time) + 0.1 - 0.25 * time / seconds
    fundamental = pitch * swing * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * time))
    syllable = 1 / (3.5 + 1.5 * lively)
    number = (time / syllable).astype(int)
    chosen = _VOWELS[g.integers(len(_VOWELS), size=number[-1] + 1)][number] * (1 + 0.15 * (pitch > 160))
    sound = _voiced(fundamental, _smoothed(chosen, round(_SMOOTH * rate)), rate)
    within = time / syllable - number
    sound *= np.sin(np.pi * np.clip((within - 0.15) / 0.85, 0, 1)) ** 0.6
    burst = (within < 0.18) & (g.random(number[-1] + 1) < 0.6)[number]
    sound = sound / np.abs(sound).max() + burst * g.normal(0, 0.1, len(sound))
    edges = np.clip(np.minimum(time, seconds - time) / 0.05, 0, 1)
    return (sound * edges * (0.15 + 0.3 * lively)).astype(np.float32)


def _voiced(fundamental: NDArray[np.float64], formants: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Harmonics up to 7 kHz, each as loud as the vocal tract lets it through at its frequency."""
    phase = 2 * np.pi * np.cumsum(fundamental) / rate
    sound = np.zeros(len(phase))
    for k in range(1, int(7000 / fundamental.min()) + 1):
        hertz = k * fundamental
        gain = 1 / k**0.7
        for n, width in enumerate(_BANDWIDTHS):
            centre = formants[:, n]
            # a resonance of unit gain at 0 Hz
            gain = gain * centre**2 / np.hypot(centre**2 - hertz**2, width * hertz)
        sound += gain * np.sin(k * phase) * (hertz < 7000)
    return sound


def _smoothed(x: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    kernel = np.hanning(width) / np.hanning(width).sum()
    padded = np.pad(x, ((width // 2, width - width // 2 - 1), (0, 0)), "edge")
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], 1)
