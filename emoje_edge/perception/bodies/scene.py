"""What a picture has to do with the one before: the same still, a hard cut, or neither.

At a hard cut nothing is where it was, nor anywhere near.  A shaken or panned camera moves everything alike, so that
the two pictures agree again when one is shifted; a flash or a lamp changes brightness, not where it is.  Two shots of
people before a wall may agree in what is bright and what is dark; then the finer structure, each point less the mean
around it, tells them apart.  Neither the mean change of grey (27 to 30 at cuts, 25 to 27 when shaken) nor the colours
(.07 to .19 at the cuts of a dark stage, .02 to .08 when shaken) do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.bodies.regions import Pixels

Cells = NDArray[np.float64]
_CELLS = 48  # sampling points along the longer side
_SHIFT = 5  # sampling points by which a camera may jump, a tenth of the picture
# correlation of brightness from which two pictures show one place: shaken .69 and more, most cuts .56 at most, made
# ones up to .70
_ALIKE, _SURELY_ALIKE = 0.66, 0.85
# the same of the fine structure: cuts .32 at most, a stage with dancers .43 and more, shaken .43 and more; a structure
# weaker than so many levels (root mean square, three channels together) is noise of the camera
_FINE_ALIKE, _AROUND, _NOISE = 0.37, 4, 9.0
_CHANGE = 6.0  # levels: where the mean change is less, there was no cut (a dark stage's have 27 and more)
_BLOCK, _STILL = 4, 3.0  # sampling points a block's side; levels of change that no block passes in a still


class Scene:
    """Compares pictures by some 1,300 of their pixels; nothing else of them is kept."""

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None
        self._looked: NDArray[np.int16] | None = None

    def is_cut(self, picture: Pixels) -> bool:
        """Whether this picture [H, W, 3] shows another scene than the one given before."""
        new, old = _samples(picture), self._last
        self._last = new
        if old is None:
            return False
        if old.shape != new.shape:
            return True
        if np.abs(new - old).mean() < _CHANGE:
            return False
        a, b = _brightness(old), _brightness(new)
        if _correlation(a, b, 0, 0) > _SURELY_ALIKE:
            return False
        if max(_strength(a - a.mean()), _strength(b - b.mean())) > _NOISE and _differ(a, b, _ALIKE):
            return True
        a, b = _fine(a), _fine(b)
        return min(_strength(a), _strength(b)) > _NOISE and _differ(a, b, _FINE_ALIKE)

    def is_still(self) -> bool:
        """Whether the picture given last is the one for which `mark_examined` was called, but for noise of coding."""
        if self._last is None or self._looked is None or self._last.shape != self._looked.shape:
            return False
        change = np.abs(self._last - self._looked).sum(-1)
        for axis in (0, 1):
            starts = np.arange(max(1, change.shape[axis] // _BLOCK)) * _BLOCK
            change = np.add.reduceat(change, starts, axis) / np.diff([*starts, change.shape[axis]]).reshape(
                (-1, 1) if axis == 0 else (1, -1)
            )
        return bool(change.max() < 3 * _STILL)

    def mark_examined(self) -> None:
        """The picture given last was looked at: stills are told from it on."""
        self._looked = self._last


def _samples(picture: Pixels) -> NDArray[np.int16]:
    """Means of four pixels each, some 48 along the longer side."""
    height, width = picture.shape[:2]
    step = max(1, max(height, width) // (2 * _CELLS))
    fine = picture[min(step, height) // 2 :: step, min(step, width) // 2 :: step].astype(np.int16)
    rows, columns = fine.shape[0] // 2 * 2, fine.shape[1] // 2 * 2
    if not (rows and columns):
        return fine
    fine = fine[:rows, :columns]
    return (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) // 4


def _brightness(cells: NDArray[np.int16]) -> Cells:
    return np.asarray(cells.sum(-1, dtype=np.float64))


def _fine(cells: Cells) -> Cells:
    """Each cell less the mean of those around it."""
    mean = cells
    for axis in (0, 1):
        pad = [(_AROUND, _AROUND) if i == axis else (0, 0) for i in (0, 1)]
        total = np.cumsum(np.pad(mean, pad, mode="edge"), axis=axis)
        total = np.insert(total, 0, 0, axis=axis)
        width, length = 2 * _AROUND + 1, cells.shape[axis]
        ends = np.arange(width, width + length)
        mean = (total.take(ends, axis) - total.take(ends - width, axis)) / width
    return cells - mean


def _strength(cells: Cells) -> float:
    return float(np.sqrt(np.square(cells).mean()))


def _differ(old: Cells, new: Cells, alike: float) -> bool:
    """Whether no shift of the camera brings a correlation as high as `alike`."""
    down, along = (min(_SHIFT, n // 4) for n in old.shape)
    shifts = [(y, x) for y in range(-down, down + 1) for x in range(-along, along + 1)]
    shifts.sort(key=lambda shift: abs(shift[0]) + abs(shift[1]))  # the likely ones first
    return all(_correlation(old, new, y, x) < alike for y, x in shifts)


def _correlation(old: Cells, new: Cells, down: int, along: int) -> float:
    """Where both overlap, the new one shifted, -1 to 1; two pictures of one brightness each are alike."""
    height, width = old.shape
    a = old[max(down, 0) : height + min(down, 0), max(along, 0) : width + min(along, 0)]
    b = new[max(-down, 0) : height + min(-down, 0), max(-along, 0) : width + min(-along, 0)]
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a * a).sum() * (b * b).sum()))
    if length < 1e-6:
        return 0.0 if a.any() or b.any() else 1.0
    return float((a * b).sum()) / length
