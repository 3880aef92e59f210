"""A device's timestamps as time of this session.

A stream is anchored where its first item arrives.  Two devices (a camera and a microphone) run on clocks of their own,
which part by some seconds an hour: how far arrival moves away from the timestamps is followed slowly, and taken out
once it is more than a listener would notice.
"""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCE = 0.1  # s
_FOLLOW = 0.01  # share of a new difference that is believed: jitter of a network is not drift


@dataclass
class Clock:
    """Attributes:
    shift: s, added to timestamps; None before the first.
    """

    shift: float | None = None
    _apart: float = 0.0

    def at(self, timestamp: float, arrived: float) -> float:
        """Session time (s) of an item with this timestamp that arrived at this session time."""
        if self.shift is None:
            self.shift = arrived - timestamp
        self._apart += _FOLLOW * (arrived - timestamp - self.shift - self._apart)
        if abs(self._apart) > TOLERANCE:
            self.shift += self._apart
            self._apart = 0.0
        return timestamp + self.shift
