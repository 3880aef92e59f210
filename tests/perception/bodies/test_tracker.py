"""Numbers stay with people: side by side, shaken, after a cut (scenes of research/bodies, made of real signers)."""

import numpy as np
import pytest

from emoje_edge.perception.bodies.estimator import BlazePose
from research.bodies.people import kept, linked, other_cameras
from research.bodies.scenes import beside, crossing, cut, shaken, strips


@pytest.fixture(scope="module")
def signers(shared_data):
    return {name: strips(shared_data / "video", name)[:16] for name in ("book", "school", "no", "again")}


def test_two_people_side_by_side_and_shaken(signers):
    shot = list(beside(signers["book"], signers["school"], names=("a", "b")))
    assert kept(shot) >= 0.97
    assert kept(shaken(shot, np.random.default_rng(0))) >= 0.97


def test_after_a_cut_everybody_is_new(signers):
    shots = [
        list(beside(signers["book"], signers["school"], names=("a", "b")))[:4],
        list(beside(signers["no"], signers["again"], names=("c", "d"))),
    ]
    with BlazePose(people=2) as estimator:
        scene = list(cut(other_cameras(shots, np.random.default_rng(1))))
        numbers = [{body.person for body in estimator.estimate(shown.pixels, shown.time)} for shown in scene]
    assert numbers[3] == {1, 2}
    assert not {1, 2} & set().union(*numbers[4:])
    assert len(numbers[-1]) == 2


def test_who_cross_keep_their_numbers(signers):
    """One passes before the other, who is hidden for most of a second; each goes on under the old number."""
    there_and_back = {name: clip + clip[::-1] for name, clip in signers.items()}
    for front, behind in (("book", "again"), ("again", "school")):
        walk = list(crossing(there_and_back[front], there_and_back[behind]))
        assert any(shown.hidden for shown in walk)
        assert kept(walk, last=0.1) == 1.0


def test_the_voice_goes_to_the_body_that_moves(signers):
    assert all(linked(signers["book"], signers["school"], side, np.random.default_rng(0)) for side in (0, 1))
