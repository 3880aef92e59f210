import numpy as np
import pytest

from emoje_edge.errors import UsageError
from emoje_edge.perception.sound import mono

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


@pytest.mark.parametrize(
    ("samples", "rate"), [(np.zeros((2, 2, 2)), RATE), (np.zeros(9, np.int32), RATE), (np.zeros(9), 0)]
)
def test_sound_of_another_kind_is_refused(samples: np.ndarray, rate: int) -> None:
    with pytest.raises(UsageError, match="audio"):
        mono(samples, rate)
