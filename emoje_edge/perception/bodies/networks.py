"""BlazePose's two networks on ONNX Runtime: verified, opened once a process, used by all streams."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.errors import WorkError
from emoje_edge.extras import target
from emoje_edge.perception.bodies.regions import Floats, Pixels
from emoje_edge.runtime import runtime
from emoje_edge.shipped import POSE_MODELS

FOLDER = POSE_MODELS
DETECTOR_SIDE, CROP_SIDE = 224, 256  # px of the two networks' pictures
POINTS, VALUES = 39, 5  # of the landmark network: 33 landmarks, 2 auxiliary, 4 unused; x, y, z, visibility, presence
# sha256, as `python -m research.bodies.convert` made them
DIGESTS = {
    "pose_detection.onnx": "8051695e27120f7b34909f9d3ee5bcad22ba580f142b10ee646b0b43d98b0fe4",
    "pose_landmark.onnx": "ea15dfadba4365a0b181fb0766d1dc6c76b675b21a8b87a1de7f12ae5efaf008",
}


class Networks:
    """The detector and the landmark network.  Any number of threads may use one at once.

    Args:
        folder: where the two graphs are.
        threads: of each call; one, so that two streams fill two cores.
        providers: ONNX Runtime's execution providers; others than the CPU's are untested.

    Raises:
        WorkError: a graph is missing, altered, or is not taken.
    """

    def __init__(
        self, folder: Path = FOLDER, *, threads: int = 1, providers: tuple[str, ...] = ("CPUExecutionProvider",)
    ) -> None:
        self._detector, self._landmarks = (_open(folder / name, threads, providers) for name in DIGESTS)

    def detect(self, pictures: Pixels) -> tuple[Floats, Floats]:
        """[N, 224, 224, 3] -> boxes and key points [N, 2254, 12], score logits [N, 2254]."""
        boxes, scores = self._detector.run(["boxes", "scores"], {"pixels": pictures})
        return boxes, scores[..., 0]

    def landmarks(self, crops: Pixels) -> tuple[Floats, Floats, Floats]:
        """[N, 256, 256, 3] -> landmarks [N, 39, 5], presence [N], heatmap logits [N, 64, 64, 39]."""
        points, presence, heat = self._landmarks.run(["landmarks", "presence", "heatmap"], {"pixels": crops})
        return points.reshape(len(crops), POINTS, VALUES), presence[:, 0], heat


@lru_cache(maxsize=1)
def shared_networks() -> Networks:
    """The shipped networks, opened when first asked for.  Raises as `Networks` does."""
    return Networks()


def _open(path: Path, threads: int, providers: tuple[str, ...]) -> Any:
    again = f"reinstall the package: pip install --force-reinstall --no-deps {target()}"
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise WorkError(f"the pose model {path} cannot be read: {error.strerror}", again) from error
    if hashlib.sha256(graph).hexdigest() != DIGESTS[path.name]:
        raise WorkError(f"the pose model {path} is not the one that this version ships: it was altered", again)
    ort = runtime()
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(graph, options, providers=list(providers))
    except Exception as error:  # ONNX Runtime's errors share no base but this one
        raise WorkError(f"ONNX Runtime {ort.__version__} does not open {path}: {error}", again) from error


def sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -80, 80))))
