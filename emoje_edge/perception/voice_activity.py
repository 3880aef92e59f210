"""Voice activity: where somebody speaks, told by the sound's energy."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.media import AudioBlock
from emoje_edge.perception.segmentation import LONGEST, SHORTEST, Segmenter, Utterance


class VoiceActivity(Segmenter):
    """Speech found by its energy above a noise floor that follows the recording.

    Frames of 20 ms, first difference (which takes hum away).  The floor is the 10th percentile of the last 10 s; speech
    lies 4 to 9 dB above it, the more the wider the recording's range.  An utterance ends after 0.5 s of quiet, or at
    the quietest frame of its last 2 s once it is 7.68 s long.

    Args:
        fill: s.  Where nobody speaks for that long, such a window stands in (`spoken` False), so that somebody who
            is seen and silent is not lost.  None: silence is passed over.
    """

    _FRAME = 320  # samples
    _STEP = _FRAME / SAMPLE_RATE
    _HANGOVER, _PAD, _ONSET = 0.5, 0.15, 3  # s, s, frames
    _MEMORY, _SEED = 500, (-60.0,) * 5  # frames; before a recording there was silence
    _FLOOR_DB = -65.0
    _PATIENCE = 10.0  # s that sound may lag behind the picture in the file

    def __init__(self, fill: float | None = None) -> None:
        self._fill = fill
        self._now: float | None = None  # s, up to which frames were judged
        self._rest = np.zeros(0, dtype=np.float32)
        self._levels: deque[float] = deque(self._SEED, maxlen=self._MEMORY)
        self._threshold, self._judged = -51.0, 0
        self._run = 0  # loud frames in a row
        self._start: float | None = None  # s, of the open utterance
        self._loud = 0.0  # s, end of its last loud frame
        self._frames: deque[float] = deque(maxlen=round(2.0 / self._STEP))
        self._gap = 0.0  # s, end of what was handed out
        self._any = False

    @property
    def horizon(self) -> float:
        if self._now is None:
            return -math.inf
        if self._start is not None:
            return self._start
        return self._gap if self._fill else max(self._gap, self._now - self._PAD - self._ONSET * self._STEP)

    def hear(self, block: AudioBlock) -> list[Utterance]:
        closed = []
        heard = block.time if self._now is None else self._now + self._rest.size / SAMPLE_RATE
        if self._now is None:
            self._now = block.time
        elif block.time - heard > 0.1:
            closed += self._skip(block.time)
        samples = np.concatenate([self._rest, block.samples])
        frames = len(samples) // self._FRAME
        self._rest = samples[frames * self._FRAME :]
        for level in _levels(samples[: frames * self._FRAME].reshape(frames, self._FRAME)):
            closed += self._judge(float(level))
        return closed

    def advance(self, time: float) -> list[Utterance]:
        if self._now is None:
            self._now = self._gap = min(time, 0.0)
        return self._skip(time) if time - self._now > self._PATIENCE else []

    def finish(self, end: float) -> list[Utterance]:
        if self._now is None:
            self._now = 0.0
        closed = self._skip(max(end, self._now))
        left = end - self._gap
        if self._fill and (left >= self._fill / 2 or (not self._any and left > 0)):
            closed.append(Utterance(self._gap, end, spoken=False))
        return closed

    def _judge(self, level: float) -> list[Utterance]:
        """One frame further."""
        assert self._now is not None
        self._now += self._STEP
        self._follow(level)
        loud = level > self._threshold
        self._run = self._run + 1 if loud else 0
        if self._start is None:
            if self._run >= self._ONSET:
                self._start = max(self._gap, self._now - self._ONSET * self._STEP - self._PAD)
                self._loud = self._now
                self._frames.clear()
            return self._filled()
        self._frames.append(level)
        if loud:
            self._loud = self._now
        if self._now - self._loud >= self._HANGOVER:
            return self._close(self._loud + self._PAD)
        if self._now - self._start >= LONGEST:
            return self._split()
        return []

    def _follow(self, level: float) -> None:
        """Let the floor and with it the threshold follow the recording, five times a second."""
        self._levels.append(level)
        self._judged += 1
        if self._judged % 10 == 0:
            low, high = np.percentile(self._levels, (10, 95))
            low = max(float(low), self._FLOOR_DB)
            self._threshold = low + min(9.0, max(4.0, 0.35 * (float(high) - low)))

    def _close(self, end: float) -> list[Utterance]:
        start, self._start = self._start, None
        assert start is not None
        if end - start < SHORTEST:
            return []
        closed = [Utterance(start, end)]
        self._gap, self._any = end, True
        return closed

    def _split(self) -> list[Utterance]:
        """Cut an utterance that is as long as can be where it is quietest; the rest is the next one's beginning."""
        assert self._now is not None
        back = len(self._frames) - 1 - int(np.argmin(self._frames))
        cut = self._now - back * self._STEP
        closed = self._close(cut)
        self._start = cut
        self._frames.clear()
        return closed

    def _filled(self) -> list[Utterance]:
        """Windows for the time in which nobody spoke; what may still turn out an utterance's beginning is kept."""
        closed: list[Utterance] = []
        assert self._now is not None
        sure = (self._now if self._start is None else self._start) - self._PAD - self._ONSET * self._STEP
        while self._fill and self._gap + self._fill <= sure:
            closed.append(Utterance(self._gap, self._gap + self._fill, spoken=False))
            self._gap, self._any = self._gap + self._fill, True
        return closed

    def _skip(self, time: float) -> list[Utterance]:
        """Nothing is to be heard until `time`."""
        closed = []
        if self._start is not None:
            closed += self._close(min(self._loud + self._PAD, time))
        self._rest = self._rest[:0]
        self._now, self._run = time, 0
        return closed + self._filled()


def _levels(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Level of each frame in dB of full scale: [F, N] -> [F]."""
    power = np.square(np.diff(frames, axis=1), dtype=np.float64).mean(axis=1)
    return 10 * np.log10(np.nan_to_num(power, nan=0.0, posinf=0.0) + 1e-10)
