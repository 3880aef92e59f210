"""Decoding with PyAV (which brings its own FFmpeg): frames, samples and subtitle packets with times in seconds.

A source is read once, in order, and nothing is kept: memory does not depend on its length.  Time 0 is where a player's
clock starts (the container's start time), so that subtitle files beside the video fit.
"""

from __future__ import annotations

import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Container, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from emoje_edge.addresses import masked
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.sources import REPAIR, is_live, open_container

LONG_SIDE = 640  # px: the pose detector looks at 224 x 224, its tracker at a 256 x 256 crop
TEXT_SUBTITLES = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
_JUMP = 1.0  # s: timestamps that fall back further than this start anew, as after a joined recording
_GAP = 0.1  # s: sound further from where it should be leaves a hole
_CUT_OFF = 0.05  # part of the announced length (at least 1 s) that may be missing before a file counts as cut off

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SubtitleStream:
    """A text subtitle stream inside a file: its index in the container, codec and language (ISO 639) where given."""

    index: int
    codec: str
    language: str | None


@dataclass(frozen=True)
class MediaInfo:
    """What a source holds.

    Args:
        duration: s, None where unknown (live sources, pipes).
        width, height: px, with square pixels; 0 without video.
        rotation: degrees counter-clockwise by which the stored picture is turned to stand upright.
        rate: average frames/s, None where unknown.
        subtitles: text subtitle streams, the preferred one first.
    """

    duration: float | None
    has_video: bool
    has_audio: bool
    subtitles: tuple[SubtitleStream, ...] = ()
    width: int = 0
    height: int = 0
    rotation: int = 0
    rate: float | None = None


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


@dataclass(frozen=True)
class SubtitlePacket:
    """An embedded cue: start and end (s) and its text as an ASS dialogue line's fields."""

    start: float
    end: float
    ass: str


def probe(source: str | Path) -> MediaInfo:
    """What a file holds, looking no further than its first picture.  Raises as `Media` does."""
    with Media(source) as media:
        return media.upright_info()


def decode(
    source: str | Path,
    *,
    video: bool = True,
    audio: bool = True,
    fps: float | None = None,
    long_side: int | None = LONG_SIDE,
) -> Iterator[VideoFrame | AudioBlock]:
    """Open and decode in one go; see `Media.decode`."""
    with Media(source) as media:
        yield from media.decode(video=video, audio=audio, fps=fps, long_side=long_side)


class Media(AbstractContextManager["Media"]):
    """An open source.

    Args:
        source: a file; `"webcam:0"`; `"rtsp://…"`; `"-"` for standard input.

    Attributes:
        info: what it holds; its size is the stored one (the rotation is known once a picture is decoded).

    Raises:
        UsageError: no such file, or a kind of source that is not known.
        WorkError: no video or audio in it, or it cannot be read.
    """

    def __init__(self, source: str | Path) -> None:
        self.source = source
        self._container = open_container(source)
        streams = self._container.streams
        self._video = next((s for s in streams.video if s.codec_context and not _is_cover(s)), None)
        self._audio = next((s for s in streams.audio if s.codec_context), None)
        self._zero = (self._container.start_time or 0) / av.time_base
        # a `.txt` passes for an animation in letters
        if self._container.format.name == "tty" or not (self._video or self._audio):
            self._container.close()
            raise WorkError(f"{source} holds neither video nor audio", "give a video or audio file")
        self.info = self._describe()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def upright_info(self) -> MediaInfo:
        """`info` with the rotation applied.  Decodes one picture, which a later `decode` on a pipe then lacks."""
        if self._video is None:
            return self.info
        try:
            frame = next(self._container.decode(self._video), None)
        except FFmpegError:
            frame = None
        turn = _quarter_turns(frame) if frame else 0
        size = (self.info.width, self.info.height)
        width, height = size[::-1] if turn % 2 else size
        return replace(self.info, rotation=90 * turn, width=width, height=height)

    def decode(
        self,
        *,
        video: bool = True,
        audio: bool = True,
        fps: float | None = None,
        long_side: int | None = LONG_SIDE,
    ) -> Iterator[VideoFrame | AudioBlock]:
        """Frames and sound as they lie in the source, each kind in time order.

        What is not asked for is neither decoded nor, where the format allows it, read.  Frames beyond `fps` are
        decoded, since others build on them, but never converted to pixels.

        Args:
            video, audio: which of them; a kind that the source lacks does not come.
            fps: most frames/s to give: the first in each 1/fps s.  None: all.
            long_side: px, pictures are scaled down to it.  None: as they are.

        Raises:
            UsageError: `fps` not positive.
            WorkError: after everything that could be read, where the file is damaged or cut off.
        """
        if fps is not None and not fps > 0:
            raise UsageError(f"{fps} frames a second", "give a positive number")
        readers: dict[int, _Reader] = {}
        if video and self._video is not None:
            readers[self._video.index] = _VideoReader(self._video, self._zero, fps, long_side)
        if audio and self._audio is not None:
            readers[self._audio.index] = _AudioReader(self._audio, self._zero)
        if not readers:
            return
        _ignore_other_streams(self._container, readers)
        broken = 0
        try:
            for packet in self._container.demux([reader.stream for reader in readers.values()]):
                try:
                    yield from readers[packet.stream.index].read(packet)
                except FFmpegError:
                    broken += 1
            for reader in readers.values():
                yield from reader.flush()
        except FFmpegError as error:
            reached = max(reader.end for reader in readers.values())
            raise WorkError(f"{self.source} cannot be read beyond {reached:.1f} s: {error.strerror}", REPAIR) from error
        self._judge(list(readers.values()), broken)

    def _judge(self, readers: list[_Reader], broken: int) -> None:
        """Complain about a file that gave nothing, or less than its header announces."""
        if not any(reader.found for reader in readers):
            raise WorkError(f"{self.source}: nothing in it could be decoded", REPAIR)
        for reader, length in self._announced_ends(readers):
            if length - reader.end > max(1.0, _CUT_OFF * length):
                message = f"{self.source} is cut off: {reader.end:.1f} s of {length:.1f} s could be read"
                raise WorkError(message, REPAIR)
        if broken:
            log.warning("%s: %d damaged packets were passed over", masked(self.source), broken)

    def _announced_ends(self, readers: list[_Reader]) -> Iterator[tuple[_Reader, float]]:
        """When streams should end (s), where the file says so: a container's length is its longest stream's only."""
        if is_live(self.source):
            return
        for reader in readers:
            stream = reader.stream
            if stream.duration is not None:
                yield reader, float((stream.duration + (stream.start_time or 0)) * stream.time_base) - self._zero
            if stream.type == "video" and stream.frames and stream.average_rate:
                # FFmpeg shortens the length of a cut AVI file, but not its number of frames
                yield reader, stream.frames / float(stream.average_rate)
        if self.info.duration is not None and len(readers) == len(self._container.streams):
            yield max(readers, key=lambda reader: reader.end), self.info.duration

    def _describe(self) -> MediaInfo:
        video, duration = self._video, self._container.duration
        codecs = [
            SubtitleStream(stream.index, stream.codec_context.name, stream.language)
            for stream in sorted(self._container.streams.subtitles, key=lambda s: not _is_default(s))
            if stream.codec_context
        ]
        info = MediaInfo(
            duration=None if duration is None or is_live(self.source) else duration / av.time_base,
            has_video=video is not None,
            has_audio=self._audio is not None,
            subtitles=tuple(stream for stream in codecs if stream.codec in TEXT_SUBTITLES),
        )
        if video is None:
            return info
        width, height = _display_size(video.codec_context.width, video.codec_context.height, video.sample_aspect_ratio)
        return replace(info, width=width, height=height, rate=float(video.average_rate) if video.average_rate else None)


