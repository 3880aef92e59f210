"""Sources into the hub: each in a thread of its own, with one recogniser for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Any

from emoje_edge.addresses import masked
from emoje_edge.errors import EmojeError
from emoje_edge.serve.hub import Hub

if TYPE_CHECKING:
    from emoje_edge.perception.bodies.estimator import Body
    from emoje_edge.perception.live.stream import LiveStream
    from emoje_edge.recognizer import Recognizer

EVERY = 1.0  # s between two words on how a source does
PARTIAL = 2.0  # s between two words on an utterance that is still open
HUNG = 15.0  # s without a sign of the loop that recognises: longer than a stream may take to be opened


class Feed:
    """One source.  A context manager: inside it the source is read.

    A file is played at its own pace, so that the page shows it as it would show a camera.

    Args:
        source: as `Recognizer.follow` takes it.
        reconnect: s for which a lost stream is tried for; None: for ever.
    """

    def __init__(self, recognizer: Recognizer, hub: Hub, source: str, *, reconnect: float | None = None) -> None:
        self._recognizer, self._hub, self._source, self._reconnect = recognizer, hub, source, reconnect
        self._name = masked(source)
        self._stop = threading.Event()
        self._stream: LiveStream | None = None
        self._began = self._told = 0.0
        self._sign = time.monotonic()
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"feed {self._name}", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it is over, or its loop went round lately."""
        return self.over.is_set() or time.monotonic() - self._sign < HUNG

    def _run(self) -> None:
        self._hub.state(self._name, {"state": "opening"})
        try:
            self._follow()
            self._hub.state(self._name, {"state": "over"})
        except EmojeError as error:
            self._hub.state(self._name, {"state": "lost", "note": error.message})
        finally:
            self.over.set()

    def _follow(self) -> None:
        from emoje_edge.perception.live.stream import LiveStream, is_stream

        self._began = time.monotonic()
        if is_stream(self._source):
            self._stream = LiveStream([self._source], reconnect=self._reconnect, http=self._recognizer.allow_http)
        pairs = self._recognizer.follow(
            self._stream or self._source, progress=self._at, watch=self._see, partial=PARTIAL
        )
        with closing(pairs):
            for _, event in pairs:
                self._gaps()
                if event.final:
                    self._hub.row("row", event.to_dict())
                else:
                    self._hub.passing("open", event.to_dict())
                if self._stop.is_set():
                    return

    def _at(self, seconds: float) -> None:
        """The source was read up to here: keep a file's pace, and say how it does."""
        self._sign = time.monotonic()
        if self._stream is None:
            self._stop.wait(max(0.0, seconds - (time.monotonic() - self._began)))
        self._gaps()
        if time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            status: dict[str, Any] = {}
            if self._stream:
                status = self._stream.status(seconds, seconds, self._recognizer.pose_fps)
            self._hub.state(self._name, {"state": "live", **status})

    def _gaps(self) -> None:
        for gap in self._stream.gaps() if self._stream else ():
            self._hub.row("gap", {"source": self._name, "start": gap.start, "end": gap.end, "why": gap.why})

    def _see(self, seconds: float, bodies: Sequence[Body], aspect: float) -> None:
        """Joints in shares of the picture, rounded: a page needs no more."""
        people = [
            [[round(float(x) / aspect, 4), round(float(y), 4), round(float(v), 2)] for x, y, v in body.joints]
            for body in bodies
        ]
        self._hub.passing(
            "pose", {"source": self._name, "time": round(seconds, 3), "aspect": round(aspect, 4), "people": people}
        )

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._stream:
            self._stream.close()
        self._thread.join(2.0)
