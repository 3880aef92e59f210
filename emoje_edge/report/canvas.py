"""Rectangles, lines and words on a page that becomes a PNG, a PDF (both by Pillow) or an SVG.

That is all a timeline needs; matplotlib would be 60 MB of it.  Units are px from the upper left corner.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Protocol

from emoje_edge.report.palette import rgb
from emoje_edge.shipped import FONT

Box = tuple[float, float, float, float]  # left, top, right, bottom
INK, FAINT = "#222222", "#BBBBBB"


@lru_cache(maxsize=8)
def font(size: int) -> Any:
    """The shipped font: speakers are not all called in Latin letters."""
    from PIL import ImageFont

    return ImageFont.truetype(str(FONT), size)


def words_width(words: str, size: int) -> float:
    """px that a line of words takes."""
    return float(font(size).getlength(words))


class Canvas(Protocol):
    """A page under the pen."""

    def rectangle(self, box: Box, fill: str) -> None: ...

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str = INK) -> None: ...

    def words(
        self, at: tuple[float, float], words: str, size: int, *, anchor: str = "lm", upright: bool = False
    ) -> None:
        """One line of words.

        Args:
            anchor: which point of the words is at `at`: l, m or r, then t, m or b.
            upright: turned by 90 degrees, so that they read from below; `at` is then the middle of their lower end.
        """
        ...

    def save(self, path: Path) -> None:
        """Raises OSError."""
        ...


def canvas(width: int, height: int, *, vector: bool) -> Canvas:
    """A white page."""
    return _Vector(width, height) if vector else _Raster(width, height)


class _Raster:
    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self._image = Image.new("RGB", (width, height), "white")
        self._pen = ImageDraw.Draw(self._image)

    def rectangle(self, box: Box, fill: str) -> None:
        left, top, right, bottom = (round(n) for n in box)
        if right > left and bottom > top:
            self._pen.rectangle((left, top, right - 1, bottom - 1), fill=rgb(fill))

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str = INK) -> None:
        self._pen.line((*start, *end), fill=rgb(colour), width=1)

    def words(
        self, at: tuple[float, float], words: str, size: int, *, anchor: str = "lm", upright: bool = False
    ) -> None:
        from PIL import Image, ImageDraw

        if not upright:
            self._pen.text(at, words, fill=rgb(INK), font=font(size), anchor=anchor)
            return
        strip = Image.new("L", (round(words_width(words, size)) + 4, size + 6))
        ImageDraw.Draw(strip).text((2, strip.height / 2), words, fill=255, font=font(size), anchor="lm")
        strip = strip.transpose(Image.Transpose.ROTATE_90)
        place = (round(at[0] - strip.width / 2), round(at[1] - strip.height))
        self._image.paste(rgb(INK), (*place, place[0] + strip.width, place[1] + strip.height), strip)

    def save(self, path: Path) -> None:
        self._image.save(path, resolution=120)


_ACROSS = {"l": "start", "m": "middle", "r": "end"}
_DOWN = {"t": "text-before-edge", "m": "central", "b": "text-after-edge"}


class _Vector:
    def __init__(self, width: int, height: int) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            ' font-family="DejaVu Sans, sans-serif">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
        ]

    def rectangle(self, box: Box, fill: str) -> None:
        left, top, right, bottom = box
        size = f'width="{right - left:.1f}" height="{bottom - top:.1f}"'
        self._parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{fill}"/>')

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str = INK) -> None:
        ends = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
        self._parts.append(f'<line {ends} stroke="{colour}"/>')

    def words(
        self, at: tuple[float, float], words: str, size: int, *, anchor: str = "lm", upright: bool = False
    ) -> None:
        x, y = at
        across, down = ("start", "central") if upright else (_ACROSS[anchor[0]], _DOWN[anchor[1]])
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if upright else ""
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{across}" dominant-baseline="{down}"{turn}'
        # characters that no XML may hold would make the whole file unreadable
        sound = "".join(c if c.isprintable() else " " for c in words)
        self._parts.append(f'<text {place} font-size="{size}" fill="{INK}">{escape(sound)}</text>')

    def save(self, path: Path) -> None:
        path.write_text("\n".join([*self._parts, "</svg>"]) + "\n", encoding="utf-8", errors="replace")
