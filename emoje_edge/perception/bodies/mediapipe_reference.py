"""MediaPipe's own pose solution: the reference that the stage on ONNX Runtime is held to, and a choice (`--pose`).

The extra `mediapipe`.  It follows one person, and writes start-up messages to standard error.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.extras import install
from emoje_edge.perception.bodies.estimator import Body, check_picture
from emoje_edge.perception.skeleton import JOINTS

_EARS = (7, 8)
# numbers of the joints after the head: shoulders, elbows, wrists, hips, knees, ankles, left before right
_BODY = (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
_TICK = 33_333  # us that MediaPipe counts a picture


class MediaPipe:
    """BlazePose of complexity 1 in MediaPipe's video mode; see `PoseEstimator`.  A context manager.

    Raises:
        WorkError: MediaPipe is missing or broken.
    """

    def __init__(self) -> None:
        try:
            from mediapipe.python.solutions.pose import Pose
        except ImportError as error:
            raise WorkError(f"MediaPipe is not there: {error}", install("mediapipe")) from error
        try:
            self._graph: Any = Pose(model_complexity=1)
        except (OSError, RuntimeError) as error:
            raise WorkError(
                f"MediaPipe's pose does not start: {error}", "leave --pose mediapipe out, or reinstall it"
            ) from error
        self._last, self._found = 0, 0

    def __enter__(self) -> MediaPipe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def in_view(self) -> int:
        """1 once somebody was found: it knows of no more."""
        return self._found

    def close(self) -> None:
        """Free the graph.  Closing twice does no harm."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def estimate(self, pixels: NDArray[np.uint8], time: float) -> tuple[Body, ...]:
        """See `PoseEstimator.estimate`.

        Raises:
            UsageError: pixels that are no RGB picture, or a closed estimator.
        """
        if self._graph is None:
            raise UsageError("this pose estimator is closed", "make a new one")
        check_picture(pixels)
        # it counts 1/30 s a picture, but its smoothing should know that ours are further apart
        self._last = max(self._last + 1, round(time * 1e6) + _TICK)
        self._graph._simulated_timestamp = self._last - _TICK
        landmarks = self._graph.process(pixels).pose_landmarks
        if landmarks is None:
            return ()
        self._found = 1
        height, width = pixels.shape[:2]
        points = landmarks.landmark
        joints = np.zeros((len(JOINTS), 3), dtype=np.float32)
        joints[0] = np.mean([_point(points[i]) for i in _EARS], axis=0)
        joints[1:] = [_point(points[i]) for i in _BODY]
        joints[:, 0] *= width / height
        return (Body(1, joints),)


def _point(landmark: Any) -> tuple[float, float, float]:
    return landmark.x, landmark.y, landmark.visibility
