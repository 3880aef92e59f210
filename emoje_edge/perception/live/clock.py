"""A device's timestamps as time of this session.

A stream is anchored where its first item arrives.  Two devices (a camera and a microphone) run on clocks of their own,
which part by some seconds an hour.  How far is told by arrival: what delays an item on its way only ever makes it late,
so the least delay of each second is the clock's, and the median of the last seconds outlives a network that stood
still.  Sound is moved in steps and only above a tenth of a second, since each step is a hole or a click in it; pictures
keep step with the sound all the time.
"""

from __future__ import annotations

from collections import deque
from statistics import median

TOLERANCE = 0.1  # s
# s a second: no clock is worse than this, so what comes still later is a network or a machine that is behind, and lag
WORST = 0.01
_SECONDS = 9  # whose least delays are kept


class Clock:
    """One device.

    Args:
        leader: the clock of the sound beside it, where this is of pictures.

    Attributes:
        shift: s, added to timestamps; None before the first.
    """

    def __init__(self, leader: Clock | None = None) -> None:
        self.shift: float | None = None
        self._leader = leader
        self._least: deque[float] = deque(maxlen=_SECONDS)  # s, arrival less timestamp, in each second that is over
        self._second, self._lowest = 0, float("inf")
        self._anchor = (0.0, 0.0)  # shift and arrival of the first item

    def at(self, timestamp: float, arrived: float) -> float:
        """Session time (s) of an item with this timestamp that arrived at this session time."""
        delay = arrived - timestamp
        if self.shift is None:
            self.shift, self._second, self._anchor = delay, int(arrived), (delay, arrived)
        if int(arrived) > self._second:
            self._least.append(self._lowest)
            self._second, self._lowest = int(arrived), delay
        self._lowest = min(self._lowest, delay)
        if self._leader is not None:
            self.shift += self.error - self._leader.error
        elif abs(self.error) > TOLERANCE:
            shift, since = self._anchor
            self.shift = min(self.shift + self.error, shift + TOLERANCE + WORST * (arrived - since))
        return timestamp + self.shift

    @property
    def running(self) -> bool:
        """Whether it is anchored."""
        return self.shift is not None

    def restart(self) -> None:
        """The device was opened again: its timestamps begin anew."""
        self.shift = None
        self._least.clear()
        self._lowest = float("inf")

    @property
    def error(self) -> float:
        """s by which items come later than their session time says, apart from what delays single ones."""
        return 0.0 if self.shift is None or not self._least else median(self._least) - self.shift
