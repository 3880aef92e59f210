"""Pictures, sound and words pushed from a program, emotions back as they are known.

    with Recognizer() as recognizer, recognizer.live(audio=True, video=True) as live:
        for rgb, samples, seconds in camera:                 # your loop
            live.picture(rgb, seconds)
            live.sound(samples, seconds, 48_000)
            for event in live.ready():
                print(event.start, event.emotion)

Recognising happens in a thread of the session's own, which ends with it.  Sessions of one recogniser share its engines.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask, Modality

if TYPE_CHECKING:
    from emoje_edge.perception.live.pushed import Pushed
    from emoje_edge.utterance_emotion import UtteranceEmotion

_WAITING = 1000  # events that nobody has taken; then recognising waits
_OVER = object()


class LiveRecognizer(Protocol):
    """What a session needs of a recogniser."""

    mask: Mask
    pose_fps: float

    def follow(
        self, source: Pushed, *, partial: float | None = None
    ) -> Generator[tuple[Any, UtteranceEmotion], None, None]:
        """What is perceived of a source, and the emotion, utterance by utterance."""
        ...


class Live(AbstractContextManager["Live"]):
    """One session.  Push from one thread; take events from any.

    Args:
        recognizer: whose engines answer; its mask tells what may be pushed.
        video, audio, words: what will be pushed.  Words tell who spoke when; else the sound does, else windows of three
            seconds.
        drop: where the machine is slower than a camera, let old pictures go instead of making `picture` wait.
        callback: called with each event, in the session's thread, instead of keeping it for `ready` and iteration.
        name: `source` of the events.
        partial: every so many seconds, an event also of an utterance that is still open (`final` False).

    Raises:
        UsageError: nothing will be pushed, or what the recogniser's mask leaves out.
    """

    def __init__(
        self,
        recognizer: LiveRecognizer,
        *,
        video: bool = False,
        audio: bool = False,
        words: bool = False,
        drop: bool = False,
        callback: Callable[[UtteranceEmotion], None] | None = None,
        name: str = "live",
        partial: float | None = None,
    ) -> None:
        from emoje_edge.perception.live.pushed import Pushed

        given = {Modality.TEXT: words, Modality.AUDIO: audio, Modality.POSE: video}
        wanted = [m for m, will_come in given.items() if will_come]
        if not wanted or not Mask.of(wanted).issubset(recognizer.mask):
            raise UsageError(
                f"a live session of {', '.join(wanted) or 'nothing'} for a recogniser of {recognizer.mask}",
                "give video=True, audio=True or words=True, within the recogniser's mask",
            )
        self._recognizer, self._callback, self._partial = recognizer, callback, partial
        self._source = Pushed(video=video, audio=audio, words=words, fps=recognizer.pose_fps, drop=drop, name=name)
        self._events: queue.Queue[Any] = queue.Queue(_WAITING)
        self._left = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"live {name}", daemon=True)
        self._thread.start()

    def picture(self, rgb: NDArray[Any], time: float) -> None:
        """A picture, uint8 [H, W, 3] RGB, at `time` s of the session; it is copied.

        Raises:
            UsageError: another shape or type, or a time that does not rise.
        """
        self._check()
        self._source.picture(rgb, time)

    def sound(self, samples: NDArray[Any], time: float, rate: int) -> None:
        """Samples as `Recognizer.recognize` takes them, at `rate` Hz, the first at `time` s.

        Raises:
            UsageError: another shape or type, or a time that does not rise.
        """
        self._check()
        self._source.sound(samples, time, rate)

    def words(self, text: str, start: float, end: float, speaker: str | None = None) -> None:
        """What was said from `start` to `end` s, and by whom.

        Raises:
            UsageError: no words, or an end before the start.
        """
        self._check()
        self._source.words(text, start, end, speaker)

    def end(self) -> None:
        """Nothing more will be pushed: iterating ends after the last utterance."""
        self._source.end()

    @property
    def dropped_pictures(self) -> int:
        """Pictures that were let go so far."""
        return self._source.inbox.dropped_pictures

    def ready(self) -> Iterator[UtteranceEmotion]:
        """Events that are there now, without waiting."""
        while not self._events.empty():
            event = self._take()
            if event is None:
                return
            yield event

    def __iter__(self) -> Iterator[UtteranceEmotion]:
        """Events as they come, until the session has ended."""
        while (event := self._take()) is not None:
            yield event

    async def __aiter__(self) -> AsyncIterator[UtteranceEmotion]:
        """Likewise, without holding up an event loop."""
        while (event := await asyncio.to_thread(self._take)) is not None:
            yield event

    def _take(self) -> UtteranceEmotion | None:
        event = self._events.get()
        if event is not _OVER:
            return event  # type: ignore[no-any-return]
        self._events.put(_OVER)  # for whoever asks next
        self._check()
        return None

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            with closing(self._recognizer.follow(self._source, partial=self._partial)) as pairs:
                for _, event in pairs:
                    if self._callback:
                        self._callback(event)
                    else:
                        self._keep(event)
        except BaseException as error:  # handed to who pushes and who takes
            self._error = error
            self._source.end()
        self._keep(_OVER)

    def _keep(self, event: Any) -> None:
        """Wait for room; once the session is left, events beyond it go, and the last thing kept is that it is over."""
        while True:
            try:
                return self._events.put(event, timeout=0.1)
            except queue.Full:
                if self._left.is_set():
                    if event is not _OVER:
                        return
                    self._events.get_nowait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the session and its thread; what is still open is recognised first."""
        self._source.end()
        self._left.set()
        self._thread.join()
