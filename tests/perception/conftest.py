"""Small clips made on the spot, so that every odd kind of file is there without shared data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from emoje_edge.shipped import PORTRAIT

# two_turns.flac: "I lost the keys to my house this morning." and, after a pause, "They were lying on the kitchen
# table.", said by flite; german.flac by espeak-ng.  Both 16 kHz, mono.
SPEECH = Path(__file__).parent / "data"
ASS_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,16\n"
    b"[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def _pictures(size: tuple[int, int], number: int) -> Iterator[np.ndarray]:
    """Grey that grows lighter, with a red upper left quarter: which way is up can be told."""
    width, height = size
    for index in range(number):
        picture = np.full((height, width, 3), 40 + index % 100, dtype=np.uint8)
        picture[: height // 2, : width // 2] = (255, 0, 0)
        yield picture


def tone(seconds: float, rate: int = 16000, hertz: float = 440.0) -> np.ndarray:
    """Mono sound [N], float32."""
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def write_clip(
    path: Path,
    *,
    seconds: float = 2.0,
    rate: int = 25,
    size: tuple[int, int] = (64, 48),
    pictures: Any = None,
    times: list[int] | None = None,
    rotation: int = 0,
    pixel_aspect: Fraction | None = None,
    sound: np.ndarray | None = None,
    sound_rate: int = 16000,
    subtitles: list[tuple[int, int, str]] = (),
    subtitle_codec: str = "subrip",
    spoil_sound: bool = False,
) -> Path:
    """A clip: `pictures` (arrays; False for none), `times` of them in ms, `sound`, `subtitles` (ms, ms, ASS fields)."""
    with av.open(str(path), "w") as container:
        video = None
        if pictures is not False:
            video = container.add_stream("mpeg4", rate=rate)
            video.width, video.height, video.pix_fmt = size[0], size[1], "yuv420p"
            video.bit_rate = 400_000
            if pixel_aspect:
                video.codec_context.sample_aspect_ratio = pixel_aspect
            if rotation:
                video.set_display_rotation(rotation)
            if times is not None:
                video.codec_context.time_base = Fraction(1, 1000)
        audio = None
        if sound is not None:
            audio = container.add_stream("aac", rate=sound_rate, layout="mono")
        words = None
        if subtitles:
            words = container.add_stream(subtitle_codec)
            words.codec_context.subtitle_header = ASS_HEADER
        container.start_encoding()
        if words is not None:
            _write_subtitles(container, words, subtitles)
        if video is not None:
            source = pictures if pictures is not None else _pictures(size, int(seconds * rate))
            for index, picture in enumerate(source):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts = index if times is None else times[index]
                frame.time_base = Fraction(1, rate) if times is None else Fraction(1, 1000)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if audio is not None:
            _write_sound(container, audio, sound, sound_rate, spoil_sound)
    return path


def _write_sound(container: Any, stream: Any, sound: np.ndarray, rate: int, spoil: bool) -> None:
    for first in range(0, len(sound), 1024):
        frame = av.AudioFrame.from_ndarray(sound[None, first : first + 1024], format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
        _mux(container, stream.encode(frame), spoil)
    _mux(container, stream.encode(None), spoil)


def _mux(container: Any, packets: list[Any], spoil: bool) -> None:
    for packet in packets:
        if spoil:
            # no decoder of FFmpeg takes that for sound
            bad = av.Packet(b"\x11" * packet.size)
            bad.stream, bad.pts, bad.dts, bad.time_base = packet.stream, packet.pts, packet.dts, packet.time_base
            bad.duration = packet.duration
            packet = bad
        container.mux(packet)


def _write_subtitles(container: Any, stream: Any, cues: list[tuple[int, int, str]]) -> None:
    from av.subtitles.subtitle import SubtitleSet

    for start, end, fields in cues:
        packet = stream.codec_context.encode_subtitle(SubtitleSet.create(fields.encode(), 0, end - start, pts=start))
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = start
        packet.duration = end - start
        container.mux(packet)


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """`clip("name.mkv", rotation=90, …)` writes a clip and returns its path; see `write_clip`."""

    def make(name: str, **options: Any) -> Path:
        return write_clip(tmp_path / name, **options)

    return make


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """uint8 [600, 512, 3]: Grace Hopper from the waist up, the demonstration's public-domain photograph."""
    with av.open(str(PORTRAIT)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")
