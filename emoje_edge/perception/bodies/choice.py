"""The pose stages that can be chosen by name."""

from __future__ import annotations

from collections.abc import Callable

from emoje_edge.errors import UsageError
from emoje_edge.perception.bodies.estimator import BlazePose, PoseEstimator
from emoje_edge.shapes import MOST_PEOPLE

STAGES = ("onnx", "mediapipe")


def pose_stage(name: str, people: int = 1) -> Callable[[], PoseEstimator]:
    """What makes the estimator of one stream.

    Args:
        name: `"onnx"`: BlazePose on ONNX Runtime; `"mediapipe"`: the reference, an extra, for one person.
        people: followed at most.

    Raises:
        UsageError: no such stage, or more people than it follows.
    """
    if name not in STAGES:
        raise UsageError(f"pose stage {name!r}", f"there are {' and '.join(STAGES)}")
    most = MOST_PEOPLE if name == "onnx" else 1
    if not 1 <= people <= most:
        allowed = f"it follows 1 to {most}" if most > 1 else "it follows one"
        raise UsageError(f"{people} people for the pose stage {name}", allowed)
    if name == "mediapipe":
        from emoje_edge.perception.bodies.mediapipe_reference import MediaPipe

        return MediaPipe
    return lambda: BlazePose(people)
