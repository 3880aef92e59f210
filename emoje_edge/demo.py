"""A short clip made on the spot, so that anyone can see the whole way of the data work without a video of their own.

The picture is the official portrait of Rear Admiral Grace Hopper (United States Navy, public domain), moved, turned,
and mirrored for the second speaker.  The sound is a synthetic voice that says vowels, and the words are in a subtitle
file: they carry the emotion, and what is recognised is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.babble import babble
from emoje_edge.errors import WorkError
from emoje_edge.shipped import PORTRAIT

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT, FPS, RATE = 640, 480, 25, 16_000


@dataclass(frozen=True)
class Line:
    """One utterance: start and end (s), who, what, and how: pitch (Hz) and liveliness (0 calm to 1 excited); and the
    emotion that its words plainly carry."""

    start: float
    end: float
    speaker: str
    words: str
    pitch: float
    lively: float
    emotion: str


LINES = (
    Line(0.4, 2.6, "GRACE", "Oh my God! There is a moth in the computer!", 230.0, 1.0, "surprise"),
    Line(3.0, 4.8, "HOWARD", "That is wonderful! I am so happy!", 150.0, 0.9, "joy"),
    Line(5.2, 7.6, "GRACE", "It ruined our whole night of work. I am so sad.", 170.0, 0.1, "sadness"),
    Line(8.0, 9.6, "HOWARD", "I hate this stupid machine!", 110.0, 0.3, "anger"),
)
SECONDS = 10.0


def make_clip(video: Path, subtitles: Path) -> None:
    """Write the clip (MP4: H.264 or MPEG-4, AAC) and its subtitles (SRT).

    Raises:
        WorkError: a file cannot be written, or the portrait is not there.
    """
    portrait = _portrait()
    try:
        subtitles.write_text(_srt(), encoding="utf-8")
        _encode(video, portrait)
    except OSError as error:
        raise WorkError(f"cannot write the clip: {error}", "give --out a folder with room") from error


def frame(portrait: Image, time: float) -> NDArray[np.uint8]:
    """The picture [480, 640, 3] RGB at a time (s): the portrait sways, most while somebody speaks lively."""
    from PIL import Image, ImageOps

    line = next((x for x in LINES if x.start <= time < x.end), None)
    turn = max((x for x in LINES if x.start - 0.4 <= time), key=lambda x: x.start, default=LINES[0])
    swing = 0.35 if line is None else 0.4 + 0.6 * line.lively
    w, h = portrait.size
    scale = 0.72 * HEIGHT / h * (1.1 + 0.06 * np.sin(0.9 * time))
    angle = np.radians(5.0 * swing * np.sin(2.1 * time))
    # the portrait's lower middle comes here; Pillow wants the way back, from this picture to the portrait
    x = WIDTH / 2 + 26 * swing * np.sin(1.3 * time)
    y = HEIGHT * 0.88 + 10 * swing * np.sin(3.1 * time)
    c, s = np.cos(angle) / scale, np.sin(angle) / scale
    back = (c, -s, w / 2 - c * x + s * y, s, c, h * 0.8 - s * x - c * y)
    picture = portrait if turn.speaker == LINES[0].speaker else ImageOps.mirror(portrait)
    moved = picture.transform(
        (WIDTH, HEIGHT), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR, fillcolor=(96, 104, 112)
    )
    return np.asarray(moved)


def _portrait() -> Image:
    from PIL import Image

    try:
        return Image.open(PORTRAIT).convert("RGB")
    except OSError as error:
        raise WorkError(
            f"the portrait {PORTRAIT} cannot be read", "reinstall: pip install --force-reinstall --no-deps emoje-edge"
        ) from error


def _encode(path: Path, portrait: Image) -> None:
    import av

    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=FPS)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio: Any = container.add_stream("aac", rate=RATE, layout="mono")
        for packet in _sound(audio):
            container.mux(packet)
        for number in range(round(SECONDS * FPS)):
            picture = av.VideoFrame.from_ndarray(frame(portrait, number / FPS), format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))


def _sound(stream: Any) -> list[Any]:
    """The encoded packets of all lines."""
    import av

    samples = np.zeros(round(SECONDS * RATE), np.float32)
    for line in LINES:
        voice = babble(line.end - line.start, pitch=line.pitch, lively=line.lively, rate=RATE)
        first = round(line.start * RATE)
        samples[first : first + len(voice)] = voice
    sound = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    sound.sample_rate, sound.pts, sound.time_base = RATE, 0, Fraction(1, RATE)
    return [*stream.encode(sound), *stream.encode(None)]


def _srt() -> str:
    def clock(seconds: float) -> str:
        return f"00:00:{int(seconds):02d},{round(seconds % 1 * 1000):03d}"

    return "".join(
        f"{number}\n{clock(x.start)} --> {clock(x.end)}\n{x.speaker}: {x.words}\n\n"
        for number, x in enumerate(LINES, start=1)
    )
