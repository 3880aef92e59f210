"""Who is who from picture to picture: bodies are followed, told apart where they cross, and found again.

A body's two auxiliary landmarks give its crop in the next picture, so the detector rests while everybody is followed.
Numbers are kept by motion and bone lengths, never by looks: what was found in all crops is given to those whom it
surprises least, those who were lost a moment ago among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from emoje_edge.perception.bodies.detector import Found, find
from emoje_edge.perception.bodies.landmarks import BODY, CENTER, RIM, look
from emoje_edge.perception.bodies.networks import Networks
from emoje_edge.perception.bodies.person import Person, Place, place_of, width_of
from emoje_edge.perception.bodies.regions import Floats, Pixels, Region, around

MEMORY = 4.0  # s for which a body that was lost keeps its number
# s between two looks for others: at rest, while somebody is lost or the scene is new, and to count
_SEARCH, _SEARCH_SOON, _COUNT = 1.0, 0.16, 3.0
_NEW = 1.5  # s for which a scene is new
_TAKEN = 0.5  # shoulder widths: a detection this near to somebody followed is them
_ONE_PLACE, _ONE_POSE = 0.6, 0.36  # shoulder widths between two crops' bodies that are one: their places, their joints
_STAY = 0.2  # shoulder widths by which another's body must fit better than what was found in one's own crop
# Two people this near (shoulder widths), and for so long (s) after it, may be taken for one another: meanwhile the
# detector looks, and what it does not see costs as many shoulder widths as this
_MEETING, _MET, _UNSURE = 1.5, 1.0, 1.0
_UPRIGHT = 1.5  # radians by which somebody new among several may be turned
_THERE, _MISSED = 1.0, 4  # shoulder widths; looks of the detector in a row that do not see somebody who is followed


class _Seen(NamedTuple):
    """A body in this picture: its points [16, 3], whose crops it was found in, and whether the detector sees it too."""

    points: Floats
    owners: list[Person]
    sure: bool


class Tracker:
    """Follows up to `people` bodies; with one, as MediaPipe does.

    Attributes:
        in_view: the most bodies that were seen at one time, followed or not.
    """

    def __init__(self, networks: Networks, people: int = 1) -> None:
        self.in_view = 0
        self._networks, self._people = networks, people
        self._next = 1
        self.forget()

    def forget(self) -> None:
        """Whoever comes now is somebody new."""
        self._persons: list[Person] = []
        # s, of the last look for others, of when two people last met, of the scene's first picture
        self._searched, self._met, self._began = -np.inf, -np.inf, np.nan

    def step(self, picture: Pixels, time: float) -> list[Person]:
        """The bodies in a picture [H, W, 3] at a time (s), those known longest first."""
        self._searched = min(self._searched, time)  # a clock that was set back
        self._began = time if np.isnan(self._began) else self._began
        self._persons = [p for p in self._persons if p.region or 0 <= time - p.seen <= MEMORY]
        followed = [p for p in self._persons if p.region]
        if any(_meet(a, b) for a, b in combinations(followed, 2)):
            self._met = time
        found: list[Found] | None = None
        if time - self._searched >= self._patience(followed, time):
            self._searched = time
            found = find(self._networks, picture, small=self._people > 1)
            self.in_view = max(self.in_view, len(found))
            followed = [p for p in followed if self._is_there(p, found)]
        self._give(self._look(picture, followed, found, time), time)
        present = [p for p in self._persons if p.region]
        self.in_view = max(self.in_view, len(present))
        return present

    def _is_there(self, person: Person, found: Sequence[Found]) -> bool:
        """Whether somebody followed is a body: one that the detector never sees again was a shadow, and is let go."""
        seen = any(_is(one, person.place, person.width, within=_THERE) for one in found)
        person.missed = 0 if seen else person.missed + 1
        if self._people > 1 and person.missed >= _MISSED:
            person.lose()
        return person.region is not None

    def _patience(self, followed: Sequence[Person], time: float) -> float:
        """s to wait between two looks of the detector."""
        if not followed:
            return 0.0
        if 0 <= time - self._met <= _MET:
            return _SEARCH_SOON
        if len(followed) >= self._people:
            return _COUNT if self._people == 1 else np.inf
        soon = len(followed) < len(self._persons) or time - self._began < _NEW
        return _SEARCH_SOON if soon else _SEARCH

    def _new(self, found: Sequence[Found], followed: Sequence[Person], time: float) -> list[Region]:
        """Crops of whom the detector sees besides those followed, as many as there is room for, the lost first."""
        lost = [p for p in self._persons if not p.region]
        new = [one for one in found if not any(_is(one, p.place, p.width) for p in followed)]
        if self._people > 1:
            # looking for many in small squares finds shadows, which lie or stand on their heads as often as not
            new = [one for one in new if abs(one.region.angle) < _UPRIGHT]
        new.sort(key=lambda one: not any(p.reachable(one.place, time) for p in lost))  # stable: else best first
        # whoever is followed where the detector sees nobody may be one of these
        unsure = sum(not any(_is(one, p.place, p.width) for one in found) for p in followed)
        return [one.region for one in new[: self._people - len(followed) + unsure]]

    def _look(
        self, picture: Pixels, followed: Sequence[Person], found: Sequence[Found] | None, time: float
    ) -> list[_Seen]:
        """The different bodies in all crops, those of people followed first; found: None without a look for others."""
        detected = self._new(found, followed, time) if found is not None else []
        regions = [p.region for p in followed if p.region] + detected
        owners = [[p] for p in followed] + [[] for _ in detected]
        seen: list[_Seen] = []
        for points, whose in zip(look(self._networks, picture, regions), owners, strict=True):
            if points is None:
                continue
            same = next((one for one in seen if _one_body(one.points, points)), None)
            if same is not None:
                same.owners.extend(whose)  # two crops fell onto one body: it is one of them, the other is hidden
                continue
            width = width_of(around(points[CENTER, :2], points[RIM, :2]))
            sure = found is None or any(_is(one, place_of(points), width) for one in found)
            seen.append(_Seen(points, whose, sure))
        return seen

    def _give(self, seen: Sequence[_Seen], time: float) -> None:
        """Everybody's state from the bodies of this picture."""
        given = _assign(self._persons, seen, time)
        for person in self._persons:
            if person not in given or person not in given[person].owners:
                person.lose()
        for person, one in given.items():
            person.update(one.points, time)
        taken = {id(one) for one in given.values()}
        for one in seen:
            room = sum(p.region is not None for p in self._persons) < self._people
            if room and id(one) not in taken and not one.owners:
                person = Person(self._next)
                self._next += 1
                person.update(one.points, time)
                self._persons.append(person)


