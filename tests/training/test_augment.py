"""Augmented log-mel: still log-mel, and a background hides pauses before speech."""

import numpy as np
import pytest

from emoje_edge.modality import Modality
from emoje_edge.perception.audio import normalise
from emoje_edge.training.augment import LONGEST, augment, augment_log_mel, before_background


@pytest.mark.parametrize("frames", [2, 150, 330, 900])
def test_augmented_log_mel_stays_log_mel(frames: int) -> None:
    x = normalise(np.random.default_rng(0).standard_normal((frames, 64)).astype(np.float32))
    for seed in range(20):
        y = augment_log_mel(x, np.random.default_rng(seed))
        assert y.dtype == np.float32
        assert y.shape[1] == 64
        assert 1 <= len(y) <= LONGEST
        assert np.isfinite(y).all()
    again = augment_log_mel(x, np.random.default_rng(19))
    np.testing.assert_array_equal(y, again)


def test_a_background_covers_pauses_before_it_covers_speech() -> None:
    x = np.full((120, 64), -1.0, np.float32)
    x[40:80] = 2.0  # speech between two pauses
    x = normalise(x)
    loudness = []
    for seed in range(30):
        y = before_background(x, np.random.default_rng(seed))
        assert y.dtype == np.float32
        assert y.shape == x.shape
        assert np.isfinite(y).all()
        loudness.append([y[:40].std(), y[40:80].mean() - y[:40].mean()])
    changed, above = np.array(loudness).T
    assert (changed > 0.05).mean() > 0.9
    assert (above > 0).all()


def test_augmentation_leaves_pose_alone() -> None:
    x = np.ones((5, 13, 3), np.float32)
    assert augment(Modality.POSE, x, np.random.default_rng(0)) is x
