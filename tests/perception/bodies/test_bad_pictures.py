"""What a camera or a file may bring that nobody asked for: rows or nobody, never a crash, and flat memory."""

import numpy as np
import pytest

from emoje_edge.modality import Modality
from emoje_edge.perception.bodies.estimator import BlazePose
from emoje_edge.perception.media import decode
from emoje_edge.perception.perceive import perceive
from emoje_edge.perception.skeleton import JOINTS
from emoje_edge.recognizer import Recognizer
from emoje_edge.shapes import MOST_PEOPLE

HEAD, LEFT_SHOULDER, RIGHT_SHOULDER = (JOINTS.index(name) for name in ("head", "left_shoulder", "right_shoulder"))


@pytest.fixture(scope="module")
def signer(shared_data):
    """uint8 [480, 640, 3]: somebody who signs, the first picture of a clip."""
    return next(decode(shared_data / "video" / "intel_asl" / "book.mkv", audio=False)).pixels


def test_fifty_people(signer):
    """As many as were asked for are followed, each with a number, in places of their own; the others are counted."""
    crowd = np.tile(signer[::2, 180:-180:2], (2, 25, 1))
    with BlazePose(people=MOST_PEOPLE) as estimator:
        bodies = estimator.estimate(crowd, 0.0)
        again = estimator.estimate(np.roll(crowd, 3, axis=1), 0.1)
        assert estimator.in_view >= MOST_PEOPLE
    assert len(bodies) == len({body.person for body in bodies}) == MOST_PEOPLE
    assert {body.person for body in again} <= {body.person for body in bodies}
    places = np.array([body.joints[[LEFT_SHOULDER, RIGHT_SHOULDER], :2].mean(0) for body in bodies])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + np.eye(len(places))
    assert apart.min() > 0.05, "in heights of a picture of two rows"


def test_four_thousand_pixels(portrait):
    """The same person in a picture of 2,160 x 1,843 has the same joints as in one of 600 x 512."""
    rows, columns = (np.arange(n) * m // n for n, m in ((2160, 600), (1843, 512)))
    with BlazePose() as estimator:
        (small,) = estimator.estimate(portrait, 0.0)
    with BlazePose() as estimator:
        (large,) = estimator.estimate(portrait[np.ix_(rows, columns)], 0.0)
    wanted = [HEAD, LEFT_SHOULDER, RIGHT_SHOULDER]
    assert np.abs(large.joints[wanted, :2] - small.joints[wanted, :2]).max() < 0.02


def test_a_picture_of_8000_by_50_with_somebody_in_it(signer):
    """A body of fifty pixels in a strip: found or not, the answer is finite and lies in the picture."""
    strip = np.full((50, 8000, 3), signer[2, 2], np.uint8)
    strip[:, 4000:4050] = signer[::9, 100:-90:9][:50, :50]
    with BlazePose(people=2) as estimator:
        for body in estimator.estimate(strip, 0.0):
            assert np.isfinite(body.joints).all()
            assert -1 < body.joints[HEAD, 0] < 161


def test_a_black_clip_gives_rows_that_say_why(clip):
    black = (np.zeros((48, 64, 3), np.uint8) for _ in range(50))
    path = clip("black.mkv", pictures=black, sound=np.zeros(32_000, np.float32))
    assert all(Modality.POSE not in seen.features for seen in perceive(path, "audio,pose"))
    with Recognizer("pose") as recogniser:
        rows = list(recogniser.stream(path))
    assert rows
    assert {row.reason for row in rows} == {"nobody_seen"}


def test_frames_out_of_order(portrait):
    """A clock that jumps back and forth: the person keeps the number, and the joints stay on the body."""
    times = (0.0, 0.4, 0.1, 0.3, 0.2, -5.0, 9.0, 8.9, 100.0, 0.0)
    with BlazePose(people=2) as estimator:
        found = [estimator.estimate(np.roll(portrait, 4 * i, axis=1), time) for i, time in enumerate(times)]
    heads = [[body.joints[HEAD, 0] for body in bodies] for bodies in found]
    assert all(len(bodies) == 1 for bodies in found)
    assert [x[0] for x in heads] == pytest.approx([heads[0][0] + 4 * i / 600 for i in range(len(times))], abs=0.03)


def test_who_come_and_go_leave_nothing_behind(portrait):
    """Thirty people one after the other: nobody is kept beyond the seconds for which a number is."""
    empty = np.full_like(portrait, portrait[5, 5])
    with BlazePose(people=2) as estimator:
        numbers = []
        for visit in range(30):
            for i, picture in enumerate((portrait, empty)):
                numbers += [body.person for body in estimator.estimate(picture, visit * 20 + i * 10.0)]
        assert len(estimator._open()._persons) <= 1
    assert numbers == list(range(1, 31))
