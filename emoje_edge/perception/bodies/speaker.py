"""Which of several bodies speaks: the one that moves while a voice is heard.

People who speak move head, shoulders and hands with their words; who listens is stiller (McNeill, Hand and Mind, 1992).
The mouth would tell more, but no face is looked at here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.skeleton import JOINTS, VISIBLE
from emoje_edge.shapes import SAMPLE_RATE

_MOVED = np.array([JOINTS.index(n) for n in ("head", "left_shoulder", "right_shoulder", "left_wrist", "right_wrist")])
_SHOULDERS, _HIPS = (1, 2), (7, 8)
_LEAST = 0.15  # shoulder widths a second; below it a body is still, and landmarks only tremble
_CLEARLY = 1.5  # times as much as anybody else
_TORSO = 1.45  # shoulder widths, of a standing adult from the front


class Speakers:
    """Links voices to bodies, one utterance after the other of one source."""

    def __init__(self) -> None:
        self._bodies: dict[str, Counter[int]] = {}  # speaker's name -> how often each body was clearly theirs

    def link(
        self,
        people: Mapping[int, NDArray[np.float32]],
        times: NDArray[np.float64],
        *,
        name: str | None = None,
        sound: NDArray[np.float32] | None = None,
        start: float = 0.0,
    ) -> int | None:
        """Who speaks in an utterance: who clearly moves most, else whose name it was before, else the largest free one.

        Args:
            people: number -> landmarks [T, 13, 3] in one unit; all zero where they are not in view.
            times: [T], s.
            name: of the speaker, where a cue tells it.
            sound: [N] samples at 16 kHz from `start` (s) on: what moves counts by how loud it is.

        Returns:
            The person's number; None where nobody is in view.
        """
        if not people:
            return None
        moves = {number: movement(joints, times, sound, start) for number, joints in people.items()}
        most, *others = sorted(moves, key=lambda number: -moves[number])
        if moves[most] >= max(_LEAST, *(_CLEARLY * moves[other] for other in others), 0.0):
            if name:
                self._bodies.setdefault(name, Counter())[most] += 1
            return most
        theirs = self._bodies.get(name or "", Counter())
        known = [number for number, _ in theirs.most_common() if number in people]
        if known:
            return known[0]
        # two names are two people
        taken = {bodies.most_common(1)[0][0] for other, bodies in self._bodies.items() if other != name}
        free = people.keys() - taken if name else people.keys()
        largest = max(free or people, key=lambda number: size(people[number]))
        if name:
            self._bodies[name] = Counter([largest])
        return largest


def movement(
    joints: NDArray[np.float32], times: NDArray[np.float64], sound: NDArray[np.float32] | None, start: float
) -> float:
    """Mean speed of head, shoulders and wrists in shoulder widths a second, each moment by its loudness.

    Args:
        joints: [T, 13, 3].
        times: [T], s.
        sound: [N] samples at 16 kHz from `start` (s) on; None: all moments count alike.
    """
    scale = size(joints)
    if len(times) < 2 or not scale:
        return 0.0
    points, seen = joints[:, _MOVED, :2], joints[:, _MOVED, 2] >= VISIBLE
    both = seen[1:] & seen[:-1]
    steps = np.diff(times)
    speeds = np.hypot(*np.moveaxis(np.diff(points, axis=0), -1, 0)) / scale / steps[:, None]  # [T - 1, 5]
    speed = np.where(both, speeds, 0).sum(1) / np.maximum(both.sum(1), 1)
    weights = both.any(1) * (_loudness(sound, times, start) if sound is not None else np.ones(len(steps)))
    return float((weights * speed).sum() / weights.sum()) if weights.sum() > 0 else 0.0


def size(joints: NDArray[np.float32]) -> float:
    """Shoulder width of a body in its unit: the median of what is seen of shoulders or torso; 0 for nothing."""
    seen = joints[..., 2] >= VISIBLE

    def middle(pair: tuple[int, int]) -> NDArray[np.float32]:
        return joints[:, list(pair), :2].mean(1)

    shoulders = seen[:, list(_SHOULDERS)].all(1)
    torso = shoulders & seen[:, list(_HIPS)].all(1)
    widths = [np.hypot(*(joints[:, 1, :2] - joints[:, 2, :2])[shoulders].T)]
    widths.append(np.hypot(*(middle(_SHOULDERS) - middle(_HIPS))[torso].T) / _TORSO)
    return max((float(np.median(width)) for width in widths if width.size), default=0.0)


def _loudness(sound: NDArray[np.float32], times: NDArray[np.float64], start: float) -> NDArray[np.float64]:
    """[T - 1] root mean square of the sound between two pictures."""
    edges = np.clip(np.round((times - start) * SAMPLE_RATE).astype(int), 0, len(sound))
    power = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    return np.sqrt((power[edges[1:]] - power[edges[:-1]]) / np.maximum(np.diff(edges), 1))
