"""Channels that sounds come through in evidence."""

from __future__ import annotations

import numpy as np
import pytest

from emoje_edge.shapes import SAMPLE_RATE
from research.augmentation import channels

SOUND = (0.1 * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE)).astype(np.float32)


def _power(x: np.ndarray, low: float, high: float) -> float:
    power, hertz = np.abs(np.fft.rfft(x)) ** 2, np.fft.rfftfreq(x.size, 1 / SAMPLE_RATE)
    return float(power[(hertz >= low) & (hertz < high)].mean())


@pytest.mark.parametrize("change", [lambda x: channels.resampled(x, 8000), channels.mu_law, channels.telephone])
def test_a_narrow_channel_leaves_nothing_of_the_highest_tones_and_nearly_all_of_the_middle(change) -> None:
    heard = change(SOUND)
    assert abs(heard.size - SOUND.size) <= 0.02 * SAMPLE_RATE
    assert _power(heard, 6000, 8000) < 1e-3 * _power(SOUND, 6000, 8000)
    assert _power(heard, 1000, 2500) == pytest.approx(_power(SOUND, 1000, 2500), rel=0.2)


def test_sixteen_bits_are_steps_of_their_size_at_the_volume_asked_for() -> None:
    quiet = channels.sixteen_bits(SOUND, -20)
    assert np.array_equal(quiet * 32768, np.round(quiet * 32768))
    assert quiet.std() == pytest.approx(SOUND.std() / 10, rel=0.01)
