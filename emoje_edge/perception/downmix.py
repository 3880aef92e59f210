"""Several channels of sound to one, without losing what somebody says in them.

A plain mean loses speech that is in opposite phase in two channels (a wrongly wired cable, a "karaoke" effect), and
makes speech faint that is on one microphone of many.  So silent channels do not count, and where the mean cancels out,
the loudest channel stands for all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SILENT = 1e-3  # of the loudest channel's power (-30 dB): such a channel says nothing
_CANCELLED = 0.1  # of the channels' power (-10 dB); of unrelated channels a mean keeps 1 / C, of two a half
_MEMORY = 16_000  # samples over which power is followed, so that a pause between two words changes nothing


class Downmix:
    """Mixes blocks of one recording in their order."""

    def __init__(self) -> None:
        self._power = np.zeros(0)  # [C], followed
        self._mixed = 0.0

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """One block: float32 [C, N] to [N]; another number of channels starts anew."""
        channels, length = samples.shape
        if channels == 1 or not length:
            return samples[0] if channels else np.zeros(length, np.float32)
        if channels != self._power.size:
            self._power, self._mixed = np.square(samples, dtype=np.float64).mean(1), np.inf
        self._power = self._followed(self._power, np.square(samples, dtype=np.float64).mean(1), length)
        heard = self._power >= _SILENT * self._power.max()
        mix = samples[heard].mean(0)
        power = float(np.square(mix, dtype=np.float64).mean())
        self._mixed = power if self._mixed == np.inf else float(self._followed(self._mixed, power, length))
        cancelled = self._mixed < _CANCELLED * float(self._power[heard].mean()) / max(1, heard.sum() / 2)
        return samples[int(self._power.argmax())] if cancelled else mix

    @staticmethod
    def _followed(before: NDArray[np.float64] | float, now: NDArray[np.float64] | float, length: int) -> NDArray:
        share = min(1.0, length / _MEMORY)
        return (1 - share) * np.asarray(before) + share * np.asarray(now)
