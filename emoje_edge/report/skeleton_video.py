"""A video of the skeleton on black with the emotion beneath: what was seen, without anybody to be seen.

Nothing of the source's pixels gets here: the drawing starts from landmarks, and the head is a plain circle.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.report.canvas import font
from emoje_edge.report.draw_body import Picture, draw_people
from emoje_edge.report.palette import MODALITY_COLOURS, emotion_colour, label_colours, rgb
from emoje_edge.report.writers import NO_EVIDENCE, OutputError, check_folder

if TYPE_CHECKING:
    from emoje_edge.utterance_emotion import UtteranceEmotion

ENDINGS = (".mp4", ".mkv", ".mov")
SIDE = 540  # px, the longer side of the skeleton's field
FOOT = 132  # px, the strip beneath
_CLOCK = Fraction(1, 1000)
_ENCODERS = ("libx264", "libopenh264", "mpeg4")


def check_video(path: Path) -> None:
    """Refuse, before any work is done, a video that could not be written.

    Raises:
        UsageError: an unknown ending.
        OutputError: no such folder.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"--render {path}: unknown ending {path.suffix!r}", f"allowed: {' '.join(ENDINGS)}")
    check_folder(path)


class SkeletonVideo:
    """Writes the video utterance by utterance; memory does not grow with its length.  A context manager.

    Args:
        path: ending in .mp4, .mkv or .mov.

    Raises:
        UsageError, OutputError: as `check_video`; or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        check_video(path)
        self.path, self.frames = path, 0
        self._container: Any = None
        self._stream: Any = None
        self._last = -1  # ms, of the last frame written
        self._end = 0  # ms, of the last utterance

    def add(
        self,
        event: UtteranceEmotion,
        times: NDArray[np.float64],
        people: Mapping[int, NDArray[np.float32]],
        aspect: float,
    ) -> None:
        """Draw one utterance.

        Args:
            event: what to write beneath.
            times: [T] s of the source.
            people: number -> [T, 13, 3] of everybody in view: x, y in 0 to 1 of the picture's width and height,
                visibility; all zero where they are not there.
            aspect: width over height of the source's picture; the first utterance's holds for the video.
        """
        if len(times) == 0:
            return
        if self._container is None:
            self._open(aspect)
        foot = draw_foot(event, self._stream.width)
        start = round(event.start * 1000)
        if start > max(self._end, self._last) + 1 and self.frames:
            self._put(draw({}, foot=None, size=self._size), max(self._end, self._last + 1))
        for i, time in enumerate(times):
            # utterances may overlap: what has been drawn is not drawn again
            if (at := round(float(time) * 1000)) > self._last:
                here = {number: skeleton[i] for number, skeleton in people.items()}
                self._put(draw(here, foot=foot, size=self._size), at)
        self._end = round(event.end * 1000)

    @property
    def _size(self) -> tuple[int, int]:
        return self._stream.width, self._stream.height

    def _open(self, aspect: float) -> None:
        import av

        width, height = field_size(aspect)
        name = next(n for n in _ENCODERS if n in av.codecs_available)
        try:
            self._container = av.open(str(self.path), "w")
        except OSError as error:
            raise self._failed(error) from error
        self._stream = self._container.add_stream(name, rate=25)
        self._stream.width, self._stream.height = width, height + FOOT
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = self._stream.time_base = _CLOCK
        self._stream.codec_context.thread_count = 1
        if name == "libx264":
            self._stream.options = {"preset": "veryfast", "crf": "23", "tune": "animation"}
        else:
            self._stream.bit_rate = 1_000_000

    def _put(self, picture: Picture, at: int) -> None:
        import av

        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = at, _CLOCK
        self._mux(frame)
        self._last, self.frames = at, self.frames + 1

    def _mux(self, frame: Any) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> WorkError:
        return OutputError(f"cannot write {self.path}: {error.strerror}", "give --render another place")

    def close(self) -> None:
        """Finish the file; it plays up to here, also when the run was stopped."""
        if self._container is None:
            return
        container, self._container = self._container, None
        try:
            for packet in self._stream.encode(None):
                container.mux(packet)
            container.close()
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> SkeletonVideo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except OutputError:
            if error is None:  # else the first failure is the one to tell of
                raise


def field_size(aspect: float) -> tuple[int, int]:
    """Width and height in even pixels of the skeleton's field, for a picture of this width over height."""
    aspect = min(max(aspect, 0.4), 3.0)
    width, height = (SIDE, SIDE / aspect) if aspect >= 1 else (SIDE * aspect, SIDE)
    return max(round(width / 2) * 2, 300), round(height / 2) * 2


