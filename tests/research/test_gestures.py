"""Bodies that talk with their hands: moving arms on a body that otherwise stands or sits."""

from __future__ import annotations

import numpy as np

from emoje_edge.evaluation.conditions import TRAINING, still_body
from emoje_edge.perception.skeleton import JOINTS
from research.recipes.gestures import gesturing

WRISTS = [JOINTS.index("left_wrist"), JOINTS.index("right_wrist")]
HIPS = [JOINTS.index("left_hip"), JOINTS.index("right_hip")]


def travelled(body: np.ndarray, joints: list[int]) -> float:
    """Shoulder widths a second that the busier of two joints moves, its jitter smoothed away."""
    width = np.median(np.linalg.norm(body[:, 1, :2] - body[:, 2, :2], axis=-1))
    smooth = np.stack([body[i : len(body) - 4 + i, joints, :2] for i in range(5)]).mean(0)
    return float(np.linalg.norm(np.diff(smooth, axis=0), axis=-1).mean(0).max() * 12.5 / width)


def test_hands_move_and_hips_do_not() -> None:
    for seed in range(20):
        g = np.random.default_rng(seed)
        body = gesturing(5.0, g, flavour=TRAINING)
        assert body.shape[1:] == (13, 3)
        assert np.isfinite(body).all()
        still = still_body(5.0, np.random.default_rng(seed), flavour=TRAINING)
        assert travelled(body, WRISTS) > 3 * travelled(still, WRISTS)
        assert travelled(body, HIPS) < 0.3


def test_the_same_seed_makes_the_same_body() -> None:
    first, second = (gesturing(2.0, np.random.default_rng(3), flavour=TRAINING) for _ in range(2))
    np.testing.assert_array_equal(first, second)
