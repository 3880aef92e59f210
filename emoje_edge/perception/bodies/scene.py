"""What a picture has to do with the one before: the same still, a hard cut, or neither.

A hard cut changes the colours and where they are.  A shaken camera only moves them, a flash only changes them: neither
of the two cues alone tells a cut (the mean change of grey does not at all: 27 to 30 at cuts, 25 to 27 when shaken).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.bodies.regions import Pixels

_CELLS = 48  # sampling points along the longer side
_COLOURS, _PLACES = 0.35, 0.55  # least share of other colours, most correlation of brightness, at a cut
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
        return _other_colours(old, new) > _COLOURS and _alike_places(old, new) < _PLACES

    def is_still(self) -> bool:
        """Whether the picture given last is the one for which `looked` was called, but for noise of coding."""
        if self._last is None or self._looked is None or self._last.shape != self._looked.shape:
            return False
        change = np.abs(self._last - self._looked).mean(-1)
        rows, columns = (max(1, n // _BLOCK) for n in change.shape)
        blocks = [part.mean() for band in np.array_split(change, rows) for part in np.array_split(band, columns, 1)]
        return max(blocks) < _STILL

    def looked(self) -> None:
        """The picture given last was looked at: stills are told from it on."""
        self._looked = self._last


def _samples(picture: Pixels) -> NDArray[np.int16]:
    height, width = picture.shape[:2]
    step = max(1, max(height, width) // _CELLS)
    return picture[min(step, height) // 2 :: step, min(step, width) // 2 :: step].astype(np.int16)


def _other_colours(old: NDArray[np.int16], new: NDArray[np.int16]) -> float:
    """Share of pixels, 0 to 1, whose colour (of 64) the other picture has not."""

    def histogram(samples: NDArray[np.int16]) -> NDArray[np.float64]:
        bins = (samples >> 6) @ np.array([16, 4, 1], np.int16)
        return np.bincount(bins.reshape(-1), minlength=64) / bins.size

    return float(np.abs(histogram(old) - histogram(new)).sum() / 2)


def _alike_places(old: NDArray[np.int16], new: NDArray[np.int16]) -> float:
    """Correlation of the brightness at the same places, -1 to 1; 1 where both are of one colour throughout."""
    a, b = old.mean(-1).reshape(-1), new.mean(-1).reshape(-1)
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    if length < 1e-6:
        return 1.0 if not (a.any() or b.any()) else 0.0
    return float(a @ b) / length
