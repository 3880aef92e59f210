"""Speech told by the sound's energy alone: for tests and devices without the speech network.

It takes music and a street for speech, which Silero's network (`speech.py`) does not.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray


class Loudness:
    """A `voice_activity.Detector`: frames of 20 ms, first difference (which takes hum away).

    The floor is the 10th percentile of the last 10 s; speech lies 4 to 9 dB above it, the more the wider the
    recording's range.
    """

    frame, batch = 320, 1
    _MEMORY, _SEED = 500, (-60.0,) * 5  # frames; before a recording there was silence
    _FLOOR_DB = -65.0

    def __init__(self) -> None:
        self._recent: deque[float] = deque(self._SEED, maxlen=self._MEMORY)
        self._threshold, self._judged = -51.0, 0

    def levels(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """Level of each frame in dB of full scale."""
        power = np.square(np.diff(samples.reshape(-1, self.frame), axis=1), dtype=np.float64).mean(axis=1)
        return np.asarray(10 * np.log10(np.nan_to_num(power, nan=0.0, posinf=0.0) + 1e-10), dtype=np.float64)

    def speaks(self, level: float, *, within: bool) -> bool:
        """Whether a frame is loud; the floor follows the recording, five times a second."""
        self._recent.append(level)
        self._judged += 1
        if self._judged % 10 == 0:
            low, high = np.percentile(self._recent, (10, 95))
            low = max(float(low), self._FLOOR_DB)
            self._threshold = low + min(9.0, max(4.0, 0.35 * (float(high) - low)))
        return level > self._threshold
