"""Decoding with PyAV (which brings its own FFmpeg): frames, samples and subtitle packets with times in seconds.

A source is read once, in order, and nothing is kept: memory does not depend on its length.  Time 0 is where a player's
clock starts (the container's start time), so that subtitle files beside the video fit.
"""

from __future__ import annotations

import heapq
import logging
import re
from collections.abc import Container, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import av
from av.error import FFmpegError
from av.stream import Disposition

from emoje_edge.addresses import masked
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.announced import announced_ends, is_raw, tells_length
from emoje_edge.perception.http_source import AWAY, is_http, open_http
from emoje_edge.perception.readers import (
    AudioBlock,
    AudioReader,
    Reader,
    VideoFrame,
    VideoReader,
    display_size,
    quarter_turns,
)
from emoje_edge.perception.sources import REPAIR, is_live, open_container
from emoje_edge.perception.watchdog import Watchdog

LONG_SIDE = 640  # px: the pose detector looks at 224 x 224, its tracker at a 256 x 256 crop
TEXT_SUBTITLES = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
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
        duration: s, None where unknown (live sources, pipes, raw streams).
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
        source: a file; `"webcam:0"`; `"mic:default"`; `"rtsp://…"`; `"-"` for standard input.
        http: addresses of `http(s)://` may be opened.

    Attributes:
        info: what it holds; its size is the stored one (the rotation is known once a picture is decoded).
        live: whether it is a device or an address, which go on without end.
        ahead: whether it comes in pieces of some seconds, before their time: a playlist.

    Raises:
        UsageError: no such file, or a kind of source that is not known.
        WorkError: no video or audio in it, or it cannot be read.
    """

    def __init__(self, source: str | Path, *, http: bool = False) -> None:
        self.source = source
        self._closing = ExitStack()
        if is_http(source):
            container, close = open_http(str(source), allowed=http)
            self._closing.callback(close)
            self._container = self._closing.enter_context(container)
        else:
            self._container = self._closing.enter_context(open_container(source))
        self.live = is_live(source) and source != "-"
        self.ahead = self._container.format.name == "hls"
        streams = self._container.streams
        self._video = _preferred(s for s in streams.video if not _is_cover(s))
        self._audio = _preferred(streams.audio)
        self._zero = (self._container.start_time or 0) / av.time_base
        # a `.txt` passes for an animation in letters
        if self._container.format.name == "tty" or not (self._video or self._audio):
            self._closing.close()
            hint = AWAY if self.live else "give a video or audio file"
            raise WorkError(f"{source} holds neither video nor audio", hint)
        self.info = self._describe()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def upright_info(self) -> MediaInfo:
        """`info` with the rotation applied.  Decodes one picture, which a later `decode` on a pipe then lacks."""
        if self._video is None:
            return self.info
        try:
            frame = next(self._container.decode(self._video), None)
        except FFmpegError:
            frame = None
        turn = quarter_turns(frame) if frame else 0
        size = (self.info.width, self.info.height)
        width, height = size[::-1] if turn % 2 else size
        return replace(self.info, rotation=90 * turn, width=width, height=height)

    def hurry(self, wanted: bool) -> None:
        """Decode only key pictures from now on, where even decoding is too much for this machine; or all again."""
        if self._video is not None:
            self._video.codec_context.skip_frame = "NONKEY" if wanted else "DEFAULT"

    def decode(
        self,
        *,
        video: bool = True,
        audio: bool = True,
        fps: float | None = None,
        long_side: int | None = LONG_SIDE,
    ) -> Iterator[VideoFrame | AudioBlock]:
        """Frames and sound in time order; of a stream or a pipe, as they lie in it.

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
        passes: list[_Pass] = []
        if video and self._video is not None:
            passes.append(_Pass(self._container, VideoReader(self._video, self._zero, fps, long_side)))
        if audio and self._audio is not None:
            # a file may hold all sound after all pictures; a second look into it gives both in time order
            apart = bool(passes) and not is_live(self.source) and Path(self.source).is_file()
            container = self._closing.enter_context(open_container(self.source)) if apart else self._container
            counted = is_raw(container.format.name)
            reader = AudioReader(container.streams[self._audio.index], self._zero, counted=counted)
            if passes and not apart:
                passes[0].add(reader)
            else:
                passes.append(_Pass(container, reader))
        if not passes:
            return
        yield from heapq.merge(*(one.read(self.source, live=self.live) for one in passes), key=lambda item: item.time)
        self._judge([r for one in passes for r in one.readers], sum(one.broken for one in passes))

    def _judge(self, readers: list[Reader], broken: int) -> None:
        """Complain about a file that gave nothing, or less than its header announces."""
        if not any(reader.found for reader in readers):
            hint = AWAY if self.live else REPAIR
            raise WorkError(f"{self.source}: nothing in it could be decoded", hint)
        for reader, length in announced_ends(self.source, self._container, readers):
            if length - reader.end > max(1.0, _CUT_OFF * length):
                message = f"{self.source} is cut off: {reader.end:.1f} s of {length:.1f} s could be read"
                raise WorkError(message, REPAIR)
        if broken:
            log.warning("%s: %d damaged packets were passed over", masked(self.source), broken)

    def _describe(self) -> MediaInfo:
        video, duration = self._video, self._container.duration
        codecs = [
            SubtitleStream(stream.index, stream.codec_context.name, stream.language)
            for stream in sorted(self._container.streams.subtitles, key=_subtitle_rank)
            if stream.codec_context
        ]
        info = MediaInfo(
            duration=duration / av.time_base if duration and tells_length(self.source, self._container) else None,
            has_video=video is not None,
            has_audio=self._audio is not None,
            subtitles=tuple(stream for stream in codecs if stream.codec in TEXT_SUBTITLES),
        )
        if video is None:
            return info
        width, height = display_size(video.codec_context.width, video.codec_context.height, video.sample_aspect_ratio)
        return replace(info, width=width, height=height, rate=float(video.average_rate) if video.average_rate else None)


