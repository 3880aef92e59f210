"""The part of a recording that open utterances still need."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.audio import HOP, SAMPLE_RATE
from emoje_edge.perception.media import AudioBlock


class SoundBuffer:
    """A window that slides over the sound; time in seconds.

    Attributes:
        until: up to where there is sound.
    """

    def __init__(self) -> None:
        self._blocks: deque[AudioBlock] = deque()
        self.until = 0.0

    def add(self, block: AudioBlock) -> None:
        self._blocks.append(block)
        self.until = _end(block)

    def take(self, start: float, end: float) -> NDArray[np.float32]:
        """Samples from `start` to `end`, as far as they are there; holes are silence."""
        if not self._blocks:
            return np.zeros(0, dtype=np.float32)
        first = max(start, self._blocks[0].time)
        last = min(end, self.until)
        out = np.zeros(max(0, round((last - first) * SAMPLE_RATE)), dtype=np.float32)
        for block in self._blocks:
            at = round((block.time - first) * SAMPLE_RATE)
            low, high = max(at, 0), min(at + block.samples.size, out.size)
            if low < high:
                out[low:high] = block.samples[low - at : high - at]
        return out

    def forget(self, before: float) -> None:
        while self._blocks and _end(self._blocks[0]) <= before:
            self._blocks.popleft()


def loudest(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """The `length` samples in a row that hold the most energy, to 10 ms; all of a shorter sound."""
    if samples.size <= length:
        return samples
    hops = samples.size // HOP
    energy = np.square(samples[: hops * HOP].reshape(hops, HOP), dtype=np.float64).sum(axis=1)
    total = np.concatenate([[0.0], np.cumsum(energy)])
    width = length // HOP
    first = int(np.argmax(total[width:] - total[:-width])) * HOP
    return samples[first : first + length]


def _end(block: AudioBlock) -> float:
    return block.time + block.samples.size / SAMPLE_RATE
