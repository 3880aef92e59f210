"""Turned squares of a picture, and what lies in them as small upright pictures (numpy only).

OpenCV does the same in half the time (0.9 against 1.7 ms of the 12 a body costs) for 60 MB more to install; swscale,
which PyAV brings, cannot turn; Pillow cannot continue the edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
_STEPS = 32  # positions between two pixels that are told apart, as OpenCV's bilinear remapping does


class Region(NamedTuple):
    """A turned square of a picture: centre and side in px, angle in radians (0 upright, clockwise)."""

    x: float
    y: float
    side: float
    angle: float

    def matrix(self, size: int) -> NDArray[np.float64]:
        """[2, 3]: from pixels of a crop of `size` x `size` to pixels of the picture."""
        scale = self.side / size
        c, s = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        half = size / 2
        return np.array([[c, -s, self.x - half * (c - s)], [s, c, self.y - half * (s + c)]])

    def distance(self, other: Region) -> float:
        """Between the centres, in half sides of the smaller one."""
        return float(np.hypot(self.x - other.x, self.y - other.y)) / (min(self.side, other.side) / 2)

    def alike(self, other: Region, near: float) -> bool:
        """Whether both may hold the same body: centres closer than `near`, sides within a factor of two."""
        return self.distance(other) < near and 0.5 < self.side / other.side < 2


def squares(width: int, height: int) -> list[Region]:
    """The whole picture, and overlapping squares along its longer side: a body below half the height shows there."""
    short, spare = min(width, height), abs(width - height)
    found = [Region(width / 2, height / 2, max(width, height), 0.0)]
    tiles = min(int(np.ceil(2 * max(width, height) / short)) - 1, 7)  # a picture of 8,000 x 50 is no place for more
    for start in np.linspace(0, spare, tiles) if tiles > 1 else ():
        along, across = float(start) + short / 2, short / 2
        x, y = (along, across) if width > height else (across, along)
        found.append(Region(x, y, short, 0.0))
    return found


def crop(picture: Pixels, region: Region, size: int, *, black: bool = False) -> Pixels:
    """The region as an upright picture, bilinear.

    Args:
        picture: [H, W, 3].
        size: px, of the result [size, size, 3].
        black: what is beyond the picture: black, else its edge goes on.
    """
    height, width = picture.shape[:2]
    m = region.matrix(size) * _STEPS
    u = np.arange(size)
    # [size, size] positions in 1/32 px
    x = (m[0, 0] * u + m[0, 2]).astype(np.float32) + (m[0, 1] * u).astype(np.float32)[:, None]
    y = (m[1, 0] * u + m[1, 2]).astype(np.float32) + (m[1, 1] * u).astype(np.float32)[:, None]
    right, bottom = (width - 1) * _STEPS, (height - 1) * _STEPS
    outside = (x < 0) | (y < 0) | (x > right) | (y > bottom) if black else None
    xi = np.clip(x + 0.5, 0, max(right - 1, 0)).astype(np.int32)
    yi = np.clip(y + 0.5, 0, max(bottom - 1, 0)).astype(np.int32)
    fx, fy = (xi & 31).astype(np.uint16), (yi & 31).astype(np.uint16)
    at = ((yi >> 5) * width + (xi >> 5)).astype(np.intp)
    at *= 3
    # weights of the four neighbours sum to 256, so that the products fit 16 bits
    weights = [(w + 2) >> 2 for w in (fx * (32 - fy), (32 - fx) * fy, fx * fy)]
    first = 256 - weights[0] - weights[1] - weights[2]
    flat, out = picture.reshape(-1), np.empty((size, size, 3), np.uint8)
    for channel in range(3):
        total = flat[channel:].take(at, mode="clip") * first
        for weight, step in zip(weights, (3, 3 * width, 3 * width + 3), strict=True):
            # "clip": below the last row and beyond the last pixel the weight is 0, whatever is read
            total += flat[channel + step :].take(at, mode="clip") * weight if flat[channel + step :].size else 0
        total += 128
        total >>= 8
        out[..., channel] = total
    if outside is not None:
        out[outside] = 0
    return out


def crops(picture: Pixels, regions: Sequence[Region], size: int, *, black: bool = False) -> Pixels:
    """[N, size, size, 3]: each region's crop."""
    return np.stack([crop(picture, region, size, black=black) for region in regions])


def around(center: Floats, rim: Floats) -> Region:
    """The crop of a body from the middle of its hips and a point on the circle around it, which is its up."""
    dx, dy = float(rim[0] - center[0]), float(rim[1] - center[1])
    angle = np.pi / 2 - np.arctan2(-dy, dx)
    angle -= 2 * np.pi * np.floor((angle + np.pi) / (2 * np.pi))
    return Region(float(center[0]), float(center[1]), 2 * float(np.hypot(dx, dy)) * _MARGIN, float(angle))


_MARGIN = 1.25  # of a crop around the circle, as in MediaPipe's pose_landmarks_to_roi
