"""When the streams of a file should end, as far as its own header says so; what FFmpeg guesses is no announcement.

A file that ends well before that is cut off.  A raw stream (AAC, MP3 without a header) tells no length, and FFmpeg's
guess from its bit rate is wrong by half where that varies; a transport stream's length is read off its end, so it is
always there; a count of frames says nothing of time where an edit list hides some of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av

from emoje_edge.perception.readers import Reader
from emoje_edge.perception.sources import is_live

# demuxers whose stream lengths stand in a header, by the first of their names
_STREAM_LENGTHS = frozenset({"mov", "wav", "w64", "aiff", "au", "caf", "flac", "tta", "wv", "asf"})
# streams without a container
_RAW = frozenset({"aac", "loas", "ac3", "eac3", "dts", "truehd", "amr", "h264", "hevc", "m4v", "mpegvideo", "mjpeg"})
_FILE_LENGTHS = frozenset({"matroska", "flv"})
_ID3_HEADER, _FRAME_HEAD = 10, 4096  # bytes
_ENDLESS = 0x7FF00000  # bytes: what a program writes into a WAV's header while it does not know the length


def is_raw(format_name: str) -> bool:
    """Whether a container, by FFmpeg's name of its format, is none: a bare stream without times."""
    return format_name.split(",")[0] in _RAW


def tells_length(source: str | Path, container: Any) -> bool:
    """Whether the container's length is read off something, and not guessed from its bit rate."""
    kind = container.format.name.split(",")[0]
    if is_live(source) or is_raw(kind):
        return False
    return kind != "mp3" or _has_length_header(Path(source))


def announced_ends(source: str | Path, container: Any, readers: Sequence[Reader]) -> Iterator[tuple[Reader, float]]:
    """Streams with the time (s) at which each should end; those of which the file tells nothing do not come."""
    if is_live(source):
        return
    kind = container.format.name.split(",")[0]
    zero = (container.start_time or 0) / av.time_base
    if kind in _STREAM_LENGTHS or (kind == "mp3" and _has_length_header(Path(source))):
        for reader in readers:
            stream = reader.stream
            if stream.duration is not None and not _is_endless(kind, stream):
                yield reader, float((stream.duration + (stream.start_time or 0)) * stream.time_base) - zero
    for reader in readers:
        if kind == "avi" and reader.stream.type == "video" and reader.stream.frames and reader.stream.average_rate:
            # FFmpeg shortens the length of a cut AVI file, but not its number of frames
            yield reader, reader.stream.frames / float(reader.stream.average_rate)
    # a file's length is its longest stream's only
    if kind in _FILE_LENGTHS and container.duration is not None and len(readers) == len(container.streams):
        yield max(readers, key=lambda reader: reader.end), container.duration / av.time_base


def _is_endless(kind: str, stream: Any) -> bool:
    seconds = float(stream.duration * stream.time_base)
    return kind == "wav" and seconds * (stream.codec_context.bit_rate or 0) / 8 >= _ENDLESS


def _has_length_header(path: Path) -> bool:
    """Whether an MP3's first frame holds the number of frames (Xing, LAME, VBRI)."""
    with path.open("rb") as file:
        head = file.read(_ID3_HEADER)
        if head[:3] == b"ID3":
            # four bytes of seven bits each
            file.seek(_ID3_HEADER + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)))
        else:
            file.seek(0)
        frame = file.read(_FRAME_HEAD)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))
