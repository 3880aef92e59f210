"""Who speaks when: a stream of judged frames to utterances, split where speech is least likely."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.media import AudioBlock
from emoje_edge.perception.segmentation import LONGEST, SHORTEST, Segmenter, Utterance
from emoje_edge.perception.speech import LevelledSpeech

MARGIN = 0.3  # s of quiet around an utterance that is heard with it, at most


class Detector(Protocol):
    """Judges frame by frame whether somebody speaks; a new one for each recording.

    Attributes:
        frame: samples of a frame.
        batch: frames that are best judged in one go.
    """

    frame: int
    batch: int

    def levels(self, samples: NDArray[np.float32]) -> NDArray[np.floating]:
        """A number a frame, the higher the surer that it is speech: [F * frame] -> [F]."""
        ...

    def speaks(self, level: float, *, within: bool) -> bool:
        """Whether a frame of this level, the next in time, is speech; `within` an utterance less is enough."""
        ...


class VoiceActivity(Segmenter):
    """Utterances from the moments in which somebody speaks.

    One begins with two frames of speech and ends after 0.5 s without.  One that becomes long is to end in time and not
    in a word: from 5.68 s on the first frame without speech ends it; at 7.68 s it is cut at the frame of the last 0.5 s
    that is least likely speech, so that a live row is never later than after a pause.

    Args:
        fill: s.  Where nobody speaks for that long, such a window stands in (`spoken` False), so that somebody who
            is seen and silent is not lost.  None: silence is passed over.
        detector: finds speech; None: Silero's network.
    """

    _HANGOVER, _ONSET, _LEAD = 0.5, 0.06, 0.07  # s; the last: how much earlier than its first frame one begins
    _LONG, _BACK = LONGEST - 2.0, 0.5  # s, from which any pause ends it; how far back it is cut where none comes
    _PATIENCE = 10.0  # s that sound may lag behind the picture in the file

    def __init__(self, fill: float | None = None, detector: Detector | None = None) -> None:
        self._fill = fill
        self._detector: Detector = LevelledSpeech() if detector is None else detector
        self._step = self._detector.frame / SAMPLE_RATE
        self._now: float | None = None  # s, up to which frames were judged
        self._rest = np.zeros(0, dtype=np.float32)
        self._run = 0  # frames of speech in a row
        self._start: float | None = None  # s, of the open utterance
        self._last = 0.0  # s, end of its last frame of speech
        self._frames: deque[float] = deque(maxlen=round(self._BACK / self._step))
        self._gap = 0.0  # s, end of what was handed out
        self._spoken_until = -math.inf  # s, end of the utterance before
        self._any = False

    @property
    def horizon(self) -> float:
        if self._now is None:
            return -math.inf
        if self._start is not None:
            return self._start
        return self._gap if self._fill else max(self._gap, self._now - self._LEAD - self._run * self._step)

    @property
    def open_utterance(self) -> Utterance | None:
        if self._start is None or self._last <= self._start:
            return None
        return Utterance(self._start, self._last, lead=min(MARGIN, self._start - self._spoken_until))

    def add_audio(self, block: AudioBlock) -> list[Utterance]:
        closed = []
        heard = block.time if self._now is None else self._now + self._rest.size / SAMPLE_RATE
        if self._now is None:
            self._now = block.time
        elif block.time - heard > 0.1:
            closed += self._skip(block.time)
        # what is older than what was judged comes too late
        late = max(0, round((heard - block.time) * SAMPLE_RATE)) if heard - block.time > 0.1 else 0
        self._rest = np.concatenate([self._rest, block.samples[late:]])
        return closed + self._judge_rest(self._detector.batch)

    def advance(self, time: float) -> list[Utterance]:
        if self._now is None:
            self._now = self._gap = min(time, 0.0)
        return self._skip(time) if time - self._now > self._PATIENCE else []

    def close_before(self, time: float) -> list[Utterance]:
        return [] if self._now is None else self._skip(max(time, self._now))

    def finish(self, end: float) -> list[Utterance]:
        if self._now is None:
            self._now = 0.0
        closed = self._skip(max(end, self._now))
        left = end - self._gap
        if self._fill and (left >= self._fill / 2 or (not self._any and left > 0)):
            closed.append(Utterance(self._gap, end, spoken=False))
        return closed

    def _judge_rest(self, batch: int) -> list[Utterance]:
        """Judge the frames that are whole, in multiples of `batch`."""
        frame = self._detector.frame
        whole = self._rest.size // (frame * batch) * frame * batch
        samples, self._rest = self._rest[:whole], self._rest[whole:]
        closed = []
        for level in self._detector.levels(samples):
            closed += self._judge(float(level))
        return closed

    def _judge(self, level: float) -> list[Utterance]:
        """One frame further."""
        assert self._now is not None
        self._now += self._step
        speech = self._detector.speaks(level, within=self._start is not None)
        self._run = self._run + 1 if speech else 0
        if self._start is None:
            if self._run * self._step >= self._ONSET:
                self._start = max(self._gap, self._now - self._run * self._step - self._LEAD)
                self._last = self._now
                self._frames.clear()
            return self._filled()
        self._frames.append(level)
        if speech:
            self._last = self._now
        silent = self._now - self._last
        if silent >= self._HANGOVER or (silent > 0 and self._last - self._start >= self._LONG):
            return self._close(self._last, silent)
        if self._now - self._start >= LONGEST:
            return self._split()
        return []

    def _close(self, end: float, quiet: float) -> list[Utterance]:
        """Hand out what is open, up to `end`, after which it is quiet for so many seconds."""
        start, self._start = self._start, None
        assert start is not None
        if end - start < SHORTEST:
            return []
        lead, tail = min(MARGIN, start - self._spoken_until), min(MARGIN, max(0.0, quiet))
        self._gap = self._spoken_until = end
        self._any = True
        return [Utterance(start, end, lead=lead, tail=tail)]

    def _split(self) -> list[Utterance]:
        """Cut an utterance that is as long as can be where speech is least likely; the rest begins the next one."""
        assert self._now is not None
        back = len(self._frames) - 1 - int(np.argmin(self._frames))
        cut = self._now - back * self._step
        closed = self._close(cut, 0.0)
        self._start = cut
        self._frames.clear()
        return closed

    def _filled(self) -> list[Utterance]:
        """Windows for the time in which nobody spoke; what may still turn out an utterance's beginning is kept."""
        closed: list[Utterance] = []
        assert self._now is not None
        sure = (self._now if self._start is None else self._start) - self._LEAD - self._run * self._step
        while self._fill and self._gap + self._fill <= sure:
            closed.append(Utterance(self._gap, self._gap + self._fill, spoken=False))
            self._gap, self._any = self._gap + self._fill, True
        return closed

    def _skip(self, time: float) -> list[Utterance]:
        """Nothing is to be heard until `time`."""
        closed = self._judge_rest(1)
        if self._start is not None:
            assert self._now is not None
            closed += self._close(min(self._last, time), self._now - self._last)
        self._rest = self._rest[:0]
        self._now, self._run = time, 0
        return closed + self._filled()
