"""The 1-euro filter (Casiez, Roussel and Vogel, 2012): little lag while something moves, little jitter while not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SPEED_CUTOFF = 1.0  # Hz, of the speed's own smoothing


@dataclass
class OneEuro:
    """The filter of an array of positions, their speed counted in sizes of the body.

    Args:
        cutoff: Hz, at rest.
        beta: Hz more for each body size a second.
    """

    cutoff: float
    beta: float
    _time: float = 0.0
    _raw: NDArray[np.float64] | None = None
    _speed: Any = 0.0
    _smooth: Any = 0.0

    def __call__(self, value: NDArray[Any], time: float, size: float) -> NDArray[np.float64]:
        """The smoothed array; as it came where the clock (s) stands still or falls back."""
        new = np.asarray(value, np.float64)
        if self._raw is None or size < 1e-6:
            self._speed, self._smooth = np.zeros_like(new), new
        elif time > self._time:
            rate = 1 / (time - self._time)
            share = _share(_SPEED_CUTOFF, rate)
            self._speed = share * ((new - self._raw) / size * rate) + (1 - share) * self._speed
            share = _share(self.cutoff + self.beta * np.abs(self._speed), rate)
            self._smooth = share * new + (1 - share) * self._smooth
        else:
            return new
        self._raw, self._time = new, time
        return np.asarray(self._smooth)


def _share(cutoff: Any, rate: float) -> Any:
    """Of the new value, for a cutoff frequency at a sampling rate, both Hz."""
    return 1 / (1 + rate / (2 * np.pi * cutoff))
