"""The stage on ONNX Runtime held to MediaPipe: recorded landmarks always, side by side where the extra is installed."""

import numpy as np
import pytest

from emoje_edge.errors import WorkError
from emoje_edge.perception.bodies.estimator import BlazePose, first_joints
from emoje_edge.perception.bodies.mediapipe_reference import MediaPipe
from emoje_edge.perception.media import decode

# What MediaPipe 0.10.21 finds in the portrait: x and y in heights of the picture, of head, shoulders and elbows, and
# the visibility of all joints.
RECORDED = [[0.4459, 0.3587], [0.7568, 0.7112], [0.158, 0.7071]]
VISIBILITY = [0.9997, 0.9989, 0.9991, 0.3173, 0.3883, 0.0374, 0.121, 0.005, 0.0051, 0.0006, 0.0002, 0.0, 0.0]


def by_shoulders(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Distances [..., 13] in per cent of the shoulder width, or of the torso's part where a side is turned to us."""
    shoulders = np.hypot(*np.moveaxis(theirs[..., 1, :2] - theirs[..., 2, :2], -1, 0))
    middle = theirs[..., [1, 2], :2].mean(-2) - theirs[..., [7, 8], :2].mean(-2)
    width = np.maximum(shoulders, np.hypot(*np.moveaxis(middle, -1, 0)) / 1.45)
    return 100 * np.hypot(*np.moveaxis((ours - theirs)[..., :2], -1, 0)) / width[..., None]


@pytest.fixture
def mediapipe():
    pytest.importorskip("mediapipe", reason="the reference is an extra: pip install '.[mediapipe]'")
    with MediaPipe() as estimator:
        yield estimator


def test_recorded_landmarks(portrait):
    with BlazePose() as ours:
        found = first_joints(ours.estimate(portrait, 0.0))
    # under 1 % of the shoulder width
    assert np.abs(found[:3, :2] - RECORDED).max() < 0.01 * 0.6
    assert np.abs(found[:, 2] - VISIBILITY).max() < 0.05


@pytest.mark.parametrize("name", ["eat", "hungry", "milk", "thanks"])
def test_the_first_look_is_that_of_mediapipe(mediapipe, shared_data, name):
    picture = next(decode(shared_data / "video" / "intel_asl" / f"{name}.mkv", audio=False)).pixels
    with BlazePose() as ours:
        found = first_joints(ours.estimate(picture, 0.0))
    theirs = first_joints(mediapipe.estimate(picture, 0.0))
    seen = theirs[:, 2] >= 0.5
    assert np.median(by_shoulders(found, theirs)[seen]) < 0.2
    assert np.abs(found[:, 2] - theirs[:, 2]).max() < 0.01


def test_signers_side_by_side(mediapipe, shared_data):
    """Long tracks part as those of MediaPipe itself do under a grey level of noise (1.1 %): the median tells."""
    apart = []
    for name in ("again", "book", "no"):
        clip = shared_data / "video" / "intel_asl" / f"{name}.mkv"
        with BlazePose() as ours, MediaPipe() as theirs:
            for frame in decode(clip, audio=False, fps=12.5):
                a = first_joints(ours.estimate(frame.pixels, frame.time))
                b = first_joints(theirs.estimate(frame.pixels, frame.time))
                assert a.any() == b.any()
                apart.append(by_shoulders(a, b))
    assert np.median(apart) < 1.0


def test_without_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "mediapipe.python.solutions.pose", None)
    with pytest.raises(WorkError, match="MediaPipe is not there") as told:
        MediaPipe()
    assert "[mediapipe]" in str(told.value)
