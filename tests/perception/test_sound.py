import numpy as np
import pytest

from emoje_edge.errors import UsageError
from emoje_edge.perception.sound import checked_samples, mono

RATE = 16_000


def buzz(seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 220 * t) * np.sin(2 * np.pi * 4 * t)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_sound_of_any_rate_and_layout_is_heard_alike(rate: int) -> None:
    sound = buzz(1.0, rate)
    for samples in (sound, np.stack([sound, sound], 1), (sound * 32767).astype(np.int16), sound.astype(np.float64)):
        heard = mono(samples, rate)
        assert heard.dtype == np.float32
        assert abs(len(heard) - RATE) <= 32
        middle = slice(2000, 14_000)
        assert np.abs(heard[middle] - buzz()[: len(heard)][middle]).max() < 0.03


def test_channels_first_or_last_and_every_number_format_are_the_same_sound() -> None:
    x = buzz()
    whole = np.round(x.astype(np.float64) * 2**31).astype(np.int32)
    eight = (np.round(x * 127) + 128).astype(np.uint8)
    for samples in (np.stack([x, x]), np.stack([x, x], 1), x[None], x[:, None], whole, whole[None], x.astype("f8")):
        np.testing.assert_allclose(mono(samples, RATE), x, atol=1e-6)
    np.testing.assert_allclose(mono(eight, RATE), x, atol=0.01)


def test_sixteen_bits_in_wider_integers_or_in_another_order_of_bytes_are_the_same_sound() -> None:
    x = buzz()
    narrow = np.round(x * 32767).astype(np.int16)
    for samples in (narrow.astype(np.int32), narrow.astype(np.int64), narrow.tolist(), narrow.astype(">i2")):
        np.testing.assert_allclose(mono(samples, RATE), x, atol=1e-4)  # type: ignore[arg-type]
    np.testing.assert_allclose(mono(x.astype(">f4"), np.float64(RATE)), x, atol=1e-6)  # type: ignore[arg-type]


def test_opposite_phase_is_heard() -> None:
    np.testing.assert_allclose(mono(np.stack([buzz(), -buzz()]), RATE), buzz(), atol=1e-6)


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (buzz(), "audio without its rate: ndarray"),
        ((buzz(),), "audio without its rate"),
        ((RATE, buzz()), r"\(rate, samples\)"),
        ((buzz() * 32768, RATE), "floats up to 98"),
        ((np.full(99, np.nan), RATE), "not finite"),
        ((buzz(), "16k"), "audio at 16k Hz"),
        ((np.zeros((100, 99)), RATE), "99 channels"),
    ],
)
def test_what_is_no_sound_is_told(audio: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked_samples(audio)


@pytest.mark.parametrize(
    ("samples", "rate"), [(np.zeros((2, 2, 2)), RATE), (np.zeros(9, np.int16), 0), (np.array(["a"]), RATE)]
)
def test_sound_of_another_kind_is_refused(samples: np.ndarray, rate: int) -> None:
    with pytest.raises(UsageError, match="audio"):
        mono(samples, rate)
