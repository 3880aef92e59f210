"""The thread that reads one device or address of a live stream, and opens it again when it is lost."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from emoje_edge.addresses import masked
from emoje_edge.errors import EmojeError, WorkError
from emoje_edge.perception.live.clock import Clock
from emoje_edge.perception.live.inbox import Inbox, Lost
from emoje_edge.perception.media import Media

FIRST_WAIT, LONGEST_WAIT, SPREAD = 1.0, 30.0, 0.2  # s before trying again, doubling, and how far chance moves it
_SETTLED = 5.0  # s after opening, in which a server may send what it had kept
_BEHIND, _CAUGHT_UP = 3.0, 1.0  # s of lag from which only key pictures are decoded, and until when
_SLICE = 1.0  # s of waiting after which whoever iterates is told that the stream is still away

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gap:
    """Time (s of the session) of which nothing is known, and why."""

    start: float
    end: float
    why: str


class SessionTime:
    """Seconds since the first picture or sound of a session, for several threads.

    Attributes:
        began: wall clock at 0, s since 1970; None before anything came.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.began: float | None = None
        self._origin = 0.0
        self.lock = threading.Lock()

    @property
    def now(self) -> float:
        """What arrives at this moment has this time."""
        return self.clock() - self._origin if self.began is not None else 0.0

    def start(self) -> None:
        """The first thing has come; harmless after that."""
        if self.began is None:
            self.began, self._origin = time.time(), self.clock()

    def not_before(self, at: float) -> None:
        """Something of this time has come, and nothing comes before it happened: the session began earlier."""
        ahead = at - self.now
        if ahead > 0 and self.began is not None:
            self.began, self._origin = self.began - ahead, self._origin - ahead


class Stream(Protocol):
    """What a reader tells of what it reads."""

    inbox: Inbox
    session: SessionTime
    stop: threading.Event

    def came_back(self, gap: Gap) -> None: ...


class Reader:
    """One source's thread.

    Args:
        stream: gets what is read.
        media: the source, open.
        again: opens it again.
        options: of `Media.decode`.
        clock: the device's.
        patience: s for which it is tried for when it is lost; None: for ever.
    """

    def __init__(
        self,
        stream: Stream,
        media: Media,
        again: Callable[[], Media],
        options: dict[str, object],
        *,
        clock: Clock,
        patience: float | None,
    ) -> None:
        self._stream, self._media, self._open = stream, media, again
        self._options, self._clock, self._patience = options, clock, patience
        self._last = 0.0  # s, of what came last
        self._settled = 0.0  # s, from which the source sends what happens now
        self._name = masked(str(media.source))

    def run(self) -> None:
        """Read until told to stop, or until the stream stays lost for too long."""
        error: BaseException | None = None
        media: Media | None = self._media
        try:
            while media is not None and not self._stream.stop.is_set():
                why = self._read(media)
                media = None if self._stream.stop.is_set() else self._again(why)
        except BaseException as caught:  # handed to who iterates
            error = caught
        self._stream.inbox.end(error)

    def _read(self, media: Media) -> str:
        """Everything up to the stream's end or failure; why it ended."""
        with self._stream.session.lock:
            self._clock.restart()
        try:
            with media:
                for item in media.decode(**self._options):  # type: ignore[arg-type]
                    if media.ahead:
                        self._wait_for(item.time)
                    if self._stream.stop.is_set():
                        return "it was closed"
                    self._last = max(self._last, at := self._at(item.time))
                    self._stream.inbox.put(replace(item, time=at))
                    behind = self._stream.session.now - at
                    if behind > _BEHIND or behind < _CAUGHT_UP:
                        media.hurry(behind > _BEHIND)
        except EmojeError as error:
            return self._without_name(error)
        return "the other side ended it"

    def _wait_for(self, timestamp: float) -> None:
        """What a playlist brings seconds ahead, and all at once, is taken at its time."""
        if self._clock.shift is not None:
            self._stream.stop.wait(max(0.0, timestamp + self._clock.shift - self._stream.session.now))

    def _at(self, timestamp: float) -> float:
        """Session time of an item that arrives now."""
        session = self._stream.session
        with session.lock:
            session.start()
            arrived = session.now
            if not self._clock.running:
                # what comes after a gap is later than what was before it, whatever the timestamps say
                arrived = max(arrived, self._last)
                self._settled = arrived + _SETTLED
            at = self._clock.at(timestamp, arrived)
            if arrived < self._settled:
                session.not_before(at)
            return at

    def _again(self, why: str) -> Media | None:
        """The stream opened again; None where it was closed meanwhile.

        Raises:
            WorkError: it did not come back in time.
        """
        stream, clock = self._stream, self._stream.session.clock
        lost, since, wait = max(stream.session.now, self._last), clock(), FIRST_WAIT
        last = why
        if self._patience != 0:
            log.warning("%s is lost at %.1f s: %s; it is tried for again", self._name, lost, why)
        while not stream.stop.is_set():
            left = float("inf") if self._patience is None else self._patience - (clock() - since)
            if left <= 0:
                raise WorkError(
                    f"{self._name} was lost at {lost:.1f} s: {last}",
                    "is the camera or its server on? --reconnect 60s tries for longer; rows found so far are kept",
                )
            self._wait(min(wait * random.uniform(1 - SPREAD, 1 + SPREAD), left), lost)
            if stream.stop.is_set():
                return None
            try:
                media = self._open()
            except EmojeError as error:
                last, wait = self._without_name(error), min(2 * wait, LONGEST_WAIT)
                continue
            stream.came_back(Gap(lost, max(stream.session.now, lost), why))
            return media
        return None

    def _wait(self, seconds: float, lost: float) -> None:
        """Wait, and tell meanwhile that the stream is away: who was speaking is not waited for any longer."""
        stream = self._stream
        while seconds > 0 and not stream.stop.is_set():
            stream.inbox.put(Lost(max(stream.session.now, lost), sound=bool(self._options["audio"])))
            stream.stop.wait(min(seconds, _SLICE))
            seconds -= _SLICE

    def _without_name(self, error: EmojeError) -> str:
        """What an error says, after the stream's name was said."""
        return error.message.removeprefix(self._name).lstrip(": ")