def draw(people: Mapping[int, NDArray[np.float32]], *, foot: Picture | None, size: tuple[int, int]) -> Picture:
    """One frame [height, width, 3] RGB: the skeletons (number -> [13, 3]) above the strip."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    if people:
        picture[: height - FOOT] = draw_people(people, width, height - FOOT)
    if foot is not None:
        picture[height - FOOT :] = foot
    return picture


def draw_foot(event: UtteranceEmotion, width: int) -> Picture:
    """The strip [132, width, 3] of one utterance: emotion, words, probabilities with a key, the modalities' weights."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, FOOT), (24, 24, 24))
    pen = ImageDraw.Draw(image)
    big, small = font(22), font(12)
    words = NO_EVIDENCE if event.emotion is None else f"{event.emotion} {event.probabilities[event.emotion]:.0%}"
    pen.rectangle((12, 12, 28, 28), fill=rgb(emotion_colour(event.emotion)))
    pen.text((38, 6), words, fill=(240, 240, 240), font=big)
    who = f"{event.speaker}   " if event.speaker else ""
    when = f"{who}{event.start:.1f}–{event.end:.1f} s"
    left = width - 12 - pen.textlength(when, font=small)
    if left > 56 + pen.textlength(words, font=big):
        pen.text((left, 14), when, fill=(200, 200, 200), font=small)
    if event.text:
        pen.text((12, 38), _shortened(pen, event.text, width - 24, small), fill=(200, 200, 200), font=small)
    colours = label_colours(list(event.probabilities))
    _bar(pen, (12, 58, width - 12, 74), event.probabilities, colours, font=small)
    _key(pen, (12, 79), width - 24, colours, small)
    weights = {str(m): event.weights[m] for m in Modality if m in event.weights}
    _bar(pen, (12, 104, width - 12, 122), weights, MODALITY_COLOURS, font=small)
    return np.asarray(image)


def _shortened(pen: Any, words: str, room: float, font: Any) -> str:
    """The words on one line, as many as there is room for."""
    line = " ".join(words.split())
    if pen.textlength(line, font=font) <= room:
        return line
    kept = len(line)
    while kept and pen.textlength(f"{line[:kept]}…", font=font) > room:
        kept -= 1
    return f"{line[:kept]}…"


def _key(pen: Any, at: tuple[int, int], room: float, colours: dict[str, str], font: Any) -> None:
    """Which colour is which, where it fits on one line."""
    step = {name: 14 + pen.textlength(name, font=font) + 10 for name in colours}
    if sum(step.values()) - 10 > room:
        return
    left, top = float(at[0]), at[1]
    for name, colour in colours.items():
        pen.rectangle((round(left), top + 4, round(left) + 9, top + 13), fill=rgb(colour))
        pen.text((left + 14, top), name, fill=(170, 170, 170), font=font)
        left += step[name]


def _bar(
    pen: Any, box: tuple[int, int, int, int], shares: dict[str, float], colours: dict[str, str], font: Any
) -> None:
    """Shares side by side, each with its name where there is room."""
    left, top, right, bottom = box
    pen.rectangle(box, outline=(70, 70, 70))
    at = float(left)
    for name, share in shares.items():
        end = at + share * (right - left)
        if end - at >= 1:
            colour = rgb(colours[name])
            pen.rectangle((round(at), top, round(end), bottom), fill=colour)
            words = f"{name} {share:.0%}"
            if pen.textlength(words, font=font) < end - at - 8:
                ink = (20, 20, 20) if sum(colour) > 330 else (245, 245, 245)  # dark letters on light colours
                pen.text((at + 5, top + 1), words, fill=ink, font=font)
        at = end
