"""A camera, a microphone or a network stream: read in threads of its own, and opened again when it is lost.

Times are seconds since the first picture or sound and rise over reconnects, so that the rows of one session are of one
time line.  What was lost is told as a gap.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from numbers import Integral
from pathlib import Path
from types import TracebackType
from typing import Any

from emoje_edge.addresses import masked
from emoje_edge.errors import EmojeError, UsageError
from emoje_edge.perception.live.clock import Clock
from emoje_edge.perception.live.inbox import Inbox, Item
from emoje_edge.perception.live.reader import Gap, Reader, SessionTime
from emoje_edge.perception.media import LONG_SIDE, Media
from emoje_edge.perception.sources import is_live

LONG_GAP = 30.0  # s, after which what was said before counts no longer
_JOIN = 1.0  # s that closing waits for a reader: one in the middle of a dead connection ends by itself

log = logging.getLogger(__name__)


def is_stream(source: object) -> bool:
    """Whether a source is a camera, a microphone or a network stream: it does not wait, and may be lost."""
    return isinstance(source, str) and source != "-" and is_live(source)


def opened(source: object, *, http: bool = False) -> Any:
    """A source as perception takes it: a stream opened, a camera's number as a stream, all else as it is.

    Raises:
        UsageError: what is no source.
        WorkError: a stream that cannot be opened.
    """
    if isinstance(source, Integral) and not isinstance(source, bool):
        source = f"webcam:{source}"
    if is_stream(source):
        return LiveStream([str(source)], http=http)
    if isinstance(source, (str, Path)) or hasattr(source, "decode"):
        return source
    if hasattr(source, "read"):
        raise UsageError(
            f"a {type(source).__name__} is no source", "give a path; write bytes that are in memory to a file before"
        )
    raise UsageError(
        f"a {type(source).__name__} is no source",
        "give a path, an address or a camera's number; pictures and sound that a program has are pushed: "
        "with recognizer.live(video=True) as live: live.picture(rgb, seconds)",
    )


class LiveStream(AbstractContextManager["LiveStream"]):
    """One source, or a camera with a microphone beside it.

    Args:
        sources: as `Media` takes them; the first one's name is the stream's.
        reconnect: s for which a lost stream is tried for; None: for ever; 0: not at all.
        http: addresses of `http(s)://` may be opened.

    Attributes:
        info: what there is.
        inbox: what waits, and what had to go.
        session: its time.
        reconnects: so far.

    Raises:
        UsageError, WorkError: as `Media`, of the first time each source is opened.
    """

    def __init__(
        self,
        sources: Sequence[str],
        *,
        reconnect: float | None = None,
        http: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.reconnects = sources[0], 0
        self.inbox, self.session = Inbox(clock), SessionTime(clock)
        self.stop = threading.Event()
        self._reconnect, self._http = reconnect, http
        self._gaps: deque[Gap] = deque()
        self._forget: deque[float] = deque()
        self._threads: list[threading.Thread] = []
        self._first: list[Media] = []
        self._slow_told = False
        try:
            for source in sources:
                self._first.append(Media(source, http=http))
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

    def status(self, start: float, end: float, pose_fps: float) -> dict[str, Any]:
        """What a row from `start` to `end` s tells of the stream, at this moment.

        Args:
            pose_fps: pictures a second that were asked for.
        """
        began = datetime.fromtimestamp((self.session.began or time.time()) + start, timezone.utc)
        return {
            "time": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "lag_ms": max(0, round(1000 * (self.session.now - end))),
            "dropped_pictures": self.inbox.dropped_pictures,
            "pose_fps": round(pose_fps / self.inbox.pace.step, 2),
            "reconnects": self.reconnects,
        }

    def gaps(self) -> Iterator[Gap]:
        """Gaps that are over and were not asked for before."""
        while self._gaps:
            yield self._gaps.popleft()

    def came_back(self, gap: Gap) -> None:
        """Called by a reader that opened its source again."""
        self.reconnects += 1
        self._gaps.append(gap)
        if gap.end - gap.start >= LONG_GAP:
            self._forget.append(gap.end)

    def forgets(self, start: float) -> bool:
        """Whether an utterance from `start` s is the first after so long a gap that the dialogue begins anew."""
        long_ago = False
        while self._forget and self._forget[0] <= start:
            self._forget.popleft()
            long_ago = True
        return long_ago

    def decode(
        self, *, video: bool = True, audio: bool = True, fps: float | None = None, long_side: int | None = LONG_SIDE
    ) -> Iterator[Item]:
        """Pictures and sound as they come, until the stream is given up or closed; as `Media.decode`.

        Raises:
            WorkError: the stream was lost and did not come back in time.
        """
        seen = next((n for n, media in enumerate(self._first) if media.info.has_video), None)
        heard = next((n for n, media in reversed([*enumerate(self._first)]) if media.info.has_audio), None)
        clocks = {n: Clock() for n in range(len(self._first))}
        if seen != heard and seen is not None and heard is not None and video and audio:
            clocks[seen] = Clock(clocks[heard])
        for number, media in enumerate(self._first):
            wanted = {"video": video and number == seen, "audio": audio and number == heard}
            reader = Reader(
                self,
                media,
                partial(Media, media.source, http=self._http),
                {**wanted, "fps": fps, "long_side": long_side},
                clock=clocks[number],
                patience=self._reconnect,
            )
            if any(wanted.values()):
                self._threads.append(threading.Thread(target=reader.run, name=f"reader {number}", daemon=True))
            else:
                media.__exit__(None, None, None)
        if not self._threads:
            return
        for thread in self._threads:
            thread.start()
        for item in self.inbox:
            self._tell_if_slow()
            yield item

    def _tell_if_slow(self) -> None:
        """One note, the first time that pictures are more than this machine can look at."""
        if self.inbox.pace.step > 1 and not self._slow_told:
            self._slow_told = True
            log.warning(
                "%s: bodies are looked for in fewer pictures, since this machine does not keep up (`pose_fps` of the "
                "rows); it goes back up by itself.  For good: --pose-fps 6, or --mask text,audio",
                self,
            )

    def close(self) -> None:
        """Leave off: who iterates over `decode` comes to its end."""
        self.stop.set()
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
