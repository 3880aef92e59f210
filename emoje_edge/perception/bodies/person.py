"""One body that is or was followed: where it was, how it moves, how long its bones are.

A body's place is the middle of its shoulders, and distances count in its shoulder widths: hips, from which the crop is
made, are often out of the picture, and the crop reaches far beyond the body.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.bodies.landmarks import BODY, CENTER, RIM, SHOULDERS, joints_of
from emoje_edge.perception.bodies.regions import Floats, Region, around
from emoje_edge.perception.bodies.smoothing import OneEuro

_WIDTHS = 6.0  # shoulder widths in the side of a body's crop, for an adult from the front
_TRAIL, _FEW = 1.2, 5  # s of places from which its motion is told; fewer places tell none
_COASTING, _FASTEST = 3.0, 3.0  # s for which a lost body is taken to move on; shoulder widths a second at most
_REACH, _DRIFT = 2.0, 1.5  # shoulder widths from where it should be: at once, and more for each s it was lost
_VISIBLE, _VISIBILITY_SHARE = 0.5, 0.1  # of a joint whose bones are measured; of a new visibility, as MediaPipe's
# pairs of the points after the ears: shoulders, upper arms, forearms, sides of the torso
_BONES = np.array([(2, 3), (2, 4), (3, 5), (4, 6), (5, 7), (2, 8), (3, 9)])

Place = NDArray[np.float64]


def place_of(points: Floats) -> Place:
    """[2] px, the middle of the shoulders of points [16, 3]."""
    return np.asarray(points[SHOULDERS, :2].mean(0), np.float64)


def width_of(region: Region) -> float:
    """px, about the shoulder width of the body whose crop this is."""
    return region.side / _WIDTHS


@dataclass(eq=False)
class Person:
    """One body that is or was followed.

    Attributes:
        number: its own, from 1; never given again.
        region: its crop in the next picture; None while it is lost.
        seen: s, when it was found last.
        joints: [13, 3] smoothed: x, y in px of the picture, visibility.
        place: [2] px, the middle of its shoulders when it was found last.
        width: px, its shoulder width, by its crop.
        missed: looks of the detector, the last ones, that did not see it.
    """

    number: int
    region: Region | None = None
    seen: float = 0.0
    joints: Floats = field(default_factory=lambda: np.zeros((13, 3), np.float32))
    place: Place = field(default_factory=lambda: np.zeros(2))
    width: float = 1.0
    missed: int = 0
    _trail: deque[tuple[float, float, float]] = field(default_factory=deque)  # s, px, px
    _bones: NDArray[np.float64] = field(default_factory=lambda: np.full(len(_BONES), np.nan))  # px
    _visibility: Floats | None = None
    # MediaPipe's settings: min_cutoff and beta of the landmarks, and of the two that make the crop
    _body: OneEuro = field(default_factory=lambda: OneEuro(0.05, 80))
    _crop: OneEuro = field(default_factory=lambda: OneEuro(0.01, 10))

    def expected(self, time: float) -> Place:
        """[2] px where it should be at a time (s), if it moves on as it did.

        Its motion is the median of the slopes between all its last places (Theil and Sen): a few that were somebody
        else's, as where one passes behind another, do not turn it.
        """
        if len(self._trail) < _FEW:
            return self.place
        t, x, y = np.array(self._trail).T
        later, earlier = np.triu_indices(len(t), 1)[::-1]
        places = np.stack([x, y], 1)
        slopes = (places[later] - places[earlier]) / (t[later] - t[earlier])[:, None]
        speed = np.median(slopes, axis=0)
        speed *= min(1.0, _FASTEST * self.width / max(float(np.hypot(*speed)), 1e-9))
        at = np.median(places - speed * (t - t[-1])[:, None], axis=0)
        return np.asarray(at + speed * min(max(time - t[-1], 0.0), _COASTING))

    def surprise(self, points: Floats, time: float) -> float:
        """How little these points [16, 3] are its own: shoulder widths from where it should be, change of its bones."""
        found = around(points[CENTER, :2], points[RIM, :2])
        change = np.abs(np.log(_bones(points) / self._bones))
        known = change[np.isfinite(change)]
        bones = float(known.mean()) if known.size else 0.0
        away = float(np.hypot(*(place_of(points) - self.expected(time)))) / self.width
        return away + abs(float(np.log(self.width / max(width_of(found), 1e-9)))) + bones

    def reachable(self, place: Place, time: float) -> bool:
        """Whether a body at this place (px) may be this one."""
        away = float(np.hypot(*(self.expected(time) - place))) / self.width
        return away < _REACH + _DRIFT * max(time - self.seen, 0.0)

    def lose(self) -> None:
        """It is not found in its crop."""
        self.region, self.missed, self._body, self._crop = None, 0, OneEuro(0.05, 80), OneEuro(0.01, 10)

    def update(self, points: Floats, time: float) -> None:
        """Take the points [16, 3] found of it at a time (s)."""
        size = 2 * float(np.hypot(*(points[RIM, :2] - points[CENTER, :2])))
        new = points[BODY, 2]
        old = new if self._visibility is None else self._visibility
        self._visibility = _VISIBILITY_SHARE * new + (1 - _VISIBILITY_SHARE) * old
        xy = self._body(points[BODY, :2], time, size)
        center, rim = self._crop(points[[CENTER, RIM], :2], time, size)
        self.joints = joints_of(np.column_stack([xy, self._visibility]).astype(np.float32))
        self.region = around(center, rim)
        self.place, self.width = place_of(points), width_of(self.region)
        bones = _bones(points)
        # projection only shortens: a bone is as long as it was seen, and forgotten slowly
        self._bones = np.fmax(bones, 0.98 * self._bones)
        if self._trail and not self._trail[-1][0] < time <= self._trail[-1][0] + _COASTING:
            self._trail.clear()  # a clock that was set back, or too long ago to tell a motion
        self._trail.append((time, *self.place))
        while self._trail[0][0] < time - _TRAIL:
            self._trail.popleft()
        self.seen = time


def _bones(points: Floats) -> NDArray[np.float64]:
    """Lengths in px; NaN where an end is not seen."""
    ends = points[_BONES]
    lengths = np.hypot(*(ends[:, 0, :2] - ends[:, 1, :2]).T).astype(np.float64)
    return np.where((ends[..., 2] >= _VISIBLE).all(1) & (lengths > 1), lengths, np.nan)
