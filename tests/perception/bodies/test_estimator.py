"""The pose stage on real pictures: one person, nobody, stills, several people, and what is no picture."""

import numpy as np
import pytest

from emoje_edge.errors import UsageError
from emoje_edge.perception.bodies.estimator import BlazePose, first_joints
from emoje_edge.perception.media import decode
from emoje_edge.perception.skeleton import JOINTS
from emoje_edge.shapes import MOST_PEOPLE

HEAD, LEFT_SHOULDER, RIGHT_SHOULDER = (JOINTS.index(name) for name in ("head", "left_shoulder", "right_shoulder"))


@pytest.fixture
def blaze():
    with BlazePose() as estimator:
        yield estimator


def test_a_person(blaze, portrait):
    (body,) = blaze.estimate(portrait, 0.0)
    joints = body.joints
    assert (body.person, body.age) == (1, 0.0)
    assert joints.shape == (13, 3)
    assert joints.dtype == np.float32
    assert (joints[[HEAD, LEFT_SHOULDER, RIGHT_SHOULDER], 2] > 0.9).all()
    # the portrait's left shoulder is on the right, below the head; x counts in heights of the picture
    assert joints[LEFT_SHOULDER, 0] > joints[HEAD, 0] > joints[RIGHT_SHOULDER, 0]
    assert joints[HEAD, 1] < min(joints[LEFT_SHOULDER, 1], joints[RIGHT_SHOULDER, 1])
    assert 0.2 < joints[HEAD, 1] < 0.5


def test_a_mirror_shows_the_same_person_mirrored(portrait):
    with BlazePose() as estimator:
        (seen,) = estimator.estimate(portrait, 0.0)
    with BlazePose() as estimator:
        (mirrored,) = estimator.estimate(np.ascontiguousarray(portrait[:, ::-1]), 0.0)
    width = portrait.shape[1] / portrait.shape[0]
    assert mirrored.joints[HEAD, 0] == pytest.approx(width - seen.joints[HEAD, 0], abs=0.02)
    assert mirrored.joints[LEFT_SHOULDER, 0] == pytest.approx(width - seen.joints[RIGHT_SHOULDER, 0], abs=0.03)


def test_a_still_is_not_looked_at_twice(blaze, portrait):
    first = blaze.estimate(portrait, 0.0)
    noisy = np.clip(portrait.astype(np.int16) + np.random.default_rng(0).integers(-1, 2, portrait.shape), 0, 255)
    (again,) = blaze.estimate(noisy.astype(np.uint8), 0.4)
    assert again.age == pytest.approx(0.4)
    assert np.array_equal(again.joints, first[0].joints)
    (late,) = blaze.estimate(portrait, 1.2)
    assert late.age == 0.0, "but it is, after a second"


def test_a_person_who_moves_is_looked_at(blaze, portrait):
    (first,) = blaze.estimate(portrait, 0.0)
    (moved,) = blaze.estimate(np.roll(portrait, 12, axis=1), 0.1)
    assert moved.age == 0.0
    assert moved.person == first.person
    assert moved.joints[HEAD, 0] - first.joints[HEAD, 0] == pytest.approx(12 / 600, abs=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 64), (48, 64), (50, 8000), (2160, 3840)])
def test_nobody(size):
    with BlazePose(people=2) as estimator:
        assert estimator.estimate(np.zeros((*size, 3), np.uint8), 0.0) == ()
        noise = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
        assert np.isfinite(first_joints(estimator.estimate(noise, 0.1))).all()


@pytest.fixture(scope="module")
def signer(shared_data):
    """uint8 [480, 640, 3]: somebody who signs, the first picture of a clip."""
    return next(decode(shared_data / "video" / "intel_asl" / "book.mkv", audio=False)).pixels


def test_a_grey_picture_has_its_person(blaze, signer):
    grey = np.repeat(signer.mean(-1, keepdims=True).astype(np.uint8), 3, axis=2)
    (body,) = blaze.estimate(grey, 0.0)
    assert (body.joints[[HEAD, LEFT_SHOULDER, RIGHT_SHOULDER], 2] > 0.9).all()


def test_everybody_leaves(blaze, portrait):
    empty = np.full_like(portrait, portrait[5, 5])
    assert blaze.estimate(portrait, 0.0)
    assert blaze.estimate(empty, 0.1) == ()
    assert blaze.estimate(empty, 0.2) == ()


def test_times_that_stand_still_or_fall_back(blaze, portrait):
    for shift, time in enumerate((5.0, 5.0, 4.0, -1.0)):
        (body,) = blaze.estimate(np.roll(portrait, 9 * shift, axis=1), time)
        assert np.isfinite(body.joints).all()


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)],
)
def test_what_is_no_picture(blaze, pixels):
    with pytest.raises(UsageError, match="a picture of"):
        blaze.estimate(pixels, 9.0)


@pytest.mark.parametrize("people", [0, -1, MOST_PEOPLE + 1])
def test_how_many_can_be_followed(people):
    with pytest.raises(UsageError, match="1 to 16"):
        BlazePose(people=people)


def test_closed():
    estimator = BlazePose()
    estimator.close()
    estimator.close()
    with pytest.raises(UsageError, match="closed"):
        estimator.estimate(np.zeros((8, 8, 3), np.uint8), 0.0)


def test_two_people_at_once_and_that_one_follows_one(portrait):
    both = np.concatenate([portrait, portrait[:, ::-1]], axis=1)
    with BlazePose(people=2) as estimator:
        left, right = sorted(estimator.estimate(both, 0.0), key=lambda body: body.joints[HEAD, 0])
    assert {left.person, right.person} == {1, 2}
    # the second portrait is the first one's mirror picture
    assert right.joints[HEAD, 0] - 512 / 600 == pytest.approx(512 / 600 - left.joints[HEAD, 0], abs=0.03)
    with BlazePose() as estimator:
        assert len(estimator.estimate(both, 0.0)) == 1


def test_a_crowd(signer):
    """Ten in one picture: as many as were asked for, told that there are more."""
    crowd = np.tile(signer[::2, 40:-40:2], (2, 5, 1))
    with BlazePose(people=4) as estimator:
        assert len(estimator.estimate(crowd, 0.0)) == 4
        assert estimator.in_view > 4


def test_real_signer(shared_data):
    with BlazePose() as estimator:
        clip = shared_data / "video" / "intel_asl" / "again.mkv"
        found = np.array(
            [first_joints(estimator.estimate(f.pixels, f.time)) for f in decode(clip, audio=False, fps=12.5)]
        )
    assert (found[..., 2].max(axis=1) > 0.5).mean() > 0.9
    assert found[:, LEFT_SHOULDER, 2].mean() > 0.9
    wrists = found[:, [JOINTS.index("left_wrist"), JOINTS.index("right_wrist")], :2]
    assert np.ptp(wrists, axis=0).max() > 0.1
