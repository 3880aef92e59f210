"""Normalisation and resampling of the one skeleton: invariances, gaps, no NaN."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from emoje_edge.errors import UsageError
from emoje_edge.perception.skeleton import BONES, JOINTS, REACH, normalise, resample

STANDING = np.array(
    [
        [0.0, -2.2],
        [0.5, -1.45],
        [-0.5, -1.45],
        [0.7, -0.8],
        [-0.7, -0.8],
        [0.7, -0.1],
        [-0.7, -0.1],
        [0.25, 0.0],
        [-0.25, 0.0],
        [0.25, 1.1],
        [-0.25, 1.1],
        [0.25, 2.2],
        [-0.25, 2.2],
    ]
)


def person(frames: int = 20, *, seed: int = 0) -> np.ndarray:
    """A waving person in shoulder widths, hips at the origin, all visible."""
    wave = np.random.default_rng(seed).normal(scale=0.02, size=(frames, len(JOINTS), 2))
    wave[:, 5, 1] -= np.linspace(0, 1.5, frames)
    return np.concatenate([STANDING + wave, np.ones((frames, len(JOINTS), 1))], -1).astype(np.float32)


def test_a_guessed_joint_is_none_and_a_slip_of_the_detector_is_held_back() -> None:
    there = person()
    there[:, 5, 2], there[:, 6, 2] = 0.51, 0.49
    there[:, 12, 0] = 500.0
    found = normalise(there)
    assert (found[:, 5] != 0).any()
    assert not found[:, 6].any()
    assert found[:, 12, 0] == pytest.approx(6.0)


def test_thirteen_joints_and_bones_between_them() -> None:
    assert len(JOINTS) == 13
    assert all(0 < a < 13 and 0 < b < 13 for a, b in BONES)


@given(
    st.floats(-2000, 2000), st.floats(-2000, 2000), st.floats(0.05, 500), st.integers(0, 99), st.integers(0, 2**13 - 1)
)
@settings(max_examples=60, deadline=None)
def test_neither_place_nor_size_in_the_picture_matters(x: float, y: float, size: float, seed: int, seen: int) -> None:
    there = person(seed=seed)
    there[..., 2] = [seen >> j & 1 for j in range(13)]
    moved = there.copy()
    moved[..., :2] = moved[..., :2] * size + [x, y]
    # float32 pixels far from the origin of a small person lose digits: that is the input's error
    tolerance = 1e-3 + 1e-6 * (abs(x) + abs(y)) / size
    np.testing.assert_allclose(normalise(moved), normalise(there), atol=min(tolerance, 0.1))


@given(
    nps.arrays(
        np.float32, st.tuples(st.integers(0, 6), st.just(13), st.just(3)), elements=st.floats(width=32, allow_nan=True)
    )
)
@settings(max_examples=80, deadline=None)
def test_nothing_but_finite_numbers_come_of_anything(landmarks: np.ndarray) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        out = normalise(landmarks)
    assert out.shape == landmarks.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert (np.abs(out[..., :2]) <= REACH).all()
    assert ((out[..., 2] >= 0) & (out[..., 2] <= 1)).all()
    assert (out[out[..., 2] == 0] == 0).all()


def test_frames_without_a_person_and_hidden_joints_stay_zero() -> None:
    there = person()
    there[3] = 0
    there[:, 12, 2] = 0.2
    out = normalise(there)
    assert (out[3] == 0).all()
    assert (out[:, 12] == 0).all()
    assert (normalise(np.zeros((4, 13, 3), np.float32)) == 0).all()


def test_motion_over_the_utterance_survives() -> None:
    there = person()
    there[:, :, 0] += np.linspace(0, 3, len(there))[:, None]  # a walk of three shoulder widths
    out = normalise(there)
    assert out[-1, 7, 0] - out[0, 7, 0] == pytest.approx(3, abs=0.15)
    assert out[0, 5, 1] - out[-1, 5, 1] == pytest.approx(1.5, abs=0.15)


def test_origin_is_the_same_place_without_hips() -> None:
    there = person()
    cropped = there.copy()
    cropped[:, 7:, 2] = 0
    np.testing.assert_allclose(normalise(cropped)[:, :7], normalise(there)[:, :7], atol=0.1)


def test_a_side_view_is_no_giant() -> None:
    there = person()
    side = there.copy()
    side[..., 0] *= 0.1
    assert np.abs(normalise(side)[..., 1] - normalise(there)[..., 1]).max() < 0.2


def test_resampling_keeps_a_steady_motion_and_marks_gaps() -> None:
    times = np.arange(60) / 30
    there = person(60)
    there[:, 5, 0] = times
    there[20:40] = 0  # no person from 0.67 s to 1.33 s
    out = resample(times, there)
    grid = np.arange(len(out)) / 12.5
    gone = (grid > 0.68) & (grid < 1.32)
    assert len(out) == 25
    assert (out[gone] == 0).all()
    assert (out[~gone, :, 2] == 1).all()
    np.testing.assert_allclose(out[~gone, 5, 0], grid[~gone], atol=0.04)
    assert (resample(times, there, start=1.5, end=1.9)[:, 5, 0] >= 1.46).all()


@given(st.integers(1, 40), st.floats(3, 60), st.floats(5, 30), st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_resampling_stays_within_what_was_seen(frames: int, fps: float, rate: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    there = person(frames, seed=seed)
    there[rng.random((frames, 13)) < 0.3] = 0
    times = np.sort(rng.uniform(0, frames / fps, frames)) + np.arange(frames) * 1e-3
    out = resample(times, there, rate)
    assert np.isfinite(out).all()
    for joint in range(13):
        seen, got = there[there[:, joint, 2] > 0, joint], out[out[:, joint, 2] > 0, joint]
        assert seen.size or not got.size
        if got.size:
            assert (got >= seen.min(0) - 1e-5).all()
            assert (got <= seen.max(0) + 1e-5).all()


def test_wrong_shapes_and_times_are_refused() -> None:
    with pytest.raises(UsageError, match="landmarks of shape"):
        normalise(np.zeros((4, 33, 3), np.float32))
    with pytest.raises(UsageError, match="times of shape"):
        resample([0.0, 0.0], person(2))
    with pytest.raises(UsageError, match="rate"):
        resample([0.0, 0.1], person(2), 0)
    assert resample([], np.zeros((0, 13, 3), np.float32)).shape == (0, 13, 3)
