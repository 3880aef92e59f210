"""Body landmarks of a picture: BlazePose (Bazarevsky et al., 2020, arXiv 2006.10204) without its face.

Of its 33 landmarks the eleven of the face (0 to 10) end here: the two ears only lend their middle, one point that says
where the head is.  Hands and feet beyond wrist and ankle are left out too.  No pixel is kept.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.skeleton import JOINTS

_EARS = (7, 8)
# BlazePose's numbers of the joints after the head: shoulders, elbows, wrists, hips, knees, ankles, left before right.
_BODY = (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)


class PoseEstimator(Protocol):
    """What finds a body in a picture; another detector is plugged in by having these methods."""

    def estimate(self, pixels: NDArray[np.uint8], time: float) -> NDArray[np.float32]:
        """Landmarks of one person.

        Args:
            pixels: uint8 [H, W, 3] RGB, upright; not kept.
            time: s, rising from call to call.

        Returns:
            float32 [13, 3] in the order of `skeleton.JOINTS`: x and y in heights of the picture (x to the right, y
            down, from the upper left corner), visibility 0 to 1.  Without a person all is zero.
        """
        ...

    def close(self) -> None:
        """Free the detector; it is not used again."""
        ...


class BlazePose:
    """MediaPipe's pose solution in video mode: finds one person and follows them.

    A context manager.  Nothing is fetched: the model of complexity 1 lies in MediaPipe's wheel.

    Raises:
        WorkError: MediaPipe is missing or broken.
    """

    def __init__(self) -> None:
        with _quiet_stderr():
            try:
                self._graph: Any = _pose_solution().Pose(model_complexity=1)
                # an empty picture: the graph starts in threads of its own, whose messages come until it is idle
                self._graph.process(np.zeros((16, 16, 3), dtype=np.uint8))
            except (ImportError, OSError, RuntimeError) as error:
                hint = "pip install --force-reinstall mediapipe"
                raise WorkError(f"MediaPipe's pose does not start: {error}", hint) from error
        self._seen = False
        self._last = 33_333  # µs, the clock after the empty picture

    def __enter__(self) -> BlazePose:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the graph.  Closing twice does no harm."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def estimate(self, pixels: NDArray[np.uint8], time: float) -> NDArray[np.float32]:
        """See `PoseEstimator.estimate`.

        Raises:
            UsageError: pixels that are no RGB picture, or a closed estimator.
        """
        if self._graph is None:
            raise UsageError("this pose estimator is closed", "make a new one")
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise UsageError(f"a picture of {pixels.dtype} {pixels.shape}", "give uint8 [height, width, 3], RGB")
        # MediaPipe counts 1/30 s a picture; its smoothing should know that ours are further apart.
        self._last = max(self._last + 1, round(time * 1e6))
        self._graph._simulated_timestamp = self._last - 33_333
        if self._seen:
            found = self._graph.process(pixels)
        else:
            # its last start-up message comes with the first person
            with _quiet_stderr():
                found = self._graph.process(pixels)
        landmarks = found.pose_landmarks
        joints = np.zeros((len(JOINTS), 3), dtype=np.float32)
        if landmarks is None:
            return joints
        self._seen = True
        height, width = pixels.shape[:2]
        points = landmarks.landmark
        joints[0] = np.mean([_point(points[i]) for i in _EARS], axis=0)
        joints[1:] = [_point(points[i]) for i in _BODY]
        joints[:, 0] *= width / height
        return joints


def _point(landmark: Any) -> tuple[float, float, float]:
    return landmark.x, landmark.y, landmark.visibility


def _pose_solution() -> types.ModuleType:
    """`mediapipe.python.solutions.pose` alone.

    The packages above it import matplotlib, OpenCV, a sound library and all other solutions: ten times the time, and
    65 MB, for nothing that is used here.  They are left to run when somebody asks for what they define.
    """
    for name in ("mediapipe", "mediapipe.python.solutions"):
        if name not in sys.modules:
            spec = importlib.util.find_spec(name)
            if spec is None:
                raise ImportError(f"{name} is not installed")
            package = importlib.util.module_from_spec(spec)
            package.__class__ = _Deferred
            sys.modules[name] = package
    _Deferred.waiting = True
    try:
        return importlib.import_module("mediapipe.python.solutions.pose")
    finally:
        _Deferred.waiting = False


class _Deferred(types.ModuleType):
    """A package whose `__init__` runs when somebody else asks for what it defines."""

    waiting = False  # while pose itself is imported, which asks for submodules only

    def __getattr__(self, name: str) -> Any:
        if _Deferred.waiting or name.startswith("__"):
            raise AttributeError(name)
        object.__setattr__(self, "__class__", types.ModuleType)
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


_NOISE = re.compile(
    rb"^(?:INFO: Created TensorFlow Lite .*|WARNING: All log messages before absl::InitializeLog.*"
    rb"|[IW]\d{4} .*(?:inference_feedback_manager|landmark_projection_calculator|gl_context).*)\n",
    re.MULTILINE,
)
_STDERR_LOCK = threading.Lock()


def _scratch_file() -> IO[bytes]:
    """A file for some messages: in memory where the system has such, since not every one has a temporary folder."""
    return os.fdopen(os.memfd_create("messages"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile()


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Take MediaPipe's start-up messages, which no setting stops, out of standard error; all else passes on after."""
    with _STDERR_LOCK, _scratch_file() as caught:
        try:
            saved = os.dup(2)
        except OSError:  # closed, as in a service: nothing to keep quiet
            yield
            return
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            caught.seek(0)
            rest = _NOISE.sub(b"", caught.read())
            if rest:
                os.write(saved, rest)
            os.close(saved)
