"""A camera, a microphone or a network stream: read in a thread of its own, and opened again when it is lost.

Times are seconds since the first picture or sound and rise over reconnects, so that the rows of one session are of one
time line.  What was lost is told as a gap.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

from emoje_edge.addresses import masked
from emoje_edge.errors import EmojeError, WorkError
from emoje_edge.perception.live.clock import Clock
from emoje_edge.perception.live.inbox import Inbox, Lost
from emoje_edge.perception.media import LONG_SIDE, AudioBlock, Media, VideoFrame
from emoje_edge.perception.segmentation import Utterance
from emoje_edge.perception.sources import is_live

FIRST_WAIT, LONGEST_WAIT, SPREAD = 1.0, 30.0, 0.2  # s before trying again, doubling, and how far chance moves it
_JOIN = 1.0  # s that closing waits for a reader: one in the middle of a dead connection ends by itself


def is_stream(source: object) -> bool:
    """Whether a source is a camera, a microphone or a network stream: it does not wait, and may be lost."""
    return isinstance(source, str) and source != "-" and is_live(source)


@dataclass(frozen=True)
class Gap:
    """Time (s of the session) of which nothing is known, and why."""

    start: float
    end: float
    why: str


class LiveStream(AbstractContextManager["LiveStream"]):
    """One source, or a camera with a microphone beside it.

    Args:
        sources: as `Media` takes them; the first one's name is the stream's.
        reconnect: s for which a lost stream is tried for; None: for ever; 0: not at all.

    Attributes:
        info: what there is.
        inbox: what waits, and what had to go.
        reconnects: so far.
        began: wall clock at session time 0, s since 1970; None before anything came.

    Raises:
        UsageError, WorkError: as `Media`, of the first time each source is opened.
    """

    def __init__(
        self,
        sources: Sequence[str],
        *,
        reconnect: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.reconnects = sources[0], 0
        self.began: float | None = None
        self.inbox = Inbox(clock)
        self._reconnect, self._clock = reconnect, clock
        self._origin = 0.0
        self._gaps: deque[Gap] = deque()
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads: list[threading.Thread] = []
        self._first: list[Media] = []
        try:
            for source in sources:
                self._first.append(Media(source))
        except EmojeError:
            self.__exit__(None, None, None)
            raise
        infos = [media.info for media in self._first]
        self.info = replace(
            infos[0],
            duration=None,
            has_video=any(info.has_video for info in infos),
            has_audio=any(info.has_audio for info in infos),
        )

    def __str__(self) -> str:
        return masked(self.name)

    @property
    def now(self) -> float:
        """Session time, s: what arrives at this moment has it."""
        return self._clock() - self._origin if self.began is not None else 0.0

    def status(self, start: float, end: float, pose_fps: float) -> dict[str, Any]:
        """What a row from `start` to `end` s tells of the stream, at this moment.

        Args:
            pose_fps: pictures a second that were asked for.
        """
        began = datetime.fromtimestamp((self.began or time.time()) + start, timezone.utc)
        return {
            "time": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "lag_ms": max(0, round(1000 * (self.now - end))),
            "dropped_pictures": self.inbox.dropped_pictures,
            "pose_fps": round(pose_fps / self.inbox.pace.step, 2),
            "reconnects": self.reconnects,
        }

    def gaps(self) -> Iterator[Gap]:
        """Gaps that are over and were not asked for before."""
        while self._gaps:
            yield self._gaps.popleft()

    def decode(
        self, *, video: bool = True, audio: bool = True, fps: float | None = None, long_side: int | None = LONG_SIDE
    ) -> Iterator[VideoFrame | AudioBlock | Lost]:
        """Pictures and sound as they come, until the stream is given up or closed; as `Media.decode`.

        Raises:
            WorkError: the stream was lost and did not come back in time.
        """
        for number, media in enumerate(self._first):
            wanted = {
                "video": video and media.info.has_video and not any(m.info.has_video for m in self._first[:number]),
                "audio": audio and media.info.has_audio and (number > 0 or len(self._first) == 1),
            }
            reader = _Reader(self, media, wanted, fps, long_side)
            thread = threading.Thread(target=reader.run, name=f"reader {number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        for item in self.inbox:
            assert not isinstance(item, Utterance)
            yield item

    def close(self) -> None:
        """Leave off: who iterates over `decode` comes to its end."""
        self._stop.set()
        self.inbox.end()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        for thread in self._threads:
            thread.join(_JOIN)
        if not self._threads:
            for media in self._first:
                media.__exit__(None, None, None)

    def _without_name(self, error: EmojeError) -> str:
        """What an error says, after the stream's name was said."""
        return error.message.removeprefix(f"{self} ")

    def _arrived(self) -> float:
        """Session time of what arrives now; the first thing starts the session."""
        with self._lock:
            if self.began is None:
                self.began, self._origin = time.time(), self._clock()
            return self._clock() - self._origin


class _Reader:
    """One source's thread."""

    def __init__(
        self, stream: LiveStream, media: Media, wanted: dict[str, bool], fps: float | None, long_side: int | None
    ) -> None:
        self._stream, self._media, self._wanted = stream, media, wanted
        self._fps, self._long_side = fps, long_side
        self._last = 0.0  # s, of what came last

    def run(self) -> None:
        """Read until told to stop, or until the stream stays lost for too long."""
        error: BaseException | None = None
        media: Media | None = self._media
        try:
            while media is not None and not self._stream._stop.is_set():
                why = self._read(media)
                media = self._again(why)
        except BaseException as caught:  # handed to who iterates
            error = caught
        self._stream.inbox.end(error)

    def _read(self, media: Media) -> str:
        """Everything up to the stream's end or failure; why it ended."""
        clock = Clock()
        try:
            with media:
                for item in media.decode(**self._wanted, fps=self._fps, long_side=self._long_side):
                    if self._stream._stop.is_set():
                        return "it was closed"
                    # a server may send ahead of its time: what comes after a gap is later all the same
                    arrived = self._stream._arrived()
                    at = clock.at(item.time, arrived if clock.shift is not None else max(arrived, self._last))
                    self._last = max(self._last, at)
                    self._stream.inbox.put(replace(item, time=at))
        except EmojeError as error:
            return self._stream._without_name(error)
        return "it ended"

    def _again(self, why: str) -> Media | None:
        """The stream opened again; None where it was closed meanwhile.

        Raises:
            WorkError: it did not come back in time.
        """
        stream = self._stream
        lost, since, wait = max(stream.now, self._last), stream._clock(), FIRST_WAIT
        while not stream._stop.is_set():
            stream.inbox.put(Lost(max(stream.now, lost)))  # who was speaking is not waited for any longer
            left = float("inf") if stream._reconnect is None else stream._reconnect - (stream._clock() - since)
            if left <= 0:
                raise WorkError(
                    f"{stream} was lost at {lost:.1f} s: {why}",
                    "is the camera or its server on? --reconnect 60s tries for longer; rows found so far are kept",
                )
            stream._stop.wait(min(wait * random.uniform(1 - SPREAD, 1 + SPREAD), left))
            if stream._stop.is_set():
                return None
            try:
                media = Media(self._media.source)
            except EmojeError as error:
                why, wait = stream._without_name(error), min(2 * wait, LONGEST_WAIT)
                continue
            stream.reconnects += 1
            stream._gaps.append(Gap(lost, max(stream.now, lost), why))
            return media
        return None