def _assign(persons: Sequence[Person], seen: Sequence[_Seen], time: float) -> dict[Person, _Seen]:
    """Which of the bodies seen is whose: everybody's surprise together is least."""
    if len(persons) == len(seen) == 1 and seen[0].owners:
        return {persons[0]: seen[0]}
    cost: dict[tuple[Person, int], float] = {}
    for index, one in enumerate(seen):
        for person in persons:
            own = person in one.owners
            if own or person.reachable(place_of(one.points), time):
                cost[person, index] = person.surprise(one.points, time) - _STAY * own + _UNSURE * (not one.sure)
    given: dict[Person, int] = {}
    for person, index in sorted(cost, key=lambda pair: cost[pair]):
        if person not in given and index not in given.values():
            given[person] = index
    while _exchange(given, cost):
        pass
    return {person: seen[index] for person, index in given.items()}


def _exchange(given: dict[Person, int], cost: dict[tuple[Person, int], float]) -> bool:
    """Let two people change bodies where that is better for both together."""
    for a in given:
        for b in given:
            changed = cost.get((a, given[b]), np.inf) + cost.get((b, given[a]), np.inf)
            if changed < cost[a, given[a]] + cost[b, given[b]] - 1e-9:
                given[a], given[b] = given[b], given[a]
                return True
    return False


def _is(found: Found, place: Place, width: float, *, within: float = _TAKEN) -> bool:
    """Whether a detection is the body at this place, so wide (px)."""
    return float(np.hypot(*(found.place - place))) < within * min(width, width_of(found.region))


def _meet(a: Person, b: Person) -> bool:
    return float(np.hypot(*(a.place - b.place))) < _MEETING * min(a.width, b.width)


def _one_body(a: Floats, b: Floats) -> bool:
    """Whether the points [16, 3] of two crops are those of one body: same place, same size, same pose."""
    one, other = (width_of(around(p[CENTER, :2], p[RIM, :2])) for p in (a, b))
    width = min(one, other)
    if not 0.5 < one / max(other, 1e-9) < 2:
        return False
    apart = float(np.hypot(*(a[BODY, :2] - b[BODY, :2]).T).mean())
    return float(np.hypot(*(place_of(a) - place_of(b)))) < _ONE_PLACE * width and apart < _ONE_POSE * width
