"""Sound of any rate, number of channels and number format, as perception takes it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.perception.audio import SAMPLE_RATE


def mono(samples: NDArray[Any], rate: int) -> NDArray[np.float32]:
    """Sound as perception takes it: float32 [N'], one channel, 16 kHz, full scale 1.

    Args:
        samples: [N] or [N, channels], int16 or float.
        rate: Hz.

    Raises:
        UsageError: another shape or dtype, or a rate that no sound has.
    """
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or not (samples.dtype == np.int16 or np.issubdtype(samples.dtype, np.floating)):
        raise UsageError(f"audio of {samples.dtype} {list(samples.shape)}", "give int16 or float [N] or [N, channels]")
    if not 1000 <= rate <= 384_000:
        raise UsageError(f"audio at {rate} Hz", "give (samples, rate) with a rate of 1000 to 384000 Hz")
    sound = samples.astype(np.float32) / (32768.0 if samples.dtype == np.int16 else 1.0)
    sound = sound.mean(1) if sound.ndim == 2 else sound
    if rate == SAMPLE_RATE or not sound.size:
        return sound
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="flt", layout="mono")
    frame.sample_rate = int(rate)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    parts = [part.to_ndarray()[0] for given in (frame, None) for part in resampler.resample(given)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
