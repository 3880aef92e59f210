"""One stream's way from packets to what is asked of it: upright pictures, or sound in one channel at 16 kHz."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.downmix import Downmix
from emoje_edge.perception.sound import full_scale, mono_frame

_JUMP = 1.0  # s: timestamps that fall back further than this start anew, as after a joined recording
_GAP = 0.1  # s: sound further from where it should be leaves a hole


@dataclass(frozen=True)
class VideoFrame:
    """One upright picture: time (s) and uint8 [H, W, 3] RGB with square pixels."""

    time: float
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class AudioBlock:
    """Some sound: time of its first sample (s) and float32 [N], mono at 16 kHz."""

    time: float
    samples: NDArray[np.float32]


class Reader(ABC):
    """One stream's way from packets to what is asked of it.

    Attributes:
        end: s, the time up to which the stream was read.
        found: whether anything was decoded.
    """

    def __init__(self, stream: Any, zero: float) -> None:
        self.stream, self._zero = stream, zero
        self.end, self.found = 0.0, False
        self._shift, self._last = 0.0, -1.0

    @abstractmethod
    def read(self, packet: av.Packet) -> Iterator[VideoFrame | AudioBlock]:
        """Decode a packet; the packet after the last one, which is empty, brings out what the decoder held back."""

    def flush(self) -> Iterator[VideoFrame | AudioBlock]:
        """What is left after the last packet."""
        yield from ()

    def _time_of(self, frame: Any, step: float) -> float:
        """Seconds since the start; counted on where a frame bears no time or the clock was set back."""
        time = self.end if frame.time is None else frame.time - self._zero + self._shift
        if time < self._last - _JUMP:
            self._shift += self.end - time
            time = self.end
        self.found, self._last, self.end = True, time, time + step
        return time


class VideoReader(Reader):
    def __init__(self, stream: Any, zero: float, fps: float | None, long_side: int | None) -> None:
        super().__init__(stream, zero)
        # Two threads decode faster than any pose detector looks; each more would hold a picture more in memory.
        stream.codec_context.thread_type, stream.codec_context.thread_count = "AUTO", 2
        self._fps, self._long_side = fps, long_side
        self._slot = -math.inf
        self._reformatter = VideoReformatter()  # keeps the scaler that each frame would otherwise set up anew

    def read(self, packet: av.Packet) -> Iterator[VideoFrame | AudioBlock]:
        for frame in packet.decode():
            step = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else self._usual_step()
            time = self._time_of(frame, step)
            if self._is_wanted(time):
                yield VideoFrame(time, self._upright(frame))

    def _usual_step(self) -> float:
        rate = self.stream.average_rate
        return 1 / float(rate) if rate else 0.04

    def _is_wanted(self, time: float) -> bool:
        if self._fps is None:
            return True
        # a hundredth of a slot early is rounding of the time base
        slot = math.floor(time * self._fps + 0.01)
        wanted, self._slot = slot > self._slot, max(slot, self._slot)
        return wanted

    def _upright(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        width, height = display_size(frame.width, frame.height, self.stream.sample_aspect_ratio)
        scale = min(1.0, self._long_side / max(width, height)) if self._long_side else 1.0
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = self._reformatter.reformat(frame, width=size[0], height=size[1], format="rgb24")
        return np.ascontiguousarray(np.rot90(small.to_ndarray(), quarter_turns(frame)))


class AudioReader(Reader):
    """Sound of one stream.

    Args:
        counted: times are counted on from sample to sample: a bare stream has none, and what FFmpeg reckons from its
            first frame's rate is wrong where a later one has another.
    """

    def __init__(self, stream: Any, zero: float, *, counted: bool = False) -> None:
        super().__init__(stream, zero)
        self._counted = counted
        self._resampler, self._mix = self._new_resampler(), Downmix()
        self._format: tuple[Any, ...] | None = None
        self._next: float | None = None  # s, where the next samples belong

    def read(self, packet: av.Packet) -> Iterator[VideoFrame | AudioBlock]:
        for frame in cast("list[av.AudioFrame]", packet.decode()):
            if self._counted:
                frame.pts = None
            time = self._time_of(frame, frame.samples / frame.sample_rate)
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if self._format not in (None, kind) or (self._next is not None and abs(time - self._next) > _GAP):
                # other channels, or a hole: what is held back belongs before it
                yield from self.flush()
            self._format = kind
            if self._next is None:
                self._next = time
            yield from self._blocks(self._resampler.resample(self._one_channel(frame)))

    def flush(self) -> Iterator[VideoFrame | AudioBlock]:
        if self._format is not None:
            yield from self._blocks(self._resampler.resample(None))
        self._resampler, self._format, self._next = self._new_resampler(), None, None

    def _blocks(self, frames: list[av.AudioFrame]) -> Iterator[AudioBlock]:
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1).astype(np.float32, copy=False)
            if samples.size and self._next is not None:
                yield AudioBlock(self._next, samples)
                self._next += samples.size / SAMPLE_RATE

    def _one_channel(self, frame: av.AudioFrame) -> av.AudioFrame:
        """FFmpeg's own mixing knows no layout of twenty channels, and loses what is in opposite phase in two."""
        if frame.layout.nb_channels == 1:
            return frame
        return mono_frame(self._mix(channels_of(frame)), frame.sample_rate)

    @staticmethod
    def _new_resampler() -> av.AudioResampler:
        return av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)


def channels_of(frame: av.AudioFrame) -> NDArray[np.float32]:
    """A frame's samples, float32 [C, N], full scale 1; the channel of low effects, in which nobody speaks, left out."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    heard = [i for i, channel in enumerate(frame.layout.channels) if channel.name != "LFE"]
    return full_scale(samples[heard] if 0 < len(heard) < len(samples) else samples)


def quarter_turns(frame: av.VideoFrame) -> int:
    """How often to turn the picture by 90 degrees counter-clockwise, 0 to 3."""
    return round(frame.rotation / 90) % 4


def display_size(width: int, height: int, pixel_aspect: Any) -> tuple[int, int]:
    """Size in square pixels."""
    return (round(width * float(pixel_aspect)), height) if pixel_aspect else (width, height)
