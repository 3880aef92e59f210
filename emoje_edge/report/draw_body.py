"""A skeleton on black, drawn from landmarks alone: nothing of the source's pixels gets here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.skeleton import BONES, VISIBLE

Picture = NDArray[np.uint8]
_LEFT, _RIGHT, _MIDDLE = (90, 200, 255), (255, 170, 90), (235, 235, 235)
# several people: a colour each (Okabe and Ito's set without its dark ones), then again from the first
PEOPLE = ((86, 180, 233), (230, 159, 0), (0, 190, 140), (240, 228, 66), (204, 121, 167), (235, 235, 235))
_FINE = 2  # drawn this many times as large, then scaled down: Pillow's lines have hard edges


def draw_people(people: Mapping[int, NDArray[np.floating]], width: int, height: int) -> Picture:
    """[height, width, 3] RGB with the skeletons of these people.

    Args:
        people: number -> [13, 3]: x, y in 0 to 1 of the picture's width and height, visibility.  One alone has a
            colour a side; several have a colour each.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width * _FINE, height * _FINE))
    pen = ImageDraw.Draw(image)
    for number, points in people.items():
        colours = (_LEFT, _RIGHT, _MIDDLE) if len(people) == 1 else (PEOPLE[(number - 1) % len(PEOPLE)],) * 3
        _draw(pen, points, (width * _FINE, height * _FINE), colours)
    return np.asarray(image.reduce(_FINE))


def _draw(
    pen: Any, points: NDArray[np.floating], size: tuple[int, int], colours: tuple[tuple[int, int, int], ...]
) -> None:
    left, right, middle = colours
    height = size[1]
    seen = np.isfinite(points).all(-1) & (points[:, 2] >= VISIBLE)
    clean = np.nan_to_num(points[:, :2], nan=0.0, posinf=0.0, neginf=0.0).clip(-2, 3)
    at = np.multiply(clean, size, dtype=np.float32)
    thick = max(round(height / 110), 2 * _FINE)
    for a, b in BONES:
        if seen[a] and seen[b]:
            colour = middle if a % 2 != b % 2 else left if a % 2 else right
            pen.line((*at[a], *at[b]), fill=colour, width=thick)
    for joint in range(1, len(points)):
        if seen[joint]:
            _circle(pen, at[joint], thick * 0.8, fill=left if joint % 2 else right)
    if seen[0]:
        _draw_head(pen, at, height, middle, thick, shoulders=bool(seen[1] and seen[2]))


def _draw_head(
    pen: Any, at: NDArray[np.floating], height: int, colour: tuple[int, int, int], thick: int, *, shoulders: bool
) -> None:
    """A plain circle, on a neck where there are shoulders."""
    radius = 0.38 * float(np.hypot(*(at[1] - at[2]))) if shoulders else 0.07 * height
    radius = min(max(radius, 0.03 * height), 0.2 * height)
    if shoulders:
        neck = (at[1] + at[2]) / 2
        away = at[0] - neck
        length = float(np.hypot(*away))
        if length > radius:
            pen.line((*neck, *(at[0] - away / length * radius)), fill=colour, width=thick)
    _circle(pen, at[0], radius, outline=colour, width=thick)


def _circle(pen: Any, center: NDArray[np.floating], radius: float, **look: Any) -> None:
    x, y = float(center[0]), float(center[1])
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), **look)
