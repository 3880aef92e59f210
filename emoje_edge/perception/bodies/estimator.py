"""What the pass over a source asks of a pose stage, and the one that ships.

    with BlazePose(people=2) as estimator:
        for body in estimator.estimate(pixels, time):
            print(body.person, body.joints)

Eleven landmarks of the face end in `landmarks`: one point between the ears is what is left of the head.  No pixel is
kept but some 1,300 samples of the last picture, by which a cut and a still are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.perception.bodies.networks import Networks, shared_networks
from emoje_edge.perception.bodies.scene import Scene
from emoje_edge.perception.bodies.tracker import Tracker
from emoje_edge.perception.skeleton import JOINTS
from emoje_edge.shapes import MOST_PEOPLE

_OLDEST = 1.0  # s after which a still picture is looked at again


@dataclass(frozen=True)
class Body:
    """One person in one picture.

    Attributes:
        person: a number from 1, the same while the person is followed; after a cut everybody is new.
        joints: float32 [13, 3] in the order of `skeleton.JOINTS`: x and y in heights of the picture (x to the right, y
            down, from the upper left corner), visibility 0 to 1.
        age: s since it was looked for; above 0 in a picture that is the still of an earlier one.
    """

    person: int
    joints: NDArray[np.float32]
    age: float = 0.0


def first_joints(bodies: Sequence[Body]) -> NDArray[np.float32]:
    """[13, 3] of the body that is known longest; all zero without one."""
    return bodies[0].joints if bodies else np.zeros((len(JOINTS), 3), np.float32)


class PoseEstimator(Protocol):
    """What finds bodies in a picture; another detector is plugged in by having these methods."""

    @property
    def in_view(self) -> int:
        """The most bodies that were seen at one time, followed or not."""
        ...

    def estimate(self, pixels: NDArray[np.uint8], time: float) -> tuple[Body, ...]:
        """The bodies in a picture, those known longest first; none where there is nobody.

        Args:
            pixels: uint8 [H, W, 3] RGB, upright; not kept.
            time: s, rising from call to call.
        """
        ...

    def close(self) -> None:
        """Free the detector; it is not used again."""
        ...


class BlazePose:
    """BlazePose on ONNX Runtime, one stream of pictures each.  A context manager.

    Args:
        people: followed at most, 1 to 16.
        networks: None: the shipped ones, which all streams of a process share.

    Raises:
        UsageError: another number of people.
        WorkError: a model is missing or altered.
    """

    def __init__(self, people: int = 1, *, networks: Networks | None = None) -> None:
        if not 1 <= people <= MOST_PEOPLE:
            raise UsageError(f"{people} people to follow", f"1 to {MOST_PEOPLE} can be followed")
        self._tracker: Tracker | None = Tracker(networks or shared_networks(), people)
        self._scene = Scene()
        self._bodies: tuple[Body, ...] = ()
        self._looked = -np.inf

    def __enter__(self) -> BlazePose:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def in_view(self) -> int:
        return self._open().in_view

    def close(self) -> None:
        """Let go of what is known.  Closing twice does no harm."""
        self._tracker = None

    def estimate(self, pixels: NDArray[np.uint8], time: float) -> tuple[Body, ...]:
        """See `PoseEstimator.estimate`.

        Raises:
            UsageError: pixels that are no RGB picture, or a closed estimator.
        """
        tracker = self._open()
        check_picture(pixels)
        if self._scene.is_cut(pixels):
            tracker.forget()
        elif self._scene.is_still() and 0 <= time - self._looked <= _OLDEST:
            age = time - self._looked
            return tuple(Body(body.person, body.joints, age) for body in self._bodies)
        self._scene.mark_examined()
        self._looked = time
        scale = np.array([1 / pixels.shape[0], 1 / pixels.shape[0], 1], np.float32)
        people = tracker.step(np.ascontiguousarray(pixels), time)
        self._bodies = tuple(Body(person.number, person.joints * scale) for person in people)
        return self._bodies

    def _open(self) -> Tracker:
        if self._tracker is None:
            raise UsageError("this pose estimator is closed", "make a new one")
        return self._tracker


def check_picture(pixels: NDArray[np.uint8]) -> None:
    """Raises UsageError for what is no RGB picture."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise UsageError(f"a picture of {pixels.dtype} {pixels.shape}", "give uint8 [height, width, 3], RGB")
