"""Sound of any rate, number of channels and number format, as perception takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.downmix import Downmix

if TYPE_CHECKING:
    import av

_MOST_CHANNELS = 64
_OVER = 16.0  # times full scale: no recording, but integers that were made floats
_GIVE = "give (samples, rate): [N] or [N, channels] of int16, int32, uint8, or float of full scale 1; and Hz"


def checked_samples(audio: Any) -> NDArray[np.float32]:
    """What a caller gave as (samples, rate), as `mono` makes it.

    Raises:
        UsageError: the rate is missing or comes first, or as `mono` does.
    """
    if not isinstance(audio, (tuple, list)) or len(audio) != 2:
        what = f"{type(audio).__name__} {list(audio.shape)}" if hasattr(audio, "shape") else type(audio).__name__
        raise UsageError(f"audio without its rate: {what}", _GIVE)
    samples, rate = audio
    if np.ndim(samples) == 0 and np.ndim(rate):
        raise UsageError("audio as (rate, samples)", _GIVE)
    return mono(samples, rate)


def mono(samples: NDArray[Any], rate: int) -> NDArray[np.float32]:
    """Sound as perception takes it: float32 [N'], one channel, 16 kHz, full scale 1.

    Args:
        samples: [N], [N, channels] or [channels, N] (the shorter side is the channels); int16, int32, uint8 or float.
        rate: Hz.

    Raises:
        UsageError: another shape or dtype, numbers that are no sound, or a rate that no sound has.
    """
    samples = _narrowed(np.asarray(samples))
    if samples.ndim not in (1, 2) or not (samples.dtype in _FULL or np.issubdtype(samples.dtype, np.floating)):
        raise UsageError(f"audio of {samples.dtype} {list(samples.shape)}", _GIVE)
    if isinstance(rate, (str, bytes, bool)) or not hasattr(rate, "__float__") or not 1000 <= float(rate) <= 384_000:
        raise UsageError(f"audio at {rate} Hz", "give (samples, rate) with a rate of 1000 to 384000 Hz")
    planes = samples[None] if samples.ndim == 1 else samples if samples.shape[0] < samples.shape[1] else samples.T
    if len(planes) > _MOST_CHANNELS:
        raise UsageError(f"audio of {len(planes)} channels, {list(samples.shape)}", _GIVE)
    _check_numbers(planes)
    sound = Downmix()(full_scale(planes))
    return resampled(sound, int(rate))


def _narrowed(samples: NDArray[Any]) -> NDArray[Any]:
    """This machine's order of bytes; integers of 16 bits that stand in wider ones, as those of a list do, as int16."""
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    wide = samples.size and samples.dtype in (np.int32, np.int64)
    return samples.astype(np.int16) if wide and -(2**15) <= samples.min() <= samples.max() < 2**15 else samples


def full_scale(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Samples of any of FFmpeg's and numpy's formats as float32 of full scale 1; what is no number is silence."""
    full = _FULL.get(samples.dtype)
    if full is None:
        return np.nan_to_num(samples.astype(np.float32, copy=False), nan=0.0, posinf=0.0, neginf=0.0)
    zero = 128 if samples.dtype == np.uint8 else 0
    return (samples.astype(np.float32) - zero) / np.float32(full)


def resampled(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """One channel [N] at `rate` Hz as [N'] at 16 kHz."""
    if rate == SAMPLE_RATE or not sound.size:
        return sound
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    parts = [part.to_ndarray()[0] for given in (mono_frame(sound, rate), None) for part in resampler.resample(given)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def mono_frame(sound: NDArray[np.float32], rate: int) -> av.AudioFrame:
    """Samples [N] as a frame for FFmpeg."""
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="flt", layout="mono")
    frame.sample_rate = rate
    return frame


# dtype -> what full scale is in it
_FULL = {np.dtype(np.uint8): 2**7, np.dtype(np.int16): 2**15, np.dtype(np.int32): 2**31, np.dtype(np.int64): 2**63}


def _check_numbers(samples: NDArray[Any]) -> None:
    if not samples.size or not np.issubdtype(samples.dtype, np.floating):
        return
    largest = float(np.abs(samples).max())
    if not np.isfinite(largest):
        raise UsageError("audio with numbers that are not finite", "mend what made it: a division by zero, say")
    if largest > _OVER:
        raise UsageError(
            f"audio of floats up to {largest:g}", "give floats of full scale 1 (divide by 32768), or int16"
        )
