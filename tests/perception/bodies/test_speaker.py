"""Who speaks: landmarks of two bodies, one of which moves with a voice."""

import numpy as np
import pytest

from emoje_edge.perception.bodies.speaker import Speakers, movement, size

TIMES = np.arange(25) / 12.5
BODY = np.array(
    [[0, -0.6], [0.5, 0], [-0.5, 0], [0.6, 0.7], [-0.6, 0.7], [0.4, 1.2], [-0.4, 1.2], [0.3, 1.45], [-0.3, 1.45],
     [0.3, 2.3], [-0.3, 2.3], [0.3, 3.1], [-0.3, 3.1]], np.float32)  # fmt: skip


def body(x: float, width: float = 0.2, gesture: np.ndarray | None = None) -> np.ndarray:
    """[25, 13, 3]: somebody at x, in picture heights, whose wrists go up and down by `gesture` shoulder widths."""
    joints = np.ones((len(TIMES), 13, 3), np.float32)
    joints[..., :2] = BODY * width + (x, 0.3)
    if gesture is not None:
        joints[:, 5:7, 1] += width * gesture[:, None].astype(np.float32)
    return joints


WAVE = 0.5 * np.sin(2 * np.pi * 1.5 * TIMES)
VOICE = np.random.default_rng(0).standard_normal(round(TIMES[-1] * 16_000)).astype(np.float32) * 0.1


def test_size_and_speed():
    still, waving = body(0.3), body(0.3, gesture=WAVE)
    assert size(still) == pytest.approx(0.2)
    assert movement(still, TIMES, None, 0.0) == 0
    # a sine of amplitude .5 at 1.5 Hz has a mean speed of 3 a second; two of the five points wave
    assert movement(waving, TIMES, None, 0.0) == pytest.approx(3 * 2 / 5, rel=0.1)
    assert movement(body(0.3, width=0.05, gesture=WAVE), TIMES, None, 0.0) == pytest.approx(
        movement(waving, TIMES, None, 0.0), rel=1e-3
    )


@pytest.mark.parametrize("talker", [1, 2])
def test_the_one_who_gestures_speaks(talker):
    people = {n: body(0.4 * n, gesture=WAVE if n == talker else None) for n in (1, 2)}
    assert Speakers().link(people, TIMES, sound=VOICE) == talker


def test_what_is_heard_counts():
    """Both move, one before and one while the voice is heard."""
    half = len(TIMES) // 2
    early, late = WAVE.copy(), WAVE.copy()
    early[half:], late[:half] = 0, 0
    silent_first = VOICE.copy()
    silent_first[: len(VOICE) // 2] = 0
    people = {1: body(0.4, gesture=early), 2: body(0.8, gesture=late)}
    assert Speakers().link(people, TIMES, sound=silent_first) == 2
    assert Speakers().link(people, TIMES, sound=silent_first[::-1]) == 1


def test_without_movement_the_largest_speaks():
    assert Speakers().link({1: body(0.4, 0.1), 2: body(0.8, 0.2)}, TIMES, sound=VOICE) == 2


def test_a_name_is_remembered_and_two_names_are_two_people():
    speakers = Speakers()
    moving = {1: body(0.4), 2: body(0.8, gesture=WAVE)}
    assert speakers.link(moving, TIMES, name="ROSS", sound=VOICE) == 2
    still = {1: body(0.4), 2: body(0.8, 0.25)}
    assert speakers.link(still, TIMES, name="ROSS", sound=VOICE) == 2
    assert speakers.link(still, TIMES, name="RACHEL", sound=VOICE) == 1
    assert speakers.link({2: still[2]}, TIMES, name="RACHEL", sound=VOICE) == 2, "who else"


def test_nobody_in_view():
    assert Speakers().link({}, TIMES) is None
    assert Speakers().link({3: np.zeros((25, 13, 3), np.float32)}, TIMES) == 3
    assert Speakers().link({3: np.zeros((0, 13, 3), np.float32)}, np.zeros(0), sound=VOICE) == 3
