"""Who spoke from when to when: from subtitle cues, else from voice activity (voice_activity.py), else fixed windows.

Each way is a small stream machine fed with time as it passes; it hands out an utterance as soon as that is closed and
holds nothing of what came before `horizon`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field

from emoje_edge.errors import UsageError
from emoje_edge.perception.media import AudioBlock
from emoje_edge.shapes import LONGEST

SHORTEST = 0.4  # s; shorter sounds are no utterance


@dataclass(frozen=True)
class Utterance:
    """From `start` to `end` (s); who and what where a cue says so; `spoken` is False where no voice was heard.

    Args:
        lead, tail: s before the start and after the end in which nobody speaks, and which the ears hear with it: a
            voice is measured against the quiet around it.
    """

    start: float
    end: float
    speaker: str | None = None
    text: str | None = None
    spoken: bool = True
    lead: float = field(default=0.0, compare=False)
    tail: float = field(default=0.0, compare=False)


class Segmenter(ABC):
    """Turns passing time into utterances, in time order."""

    @property
    @abstractmethod
    def horizon(self) -> float:
        """s: no utterance to come starts before it."""

    def add_audio(self, block: AudioBlock) -> list[Utterance]:
        """Take sound; the utterances that it closed."""
        return []

    @property
    def open_utterance(self) -> Utterance | None:
        """The utterance that is open, up to where somebody was last heard to speak."""
        return None

    def close_before(self, time: float) -> list[Utterance]:
        """Of what was before `time` (s) nothing more will come; the utterances that this closed."""
        return self.advance(time)

    @abstractmethod
    def advance(self, time: float) -> list[Utterance]:
        """The source was read up to `time` (s); the utterances that this closed."""

    @abstractmethod
    def finish(self, end: float) -> list[Utterance]:
        """The source ended at `end` (s); the utterances that were still open."""


class Cues(Segmenter):
    """Utterances known from the start: each is handed out once its beginning is reached."""

    def __init__(self, cues: list[Utterance]) -> None:
        self._cues = deque(sorted(cues, key=lambda cue: (cue.start, cue.end)))

    @property
    def horizon(self) -> float:
        return self._cues[0].start if self._cues else math.inf

    def advance(self, time: float) -> list[Utterance]:
        reached = []
        while self._cues and self._cues[0].start <= time:
            reached.append(self._cues.popleft())
        return reached

    def finish(self, end: float) -> list[Utterance]:
        """The last ones; cues beyond the end belong to another cut of the video."""
        return self.advance(end)


class PushedUtterances(Segmenter):
    """Utterances come with the source, each after it was said: what may still be told of is kept."""

    KEPT = 30.0  # s

    def __init__(self) -> None:
        self._now = -math.inf

    @property
    def horizon(self) -> float:
        return self._now - self.KEPT

    def advance(self, time: float) -> list[Utterance]:
        self._now = max(self._now, time)
        return []

    def finish(self, end: float) -> list[Utterance]:
        return []


class Windows(Segmenter):
    """Overlapping windows of one length, for sources without words or sound.

    Args:
        window, hop: s.

    Raises:
        UsageError: not 0.4 s <= window <= 7.68 s, or not 0 < hop <= window.
    """

    def __init__(self, window: float = 3.0, hop: float = 1.5) -> None:
        if not SHORTEST <= window <= LONGEST:
            raise UsageError(f"windows of {window} s", f"allowed: {SHORTEST} to {LONGEST} s")
        if not 0 < hop <= window:
            raise UsageError(f"a hop of {hop} s between windows of {window} s", "give more than 0, at most the window")
        self._window, self._hop = window, hop
        self._start: float | None = None
        self._end = -math.inf

    @property
    def horizon(self) -> float:
        return -math.inf if self._start is None else self._start

    def advance(self, time: float) -> list[Utterance]:
        if self._start is None:
            self._start = time
        closed = []
        while self._start + self._window <= time:
            self._end = self._start + self._window
            closed.append(Utterance(self._start, self._end))
            self._start += self._hop
        return closed

    def finish(self, end: float) -> list[Utterance]:
        """The rest, where it holds more than the windows before it, or is all there is."""
        closed = self.advance(end)
        assert self._start is not None
        if end - max(self._end, self._start) >= SHORTEST or (self._end == -math.inf and end > self._start):
            closed.append(Utterance(self._start, end))
        return closed
