import numpy as np
import pytest

from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.media import AudioBlock
from emoje_edge.perception.sound_buffer import SoundBuffer, loudest


def _filled(*spans):
    """Sound in which every sample is its time."""
    sound = SoundBuffer()
    for start, end in spans:
        for first in np.arange(start, end, 0.1):
            last = min(first + 0.1, end)
            times = first + np.arange(round((last - first) * SAMPLE_RATE)) / SAMPLE_RATE
            sound.add(AudioBlock(float(first), times.astype(np.float32)))
    return sound


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.33, 2.77), (1.0, 1.01), (2.9, 5.0)])
def test_take_gives_the_samples_of_that_time(start, end):
    taken = _filled((0.0, 3.0)).take(start, end)
    assert taken.size == pytest.approx((min(end, 3.0) - start) * SAMPLE_RATE, abs=1)
    assert taken[0] == pytest.approx(start, abs=2e-4)
    assert taken[-1] == pytest.approx(min(end, 3.0), abs=2e-4)


def test_holes_are_silent():
    taken = _filled((0.0, 1.0), (2.0, 3.0)).take(0.5, 2.5)
    assert taken.size == 2 * SAMPLE_RATE
    assert not taken[round(0.6 * SAMPLE_RATE) : round(1.4 * SAMPLE_RATE)].any()
    assert taken[-1] == pytest.approx(2.5, abs=2e-4)


def test_forget_frees_what_lies_before():
    sound = _filled((0.0, 3.0))
    sound.forget(2.05)
    assert sound.take(0.0, 3.0)[0] == pytest.approx(2.0, abs=2e-4)
    sound.forget(100.0)
    assert sound.take(0.0, 3.0).size == 0
    assert sound.until == pytest.approx(3.0)


def test_outside_there_is_nothing():
    assert _filled((0.0, 1.0)).take(5.0, 6.0).size == 0
    assert SoundBuffer().take(0.0, 1.0).size == 0


def test_loudest():
    samples = np.full(20 * SAMPLE_RATE, 0.01, np.float32)
    samples[12 * SAMPLE_RATE : 14 * SAMPLE_RATE] = 0.5
    kept = loudest(samples, 4 * SAMPLE_RATE)
    assert kept.size == 4 * SAMPLE_RATE
    assert (kept == 0.5).sum() == 2 * SAMPLE_RATE
    assert loudest(samples[:100], 4 * SAMPLE_RATE).size == 100