class _Pass:
    """Some streams of a container, read from its beginning to its end.

    Attributes:
        readers: one a stream.
        broken: how many packets could not be decoded.
    """

    def __init__(self, container: Any, reader: Reader) -> None:
        self._container = container
        self.readers, self.broken = [reader], 0

    def add(self, reader: Reader) -> None:
        """Read this stream, too, as it lies between the other's."""
        self.readers.append(reader)

    def _packets(self) -> Iterator[av.Packet]:
        try:
            yield from self._container.demux([reader.stream for reader in self.readers])
        except IndexError:
            # at the end PyAV asks for an empty packet of each stream, in order; one that began within the file
            # (a transport stream's) it does not know: by then, all of ours have had theirs
            log.debug("a stream began after the file was opened")

    def read(self, source: str | Path, *, live: bool = False) -> Iterator[VideoFrame | AudioBlock]:
        """What the readers make of it.

        Raises:
            WorkError: after everything that could be read.
        """
        readers = {reader.stream.index: reader for reader in self.readers}
        _ignore_other_streams(self._container, readers)
        watchdog = Watchdog(str(source), self.readers) if live else None
        try:
            for packet in self._packets():
                try:
                    yield from readers[packet.stream.index].read(packet)
                except FFmpegError:
                    self.broken += 1
                if watchdog:
                    watchdog.look()
            for reader in self.readers:
                yield from reader.flush()
        except FFmpegError as error:
            if live:
                raise WorkError(f"{source} sends no more: {error.strerror}", AWAY) from None
            reached = max(reader.end for reader in self.readers)
            raise WorkError(f"{source} cannot be read beyond {reached:.1f} s: {error.strerror}", REPAIR) from error


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


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _preferred(streams: Iterable[Any]) -> Any | None:
    """The stream that a player takes: the default one; comments and tracks for the blind only for want of another."""

    def rank(stream: Any) -> tuple[bool, bool]:
        beside = stream.disposition & _BESIDE or _ASIDE.search(_title(stream))
        return bool(beside), not stream.disposition & Disposition.default

    return min((stream for stream in streams if stream.codec_context), key=rank, default=None)


def _title(stream: Any) -> str:
    """What a track is called; an MP4 keeps it in its handler's name."""
    return " ".join(stream.metadata.get(key, "") for key in ("title", "handler_name"))


_BESIDE = Disposition.comment | Disposition.hearing_impaired | Disposition.visual_impaired
# what a title says where the flag is missing
_ASIDE = re.compile(
    r"\b(?:comment(?:s|ary|aries)?|(?:audio[ -]?)?descri(?:ption|ptive|bed)|visually impaired|karaoke|"
    r"instrumental|music and effects|m ?& ?e)\b",
    re.IGNORECASE,
)
_PARTIAL = re.compile(r"\b(?:forced|signs?|songs?|karaoke|comment(?:s|ary)?)\b", re.IGNORECASE)


def _subtitle_rank(stream: Any) -> tuple[bool, int, bool, bool]:
    """Full subtitles before forced ones, which hold signs and foreign lines only; English, which the engines read."""
    partial = stream.disposition & (Disposition.forced | Disposition.comment) or _PARTIAL.search(_title(stream))
    language = {"eng": 0, "en": 0, "und": 1, None: 1}.get(stream.language, 2)
    for_the_deaf = bool(stream.disposition & Disposition.hearing_impaired)
    return bool(partial), language, not stream.disposition & Disposition.default, for_the_deaf
