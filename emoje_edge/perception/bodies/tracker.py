"""Who is who from picture to picture: bodies are followed, told apart where they cross, and found again.

A body's two auxiliary landmarks give its crop in the next picture, so the detector rests while everybody is followed.
Numbers are kept by motion and bone lengths, never by looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.bodies.detector import find
from emoje_edge.perception.bodies.landmarks import BODY, CENTER, RIM, joints_of, look
from emoje_edge.perception.bodies.networks import Networks
from emoje_edge.perception.bodies.regions import Floats, Pixels, Region, around
from emoje_edge.perception.bodies.smoothing import OneEuro

MEMORY = 3.0  # s for which a body that was lost keeps its number
# s between two looks for others: at rest, while somebody is lost or the scene is new, and to count
_SEARCH, _SEARCH_SOON, _COUNT = 1.0, 0.16, 3.0
_NEW = 1.5  # s for which a scene is new
_TAKEN, _ONE_BODY = 0.5, 0.5  # half sides: a detection this near to somebody followed is them; two crops on one body
_ONE_POSE = 0.06  # mean distance of two bodies' joints in sides of the crop, below which they are one body
_COASTING = 2.0  # s for which a lost body is taken to move on
_REACH, _DRIFT = 0.8, 0.5  # half sides from where it should be: at once, and more for each s it was lost
_STEADY = 0.3  # share of a new speed in what is known of it
_VISIBLE, _VISIBILITY_SHARE = 0.5, 0.1  # of a joint whose bones are measured; of a new visibility, as MediaPipe's
# pairs of the points after the ears: shoulders, upper arms, forearms, sides of the torso
_BONES = np.array([(2, 3), (2, 4), (3, 5), (4, 6), (5, 7), (2, 8), (3, 9)])


@dataclass(eq=False)
class Person:
    """One body that is or was followed.

    Attributes:
        number: its own, from 1; never given again.
        region: its crop in the next picture; None while it is lost.
        seen: s, when it was found last.
        joints: [13, 3] smoothed: x, y in px of the picture, visibility.
    """

    number: int
    region: Region | None
    seen: float
    joints: Floats = field(default_factory=lambda: np.zeros((13, 3), np.float32))
    _last: Region | None = None
    _speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))  # px/s
    _bones: NDArray[np.float64] = field(default_factory=lambda: np.full(len(_BONES), np.nan))  # px
    _visibility: Floats | None = None
    # MediaPipe's settings: min_cutoff and beta of the landmarks, and of the two that make the crop
    _body: OneEuro = field(default_factory=lambda: OneEuro(0.05, 80))
    _crop: OneEuro = field(default_factory=lambda: OneEuro(0.01, 10))

    @property
    def known(self) -> bool:
        """Whether it was ever looked at, and not only detected."""
        return self._last is not None

    def expected(self, time: float) -> Region:
        """Where it should be at a time (s), if it moves on as it did."""
        last = self._last or self.region
        assert last is not None
        x, y = self._speed * min(max(time - self.seen, 0.0), _COASTING)
        return last._replace(x=last.x + x, y=last.y + y)

    def surprise(self, points: Floats, time: float) -> float:
        """How little these points [16, 3] are its own: half sides from where it should be, and change of its bones."""
        expected, found = self.expected(time), around(points[CENTER, :2], points[RIM, :2])
        change = np.abs(np.log(_bones(points) / self._bones))
        known = change[np.isfinite(change)]
        bones = float(known.mean()) if known.size else 0.0
        return expected.distance(found) + abs(float(np.log(expected.side / found.side))) + bones

    def reachable(self, region: Region, time: float) -> bool:
        """Whether a detection may be this body, lost since `seen`."""
        return self.expected(time).alike(region, _REACH + _DRIFT * max(time - self.seen, 0.0))

    def lose(self) -> None:
        self.region, self._body, self._crop = None, OneEuro(0.05, 80), OneEuro(0.01, 10)

    def update(self, points: Floats, time: float) -> None:
        """Take the points [16, 3] found in its crop at a time (s)."""
        size = 2 * float(np.hypot(*(points[RIM, :2] - points[CENTER, :2])))
        new = points[BODY, 2]
        old = new if self._visibility is None else self._visibility
        self._visibility = _VISIBILITY_SHARE * new + (1 - _VISIBILITY_SHARE) * old
        xy = self._body(points[BODY, :2], time, size)
        center, rim = self._crop(points[[CENTER, RIM], :2], time, size)
        self.joints = joints_of(np.column_stack([xy, self._visibility]).astype(np.float32))
        self.region = around(center, rim)
        if self._last is not None and time > self.seen:
            moved = np.array([self.region.x - self._last.x, self.region.y - self._last.y]) / (time - self.seen)
            self._speed = _STEADY * moved + (1 - _STEADY) * self._speed
        bones = _bones(points)
        # projection only shortens: a bone is as long as it was seen, and forgotten slowly
        self._bones = np.fmax(bones, 0.98 * self._bones)
        self._last, self.seen = self.region, time


def _bones(points: Floats) -> NDArray[np.float64]:
    """Lengths in px; NaN where an end is not seen."""
    ends = points[_BONES]
    lengths = np.hypot(*(ends[:, 0, :2] - ends[:, 1, :2]).T).astype(np.float64)
    return np.where((ends[..., 2] >= _VISIBLE).all(1) & (lengths > 1), lengths, np.nan)


class Tracker:
    """Follows up to `people` bodies; with one, as MediaPipe does.

    Attributes:
        in_view: the most bodies that were seen at one time, followed or not.
    """

    def __init__(self, networks: Networks, people: int = 1) -> None:
        self.in_view = 0
        self._networks, self._people = networks, people
        self._persons: list[Person] = []
        self._next, self._searched = 1, -np.inf
        self._began = np.nan  # s, of the scene's first picture

    def forget(self) -> None:
        """Whoever comes now is somebody new."""
        self._persons, self._searched, self._began = [], -np.inf, np.nan

    def step(self, picture: Pixels, time: float) -> list[Person]:
        """The bodies in a picture [H, W, 3] at a time (s), those known longest first."""
        self._searched = min(self._searched, time)  # a clock that was set back
        self._began = time if np.isnan(self._began) else self._began
        self._persons = [p for p in self._persons if p.region or 0 <= time - p.seen <= MEMORY]
        followed = [p for p in self._persons if p.region]
        if time - self._searched >= self._patience(followed, time):
            followed = self._search(picture, time, followed)
        found = look(self._networks, picture, [p.region for p in followed if p.region])
        found = self._sort(followed, found, time)
        for person, points in zip(followed, found, strict=True):
            if points is None:
                person.lose()
            else:
                person.update(points, time)
        # a detection in which no body was found was none
        self._persons = [p for p in self._persons if p.known]
        present = [p for p in self._persons if p.region]
        self.in_view = max(self.in_view, len(present))
        return present

    def _patience(self, followed: Sequence[Person], time: float) -> float:
        """s to wait between two looks of the detector."""
        if not followed:
            return 0.0
        if len(followed) >= self._people:
            return _COUNT if self._people == 1 else np.inf
        soon = len(followed) < len(self._persons) or time - self._began < _NEW
        return _SEARCH_SOON if soon else _SEARCH

    def _search(self, picture: Pixels, time: float, followed: list[Person]) -> list[Person]:
        """Those followed and whom the detector finds besides: somebody lost, where it may be them, or somebody new."""
        self._searched = time
        found = find(self._networks, picture, small=self._people > 1)
        self.in_view = max(self.in_view, len(found))
        followed = list(followed)
        for _, region in found:
            if len(followed) >= self._people:
                break
            if any(p.region and p.region.alike(region, _TAKEN) for p in followed):
                continue
            lost = [p for p in self._persons if not p.region and p.reachable(region, time)]
            if lost:
                person = min(lost, key=lambda p: p.expected(time).distance(region))
                person.region = region
            else:
                person = Person(self._next, region, time)
                self._next += 1
                self._persons.append(person)
            followed.append(person)
        return followed

    def _sort(self, people: Sequence[Person], found: Sequence[Floats | None], time: float) -> list[Floats | None]:
        """What was found in the crops, each given to whom it surprises least."""
        points = list(found)
        for i, j in combinations(range(len(people)), 2):
            a, b = points[i], points[j]
            if a is None or b is None:
                continue
            first, second = people[i], people[j]
            if _one_body(a, b):
                # two crops fell onto one body: it is one of them, the other is hidden
                points[i if first.surprise(a, time) > second.surprise(b, time) else j] = None
            elif _near(a, b):
                kept = first.surprise(a, time) + second.surprise(b, time)
                if first.surprise(b, time) + second.surprise(a, time) < kept:
                    points[i], points[j] = b, a
        return points


def _near(a: Floats, b: Floats) -> bool:
    return around(a[CENTER, :2], a[RIM, :2]).distance(around(b[CENTER, :2], b[RIM, :2])) < 1


def _one_body(a: Floats, b: Floats) -> bool:
    """Whether the points [16, 3] of two crops are those of one body: same place, same pose."""
    one, other = around(a[CENTER, :2], a[RIM, :2]), around(b[CENTER, :2], b[RIM, :2])
    apart = float(np.hypot(*(a[BODY, :2] - b[BODY, :2]).T).mean()) / min(one.side, other.side)
    return one.alike(other, _ONE_BODY) and apart < _ONE_POSE
