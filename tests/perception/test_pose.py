import os
import subprocess
import sys

import numpy as np
import pytest

from emoje_edge.errors import UsageError
from emoje_edge.perception.media import decode
from emoje_edge.perception.pose import BlazePose
from emoje_edge.perception.skeleton import JOINTS

HEAD, LEFT_SHOULDER, RIGHT_SHOULDER = (JOINTS.index(name) for name in ("head", "left_shoulder", "right_shoulder"))


@pytest.fixture(scope="module")
def blaze():
    with BlazePose() as estimator:
        yield estimator


def test_a_person(portrait):
    with BlazePose() as estimator:
        joints = estimator.estimate(portrait, 0.0)
        wide = np.pad(portrait, ((0, 0), (300, 300), (0, 0)))
        shifted = estimator.estimate(wide, 0.1)
    assert joints.shape == (13, 3)
    assert joints.dtype == np.float32
    assert (joints[[HEAD, LEFT_SHOULDER, RIGHT_SHOULDER], 2] > 0.9).all()
    # the portrait's left shoulder is on the right, below the head; x counts in heights of the picture
    assert joints[LEFT_SHOULDER, 0] > joints[HEAD, 0] > joints[RIGHT_SHOULDER, 0]
    assert joints[HEAD, 1] < min(joints[LEFT_SHOULDER, 1], joints[RIGHT_SHOULDER, 1])
    assert 0.2 < joints[HEAD, 1] < 0.5
    assert shifted[HEAD, 0] - joints[HEAD, 0] == pytest.approx(300 / 600, abs=0.05)
    assert shifted[HEAD, 1] == pytest.approx(joints[HEAD, 1], abs=0.05)


def test_nobody_is_zero(blaze):
    assert not blaze.estimate(np.zeros((48, 64, 3), np.uint8), 1.0).any()
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    assert np.isfinite(blaze.estimate(noise, 1.1)).all()


def test_times_that_stand_still_or_fall_back(blaze):
    for time in (5.0, 5.0, 4.0, -1.0):
        assert np.isfinite(blaze.estimate(np.zeros((8, 8, 3), np.uint8), time)).all()


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)],
)
def test_what_is_no_picture(blaze, pixels):
    with pytest.raises(UsageError, match="a picture of"):
        blaze.estimate(pixels, 9.0)


def test_closed():
    estimator = BlazePose()
    estimator.close()
    estimator.close()
    with pytest.raises(UsageError, match="closed"):
        estimator.estimate(np.zeros((8, 8, 3), np.uint8), 0.0)


def test_real_signer(shared_data):
    with BlazePose() as estimator:
        clip = shared_data / "video" / "intel_asl" / "again.mkv"
        found = np.array([estimator.estimate(f.pixels, f.time) for f in decode(clip, audio=False, fps=12.5)])
    assert (found[..., 2].max(axis=1) > 0.5).mean() > 0.9
    assert found[:, LEFT_SHOULDER, 2].mean() > 0.9
    wrists = found[:, [JOINTS.index("left_wrist"), JOINTS.index("right_wrist")], :2]
    assert np.ptp(wrists, axis=0).max() > 0.1


def _run(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


def test_mediapipe_says_nothing_and_others_are_heard():
    done = _run(
        "import numpy as np, os, matplotlib.cbook as cbook, av\n"
        "from emoje_edge.perception import pose\n"
        "path = str(cbook.get_sample_data('grace_hopper.jpg', asfileobj=False))\n"
        "picture = next(av.open(path).decode(video=0)).to_ndarray(format='rgb24')\n"
        "with pose.BlazePose() as estimator:\n"
        "    assert estimator.estimate(picture, 0.0).any()\n"
        "with pose._quiet_stderr():\n"
        "    os.write(2, b'kept\\n')\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "kept\n"


def test_only_pose_of_mediapipe_is_loaded_and_the_rest_stays_importable():
    done = _run(
        "import sys\n"
        "from emoje_edge.perception.pose import BlazePose\n"
        "BlazePose().close()\n"
        "print(sorted({'matplotlib', 'cv2', 'sounddevice', 'torch'} & set(sys.modules)))\n"
        "import mediapipe\n"
        "print(mediapipe.solutions.pose.Pose.__name__, mediapipe.tasks.__name__)\n"
    )
    assert done.stdout.splitlines() == ["[]", "Pose mediapipe.tasks.python"], done.stderr


def test_face_mesh_is_not_loaded():
    done = _run(
        "import sys\n"
        "from emoje_edge.perception.pose import BlazePose\n"
        "BlazePose().close()\n"
        "print([name for name in sys.modules if 'face_mesh' in name or 'face_detection' in name])\n"
    )
    assert done.stdout.strip() == "[]", done.stderr
