import numpy as np
import pytest

from emoje_edge.perception.features import audio_feature, pose_feature


def walker(time: float) -> np.ndarray:
    """A body in the middle, whose head walks to the right with time: landmarks [13, 3] in picture heights."""
    joints = np.ones((13, 3), np.float32)
    joints[:, 0] = 0.5 + np.array([0, 1, -1, 2, -2, 2, -2, 1, -1, 1, -1, 1, -1]) / 10
    joints[:, 1] = 0.5 + np.array([-3, -2, -2, 0, 0, 1, 1, 1, 1, 3, 3, 4, 4]) / 10
    joints[0, 0] += 0.01 * time
    return joints


def test_features_of_nothing():
    assert audio_feature(np.zeros(16000, np.float32)) is None
    assert audio_feature(np.ones(100, np.float32)) is None
    assert pose_feature(np.zeros(0), np.zeros((0, 13, 3), np.float32)) is None
    assert pose_feature(np.arange(9.0), np.zeros((9, 13, 3), np.float32)) is None


@pytest.mark.parametrize("fps", [5, 12.5, 30])
def test_slow_and_fast_pictures_give_the_same_grid(fps):
    times = np.arange(0, 4, 1 / fps)
    joints = np.stack([walker(t) for t in times])
    poses = pose_feature(times, joints)
    assert len(poses) == pytest.approx(50, abs=3)
    assert (poses[..., 2] > 0).all()
