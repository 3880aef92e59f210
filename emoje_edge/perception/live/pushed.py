"""Pictures and sound that a program hands over, as a source that perception reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.perception.live.inbox import Inbox, Item
from emoje_edge.perception.media import LONG_SIDE, AudioBlock, MediaInfo, VideoFrame
from emoje_edge.perception.segmentation import Utterance
from emoje_edge.perception.sound import checked_samples
from emoje_edge.shapes import SAMPLE_RATE


class Pushed(AbstractContextManager["Pushed"]):
    """A source that is fed by calls.

    Args:
        video, audio, words: which of them will come.  With words, these tell the utterances.
        fps: most pictures a second that are looked at; None: all.
        drop: where the machine is slower than what is pushed, old pictures go (a camera's loop never waits); else the
            call waits, and nothing is lost.
        name: what the rows call it.
    """

    def __init__(
        self,
        *,
        video: bool,
        audio: bool,
        words: bool = False,
        fps: float | None = None,
        drop: bool = False,
        name: str = "live",
    ) -> None:
        self.name, self.has_words = name, words
        self.info = MediaInfo(None, has_video=video, has_audio=audio)
        self.inbox = Inbox(waits=not drop)
        self._fps = fps
        self._next_picture = float("-inf")
        self._last = {"picture": float("-inf"), "sound": float("-inf")}

    def __str__(self) -> str:
        return self.name

    def picture(self, rgb: NDArray[Any], time: float) -> None:
        """A picture, uint8 [H, W, 3] RGB, at `time` s; those beyond the rate that is looked at are passed over.

        Raises:
            UsageError: another shape or type, or a time that does not rise.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
            raise UsageError(f"a picture of {rgb.dtype} {list(rgb.shape)}", "give uint8 [height, width, 3], RGB")
        self._rise("picture", time)
        if not self.info.has_video or time < self._next_picture:
            return
        if self._fps:
            slot = 1 / self._fps  # of a steady grid, begun anew after a pause
            self._next_picture = time + slot if time - self._next_picture > slot else self._next_picture + slot
        self.inbox.put(VideoFrame(time, _small(rgb)))

    def sound(self, samples: NDArray[Any], time: float, rate: int) -> None:
        """Samples as `Recognizer.recognize` takes them, the first of them at `time` s.

        Raises:
            UsageError: another shape or type, or a time that does not rise.
        """
        mono = checked_samples((samples, rate))
        self._rise("sound", time)
        if self.info.has_audio and len(mono):
            self.inbox.put(AudioBlock(time, mono))
            self._last["sound"] = time + (len(mono) - 1) / SAMPLE_RATE - 0.05  # clocks of devices are not exact

    def words(self, text: str, start: float, end: float, speaker: str | None = None) -> None:
        """What was said from `start` to `end` s, by whom where that is known: an utterance of its own.

        Raises:
            UsageError: no words, or an end before the start.
        """
        if not self.has_words:
            raise UsageError("words for a session that was opened without", "open it with words=True")
        if not text.strip() or not start < end:
            raise UsageError(f"words {text!r} from {start:g} to {end:g} s", "give words, and an end after the start")
        self.inbox.put(Utterance(start, end, speaker, text))

    def decode(
        self, *, video: bool = True, audio: bool = True, fps: float | None = None, long_side: int | None = LONG_SIDE
    ) -> Iterator[Item]:
        """As `Media.decode`, of what is pushed, until `end`."""
        yield from self.inbox

    def end(self) -> None:
        """Nothing more will be pushed."""
        self.inbox.end()

    def _rise(self, kind: str, time: float) -> None:
        if not time > self._last[kind]:
            raise UsageError(f"{kind} at {time:g} s after one at {self._last[kind]:g} s", "times of a kind rise")
        self._last[kind] = time

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of the caller's picture, no longer than perception's pictures are."""
    step = -(-max(rgb.shape[:2]) // LONG_SIDE)
    return np.ascontiguousarray(rgb[::step, ::step]) if step > 1 else rgb.copy()
