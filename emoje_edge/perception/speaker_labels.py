"""Who speaks, by the voice alone: anonymous labels A, B, … within one source, where it gives no names.

A voice is what its louder half sounds like on average (cepstrum of Whisper's log-mel, Davis and Mermelstein, 1980) and
how high it is, in ten directions in which sixteen actors differ most and the moods of one least (Fisher's discriminant,
`research.words.speakers`, which tells its error).  Nothing of it is kept or written.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.transcribe import WINDOW, log_mel
from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.shipped import VOICES

ALIKE = 0.1  # cosine from which a voice is one that was heard before
MOST = 26  # letters
CEPSTRA = 24
_SHORT = 1.0  # s; less tells too little to be somebody new
_FRAME, _HOP = 1280, 640  # samples, of the pitch
_LOWEST, _HIGHEST = 50.0, 400.0  # Hz


class SpeakerLabels:
    """The voices of one source, told apart as they come."""

    def __init__(self) -> None:
        self._sums: list[NDArray[np.float64]] = []

    def label(self, samples: NDArray[np.float32]) -> str:
        """Whose voice this is.

        Args:
            samples: float32 [N], mono at 16 kHz, of one utterance.

        Returns:
            `"A"` for the first, the next letter for somebody new.
        """
        voice = voiceprint(samples)
        best = nearest(self._sums, voice, new=samples.size >= _SHORT * SAMPLE_RATE)
        if best is None:
            self._sums.append(voice)
            best = len(self._sums) - 1
        else:
            self._sums[best] = self._sums[best] + voice
        return chr(ord("A") + best)


def nearest(known: list[NDArray[np.float64]], voice: NDArray[np.float64], *, new: bool = True) -> int | None:
    """The number of the sum of voices that a voice is most like; None for somebody new, where there may be one."""
    alike = [float(each @ voice) / float(np.linalg.norm(each) + 1e-9) for each in known]
    best = int(np.argmax(alike)) if alike else None
    return None if best is None or (new and alike[best] < ALIKE and len(known) < MOST) else best


def voiceprint(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """[10], of length 1: what a voice (float32 [N], mono at 16 kHz, its first 15 s) is like."""
    mean, scale, directions = _learnt()
    found = ((traits(samples) - mean) / scale) @ directions
    return np.asarray(found / (np.linalg.norm(found) + 1e-9), dtype=np.float64)


def traits(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """[51]: mean and deviation of 24 cepstra over the louder half, and mean, median and low end of log pitch."""
    samples = samples[: round(WINDOW * SAMPLE_RATE)]
    frames = log_mel(samples, WINDOW)[:, : max(1, samples.size // 160)].astype(np.float64)
    level = frames.mean(0)
    loud = frames[:, level >= np.median(level)]
    cepstra = _cosines(len(loud)) @ loud
    pitch = _pitch(samples)
    high = [pitch.mean(), np.median(pitch), np.quantile(pitch, 0.1)]
    return np.concatenate([cepstra.mean(1), cepstra.std(1), high])


def _pitch(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log Hz of the voiced frames (80 ms, by autocorrelation); that of 150 Hz where none is."""
    count = max(0, (samples.size - _FRAME) // _HOP)
    at = np.arange(count)[:, None] * _HOP + np.arange(_FRAME)
    frames = samples[at].astype(np.float64) * np.hanning(_FRAME) if count else np.zeros((0, _FRAME))
    power = np.abs(np.fft.rfft(frames, 2 * _FRAME, axis=1)) ** 2
    alike = np.fft.irfft(power, axis=1)[:, : int(SAMPLE_RATE / _LOWEST)]
    alike = alike / (alike[:, :1] + 1e-9)
    first = int(SAMPLE_RATE / _HIGHEST)
    lag = alike[:, first:].argmax(1) + first
    voiced = (alike[np.arange(count), lag] > 0.4) & (frames.std(1) > 1e-3)
    return np.log(SAMPLE_RATE / lag[voiced]) if voiced.any() else np.log([150.0])


@lru_cache(maxsize=1)
def _cosines(bands: int) -> NDArray[np.float64]:
    """[24, bands], orthonormal, without the level."""
    order, band = np.arange(1, CEPSTRA + 1)[:, None], np.arange(bands) + 0.5
    return np.asarray(np.sqrt(2 / bands) * np.cos(np.pi / bands * order * band))


@lru_cache(maxsize=1)
def _learnt() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    with np.load(VOICES, allow_pickle=False) as stored:
        return stored["mean"], stored["scale"], stored["directions"]
