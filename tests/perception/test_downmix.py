"""Many channels to one: what is said in any of them is still there, about as loud."""

import numpy as np
import pytest

from emoje_edge.perception.downmix import Downmix

RATE = 16_000


def voice(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    """Noise that swells like syllables: [N] float32."""
    t = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.1, t.size)
    return (noise * np.sin(2 * np.pi * 2 * t) ** 2).astype(np.float32)


def mixed(channels: np.ndarray, block: int = 1024) -> np.ndarray:
    """Mixed block by block, as a decoder gives them."""
    mix = Downmix()
    return np.concatenate([mix(channels[:, i : i + block]) for i in range(0, channels.shape[1], block)])


def power(x: np.ndarray) -> float:
    return float(np.square(x, dtype=np.float64).mean())


def test_the_same_in_both_channels_stays_the_same() -> None:
    x = voice()
    np.testing.assert_allclose(mixed(np.stack([x, x])), x, atol=1e-7)
    np.testing.assert_array_equal(mixed(x[None]), x)


@pytest.mark.parametrize("gain", [1.0, 0.8])
def test_opposite_phase_does_not_silence_a_voice(gain: float) -> None:
    x = voice()
    np.testing.assert_allclose(mixed(np.stack([x, -gain * x])), x, atol=1e-7)


def test_a_voice_on_one_microphone_of_twenty_keeps_its_level() -> None:
    x = voice()
    channels = np.zeros((20, x.size), np.float32)
    channels[13] = x
    np.testing.assert_allclose(mixed(channels), x, atol=1e-7)


def test_two_people_on_two_channels_are_both_heard() -> None:
    one, other = voice(seed=1), voice(seed=2)
    one[one.size // 2 :] *= 1e-4
    other[: other.size // 2] *= 1e-4
    found = mixed(np.stack([one, other]))
    half = one.size // 2
    assert power(found[:half]) > 0.2 * power(one[:half])
    assert power(found[half:]) > 0.2 * power(other[half:])


@pytest.mark.parametrize("count", [2, 6, 20])
def test_unrelated_channels_are_mixed_not_picked(count: int) -> None:
    channels = np.stack([voice(seed=i) for i in range(count)])
    np.testing.assert_allclose(mixed(channels), channels.mean(0), atol=1e-6)


def test_another_number_of_channels_and_nothing_at_all() -> None:
    mix, x = Downmix(), voice(0.1)
    np.testing.assert_array_equal(mix(np.stack([x, -x])), x)
    np.testing.assert_allclose(mix(np.stack([x, x, x])), x, atol=1e-7)
    np.testing.assert_array_equal(mix(np.zeros((2, 9), np.float32)), np.zeros(9))
    assert mix(np.zeros((2, 0), np.float32)).size == 0
