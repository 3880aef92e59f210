"""What waits between a source that does not wait and a machine that may be slower.

Pictures: the newest wins.  Sound: nothing is dropped before 30 s of it wait.  Where pictures are dropped for two
seconds on end, only every second one is let in, then every fourth; ten seconds without a drop take that back.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from emoje_edge.perception.media import AudioBlock, VideoFrame
from emoje_edge.perception.segmentation import Utterance
from emoje_edge.shapes import SAMPLE_RATE

PICTURES = 8  # that wait at most
SOUND = 30.0  # s that wait at most
BEHIND, SLACK = 2.0, 10.0  # s of dropping before the rate halves, s without before it doubles
SLOWEST = 4  # every fourth picture
IDLE = 0.2  # s without an item


@dataclass(frozen=True)
class Lost:
    """The stream is gone at `time` (s): of what was before, nothing more will come.

    Attributes:
        sound: whether the sound is gone, too; a microphone beside a lost camera goes on.
    """

    time: float
    sound: bool = True


@dataclass(frozen=True)
class Tick:
    """Nothing came for a while: time to look whether something else is done."""


Item = VideoFrame | AudioBlock | Utterance | Lost | Tick


@dataclass
class Pace:
    """Which pictures are let in.

    Attributes:
        step: every how many-th picture.
    """

    clock: Callable[[], float] = time.monotonic
    step: int = 1
    _count: int = 0
    _first_drop: float | None = None
    _last_drop: float = field(default=float("-inf"))
    _calm_since: float | None = None

    def wanted(self) -> bool:
        """Whether the next picture is let in."""
        self._count += 1
        return self._count % self.step == 0

    def dropped(self) -> None:
        """A picture had to go."""
        now = self.clock()
        if self._first_drop is None or now - self._last_drop > BEHIND / 2:
            self._first_drop = now
        self._last_drop, self._calm_since = now, None
        if now - self._first_drop >= BEHIND and self.step < SLOWEST:
            self.step, self._first_drop = 2 * self.step, None

    def kept_up(self) -> None:
        """A picture was let in and nothing had to go."""
        now = self.clock()
        if self._calm_since is None:
            self._calm_since = now
        if self.step > 1 and now - self._calm_since >= SLACK:
            self.step, self._calm_since = self.step // 2, now


class Inbox:
    """Items in the order in which they came.  Readers put, one thread takes.

    Args:
        waits: `put` waits for room, and nothing is dropped; for who hands over a recording.

    Attributes:
        waits: as given.
        dropped_pictures: so far.
        lost_sound: s, so far.
        pace: how many of the pictures are let in.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, waits: bool = False) -> None:
        self.waits = waits
        self.dropped_pictures, self.lost_sound = 0, 0.0
        self.pace = Pace(clock)
        self._there = threading.Condition()
        self._items: deque[Item] = deque()
        self._pictures, self._sound = 0, 0.0
        self._error: BaseException | None = None
        self._over = False

    def put(self, item: Item) -> None:
        """Add an item."""
        with self._there:
            if self.waits:
                self._there.wait_for(lambda: self._over or self._has_room())
            if isinstance(item, VideoFrame):
                self._put_picture(item)
            elif isinstance(item, AudioBlock):
                self._put_sound(item)
            else:
                self._items.append(item)
            self._there.notify()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more will come: what waits is still taken, then the error is raised."""
        with self._there:
            self._over, self._error = True, error
            self._there.notify_all()

    def __iter__(self) -> Iterator[Item]:
        while True:
            with self._there:
                self._there.wait_for(lambda: self._items or self._over, IDLE)
                if not self._items and self._over:
                    break
                item = self._taken() if self._items else Tick()
            yield item
        if self._error is not None:
            raise self._error

    def _taken(self) -> Item:
        item = self._items.popleft()
        if isinstance(item, VideoFrame):
            self._pictures -= 1
        elif isinstance(item, AudioBlock):
            self._sound -= _seconds(item)
        self._there.notify_all()
        return item

    def _has_room(self) -> bool:
        return self._pictures < PICTURES and self._sound < SOUND / 2

    def _put_picture(self, picture: VideoFrame) -> None:
        if not self.pace.wanted():
            return
        if self._pictures < PICTURES:
            self._pictures += 1
            self.pace.kept_up()
        else:
            self._items.remove(next(item for item in self._items if isinstance(item, VideoFrame)))
            self.dropped_pictures += 1
            self.pace.dropped()
        self._items.append(picture)

    def _put_sound(self, block: AudioBlock) -> None:
        self._items.append(block)
        self._sound += _seconds(block)
        while self._sound > SOUND:
            oldest = next(item for item in self._items if isinstance(item, AudioBlock))
            self._items.remove(oldest)
            self._sound -= _seconds(oldest)
            self.lost_sound += _seconds(oldest)


def _seconds(block: AudioBlock) -> float:
    return len(block.samples) / SAMPLE_RATE