class _Reader(ABC):
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


class _VideoReader(_Reader):
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
        width, height = _display_size(frame.width, frame.height, self.stream.sample_aspect_ratio)
        scale = min(1.0, self._long_side / max(width, height)) if self._long_side else 1.0
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = self._reformatter.reformat(frame, width=size[0], height=size[1], format="rgb24")
        return np.ascontiguousarray(np.rot90(small.to_ndarray(), _quarter_turns(frame)))


class _AudioReader(_Reader):
    def __init__(self, stream: Any, zero: float) -> None:
        super().__init__(stream, zero)
        self._resampler = self._new_resampler()
        self._format: tuple[Any, ...] | None = None
        self._next: float | None = None  # s, where the next samples belong

    def read(self, packet: av.Packet) -> Iterator[VideoFrame | AudioBlock]:
        for frame in cast("list[av.AudioFrame]", packet.decode()):
            time = self._time_of(frame, frame.samples / frame.sample_rate)
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if self._format not in (None, kind) or (self._next is not None and abs(time - self._next) > _GAP):
                # other channels, or a hole: what is held back belongs before it
                yield from self.flush()
            self._format = kind
            if self._next is None:
                self._next = time
            yield from self._blocks(self._resampler.resample(frame))

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

    @staticmethod
    def _new_resampler() -> av.AudioResampler:
        return av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)


def read_subtitles(source: str | Path, index: int) -> Iterator[SubtitlePacket]:
    """The cues of one embedded text subtitle stream, in the order of the file; nothing else is decoded.

    Raises:
        WorkError: the file cannot be read.
    """
    container = open_container(source)
    try:
        stream = container.streams[index]
        zero = (container.start_time or 0) / av.time_base
        _ignore_other_streams(container, {index: stream})
        for packet in container.demux(stream):
            if packet.pts is None or not packet.size:
                continue
            start = float(packet.pts * packet.time_base) - zero
            for part in packet.decode():
                for rect in getattr(part, "rects", [part]):
                    text = getattr(rect, "ass", b"")
                    if text:
                        end = start + float((packet.duration or 0) * packet.time_base)
                        yield SubtitlePacket(start, end, text.decode("utf-8", "replace"))
    except FFmpegError as error:
        raise WorkError(f"{source}: its subtitles cannot be read: {error.strerror}", REPAIR) from error
    finally:
        container.close()


def _ignore_other_streams(container: Any, wanted: Container[int]) -> None:
    """Let the demuxer pass over what nobody asked for (PyAV can say so from version 17 on)."""
    if hasattr(av.stream, "Discard"):
        for stream in container.streams:
            if stream.index not in wanted:
                stream.discard = av.stream.Discard.all


def _quarter_turns(frame: av.VideoFrame) -> int:
    """How often to turn the picture by 90 degrees counter-clockwise, 0 to 3."""
    return round(frame.rotation / 90) % 4


def _display_size(width: int, height: int, pixel_aspect: Any) -> tuple[int, int]:
    """Size in square pixels."""
    return (round(width * float(pixel_aspect)), height) if pixel_aspect else (width, height)


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _is_default(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.default)
