"""Pose in a thread of its own, so that decoding and sound go on while a body is looked for."""

from __future__ import annotations

import queue
import threading
import time as clock
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import EmojeError, WorkError
from emoje_edge.perception.bodies.estimator import Body, PoseEstimator, first_joints
from emoje_edge.perception.media import VideoFrame
from emoje_edge.perception.skeleton import JOINTS

_QUEUE = 16  # pictures of a file that wait at most: under 20 MB
Watch = Callable[[float, tuple[Body, ...], float], None]  # time (s), bodies, width over height of the picture
_PATIENCE = 0.1  # s between two looks at whether the other side is still there


@dataclass(frozen=True)
class Seen:
    """The pictures of some time and who is in them.

    Attributes:
        times: float64 [T], s.
        bodies: of each picture, those known longest first.
        cost_ms: what looking at them took.
    """

    times: NDArray[np.float64]
    bodies: tuple[tuple[Body, ...], ...]
    cost_ms: float

    @property
    def people(self) -> tuple[int, ...]:
        """Numbers of all who are in any of the pictures, rising."""
        return tuple(sorted({body.person for bodies in self.bodies for body in bodies}))

    def joints(self, person: int | None = None) -> NDArray[np.float32]:
        """[T, 13, 3] of one person, all zero where they are not; None: of whoever is known longest in each picture."""
        wanted = [[b for b in bodies if person is None or b.person == person] for bodies in self.bodies]
        return np.array([first_joints(bodies) for bodies in wanted], np.float32).reshape(-1, len(JOINTS), 3)


NOTHING_SEEN = Seen(np.zeros(0), (), 0.0)


class PoseTrack:
    """Bodies in the pictures that open utterances still need, filled by one thread and read by another.

    Attributes:
        until: s, time of the last picture that was looked at; -inf before the first.
    """

    def __init__(self) -> None:
        self.until = -np.inf
        self._lock = threading.Lock()
        self._times: list[float] = []
        self._bodies: list[tuple[Body, ...]] = []
        self._costs: list[float] = []

    def add(self, time: float, bodies: tuple[Body, ...], cost_ms: float) -> None:
        with self._lock:
            # times rise, so that they can be searched and resampled; a clock that stands still brings nothing new
            if not self._times or time > self._times[-1]:
                self._times.append(time)
                self._bodies.append(bodies)
                self._costs.append(cost_ms)
            self.until = max(self.until, time)

    def take(self, start: float, end: float) -> Seen:
        """What lies in start <= time < end (s)."""
        with self._lock:
            low, high = bisect_left(self._times, start), bisect_left(self._times, end)
            times = np.array(self._times[low:high], dtype=np.float64)
            return Seen(times, tuple(self._bodies[low:high]), sum(self._costs[low:high]))

    def forget(self, before: float) -> None:
        with self._lock:
            low = bisect_left(self._times, before)
            del self._times[:low], self._bodies[:low], self._costs[:low]


class PoseWorker:
    """Runs an estimator over the pictures that it is given.

    Args:
        make: makes the estimator, in the worker's thread: starting it up takes as long as decoding some seconds.
        watch: told of each picture, in the worker's thread.
        waiting: pictures that wait at most; what comes live is to be new when it is looked at.

    Attributes:
        in_view: the most bodies that were seen at one time, followed or not.
    """

    def __init__(self, make: Callable[[], PoseEstimator], watch: Watch | None = None, *, waiting: int = _QUEUE) -> None:
        self._watch = watch
        self.track = PoseTrack()
        self.in_view = 0
        self._make = make
        self._pictures: queue.Queue[VideoFrame | None] = queue.Queue(waiting)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pose", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether all pictures given were taken up."""
        return self._pictures.empty()

    def put(self, picture: VideoFrame) -> None:
        """Hand over a picture; waits while too many are waiting.  Raises what the worker failed with."""
        self._put(picture)

    def finish(self) -> None:
        """Wait for all pictures to be looked at.  Raises what the worker failed with."""
        self._put(None)
        while self._thread.is_alive():
            self._thread.join(_PATIENCE)
        self._raise()

    def close(self) -> None:
        """Leave off as soon as the picture at hand is done; harmless after `finish`."""
        self._stop.set()
        self._thread.join()

    def _put(self, picture: VideoFrame | None) -> None:
        while True:
            self._raise()
            try:
                return self._pictures.put(picture, timeout=_PATIENCE)
            except queue.Full:
                continue

    def _raise(self) -> None:
        if isinstance(self._error, EmojeError):
            raise self._error
        if self._error is not None:
            raise WorkError(
                f"pose estimation failed: {self._error}", "try without it: --mask text,audio"
            ) from self._error

    def _run(self) -> None:
        try:
            estimator = self._make()
            try:
                while (picture := self._next()) is not None:
                    begin = clock.perf_counter()
                    bodies = estimator.estimate(picture.pixels, picture.time)
                    self.in_view = estimator.in_view
                    self.track.add(picture.time, bodies, 1e3 * (clock.perf_counter() - begin))
                    if self._watch:
                        self._watch(picture.time, bodies, picture.pixels.shape[1] / picture.pixels.shape[0])
            finally:
                estimator.close()
        except BaseException as error:  # handed to the caller's thread, which raises it
            self._error = error

    def _next(self) -> VideoFrame | None:
        while not self._stop.is_set():
            try:
                return self._pictures.get(timeout=_PATIENCE)
            except queue.Empty:
                continue
        return None
