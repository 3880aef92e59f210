"""Other volumes and channels that a sound comes through: telephones, low rates, 16 bits, a hum.

What evidence passes the voices of actors through whom nobody trained on.
"""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from emoje_edge.shapes import SAMPLE_RATE

Array = NDArray[np.float32]


def resampled(x: Array, rate: int) -> Array:
    """Through another sample rate and back."""
    for source, target in ((SAMPLE_RATE, rate), (rate, SAMPLE_RATE)):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(x[None]), format="flt", layout="mono")
        frame.sample_rate = source
        resampler = av.AudioResampler(format="flt", layout="mono", rate=target)
        x = np.concatenate([part.to_ndarray()[0] for given in (frame, None) for part in resampler.resample(given)])
    return x


def mu_law(x: Array) -> Array:
    """8 bits a sample at 8 kHz, as telephones have them (G.711)."""
    pressed = np.sign(x) * np.log1p(255 * np.abs(np.clip(x, -1, 1))) / np.log(256)
    coarse = np.round(pressed * 127) / 127
    return resampled((np.sign(coarse) * np.expm1(np.abs(coarse) * np.log(256)) / 255).astype(np.float32), 8000)


def telephone(x: Array) -> Array:
    """300 to 3400 Hz, 12 dB an octave."""
    spectrum, hertz = np.fft.rfft(x), np.maximum(np.fft.rfftfreq(x.size, 1 / SAMPLE_RATE), 1.0)
    gain = 1 / np.sqrt((1 + (300 / hertz) ** 4) * (1 + (hertz / 3400) ** 4))
    return resampled(np.fft.irfft(spectrum * gain, x.size).astype(np.float32), 8000)


def sixteen_bits(x: Array, decibels: float) -> Array:
    """The same sound at another volume, written down in 16 bits, clipped where it is too loud."""
    return (np.clip(np.round(x * 10 ** (decibels / 20) * 32768), -32768, 32767) / 32768).astype(np.float32)


def hum(x: Array) -> Array:
    """A mains hum as loud as the voice, and an offset."""
    time = np.arange(x.size) / SAMPLE_RATE
    tones = sum(np.sin(2 * np.pi * 50.04 * k * time + k) / k for k in (1, 2, 3, 5, 7))
    return (x + x.std() * tones / np.std(tones) + 0.02).astype(np.float32)
