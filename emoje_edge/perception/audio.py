"""Log-mel frames in numpy: all that the audio encoder hears of a sound.

A Hann window of 25 ms every 10 ms, a 512-point FFT, 64 triangular bands equally wide on the mel scale of the HTK Book
(Young et al., 2006, section 5.4: mel = 2595 log10(1 + f / 700)), and the natural logarithm.

Nothing of the recording's chain may look like an emotion: `utterance_frames` takes out offset, hum and gain, hears
nothing below a floor that goes with the utterance's own level, and fills the bands that a narrow channel (telephone,
8 kHz) has emptied from their neighbours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.perception.hum import without_hum
from emoje_edge.shapes import BANDS, FRAME_RATE, SAMPLE_RATE

WINDOW = 400  # samples: 25 ms
HOP = SAMPLE_RATE // FRAME_RATE  # samples
HOP_SECONDS = HOP / SAMPLE_RATE
FFT_SIZE = 512
LOW_HZ, HIGH_HZ = 60.0, 7600.0
FLOOR = 1e-12  # of a band's power at full scale: keeps the logarithm finite, and is below all that is heard
# A sound whose largest sample is below this (-80 dB of full scale, three steps of 16 bits) is silence, and so is one
# of which less than this share (-40 dB) is left when the hum is taken out.
SILENCE, REST = 1e-4, 1e-2
# Natural log units (50 dB) below an utterance's loudest frames (the 99th percentile): what lies deeper is not heard,
# and a band that never comes out of there has been emptied by the channel.  No band of RAVDESS at full width has.
DEPTH = 11.5
LOUD_PERCENTILE = 99
# Frames of steady noise differ by about 0.6 (natural log units); dividing by less would only magnify silence.
LEAST_DEVIATION = 1.0
# Ends of an utterance are silent where they lie in the lowest quarter between its quiet and its loudest frames, if
# these are at least a factor of 20 in energy apart; a tenth of a second of them stays.
QUIET_PERCENTILE, SPOKEN_SHARE, LEAST_RANGE, MARGIN = 20, 0.25, 3.0, 10

# Frames at a time: a long recording needs no more memory, and so small a matrix product stays in one thread, where
# BLAS's own threads wait for each other on busy cores (8 s of sound: 7 ms, else up to 150)
_BLOCK = 32


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-mel energies of a sound.

    Args:
        samples: float [N], mono at 16 kHz, full scale 1.

    Returns:
        float32 [F, 64]: F = 1 + (N - 400) // 160; 1 for a shorter sound (zeros make up the window), 0 for none.
        A sample that is no finite number counts as silence.

    Raises:
        UsageError: `samples` is not one-dimensional.
    """
    samples = _one_channel(samples)
    if not samples.size:
        return np.zeros((0, BANDS), dtype=np.float32)
    if samples.size < WINDOW:
        samples = np.pad(samples, (0, WINDOW - samples.size))
    # frames: [F, WINDOW], a view
    frames = sliding_window_view(samples, WINDOW)[::HOP]
    mel = np.empty((len(frames), BANDS), dtype=np.float32)
    for first in range(0, len(frames), _BLOCK):
        spectrum = np.fft.rfft(frames[first : first + _BLOCK] * _window(), FFT_SIZE)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        mel[first : first + _BLOCK] = power @ _filters()
    return np.log(np.maximum(mel, FLOOR, out=mel), out=mel)


class LevelledSound(NamedTuple):
    """An utterance's sound [N] without offset and hum, its largest sample at full scale, and its log-mel [F, 64].

    Both cost some milliseconds, so they are made once for all that is asked of a sound.
    """

    sound: NDArray[np.float32]
    log_mel: NDArray[np.float32]

    def above_floor(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Log-mel frames [F, 64] above the utterance's own floor, and the bands [64] that come out of it."""
        reference = float(np.percentile(self.log_mel.max(axis=1), LOUD_PERCENTILE))
        live = np.percentile(self.log_mel, LOUD_PERCENTILE, axis=0) > reference - DEPTH
        return np.maximum(self.log_mel, np.float32(reference - DEPTH)), live

    def frames(self) -> NDArray[np.float32]:
        """What the audio encoder takes: float32 [F, 64] as `normalise` gives them, without silent ends."""
        frames, live = self.above_floor()
        return normalise(frames[speech_span(frames[:, live])], live)

    def spoken_sound(self) -> NDArray[np.float32]:
        """The same part of the utterance as sound [N], for ears that want another log-mel."""
        frames, live = self.above_floor()
        part = speech_span(frames[:, live])
        return self.sound[part.start * HOP : part.stop * HOP + WINDOW - HOP]


def level_sound(samples: NDArray[np.float32]) -> LevelledSound | None:
    """A sound levelled, with its log-mel: the same whatever the gain, an offset or a steady hum.

    Args:
        samples: float [N], mono at 16 kHz.

    Returns:
        None for silence, or a hum and nothing else.

    Raises:
        UsageError: `samples` is not one-dimensional.
    """
    sound = levelled(samples)
    return None if sound is None else LevelledSound(sound, log_mel(sound))


def utterance_frames(samples: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """What the audio encoder takes of an utterance, float32 [F, 64]; None for silence.  See `level_sound`."""
    sound = level_sound(samples)
    return None if sound is None else sound.frames()


def levelled(samples: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The sound [N] without offset and hum, its largest sample at full scale; None where nothing is left.

    Raises:
        UsageError: `samples` is not one-dimensional.
    """
    samples = _one_channel(samples)
    if not samples.size:
        return None
    samples = samples - samples.mean(dtype=np.float64).astype(np.float32)
    peak = float(np.abs(samples).max())
    if peak < SILENCE:
        return None
    # divided before anything is computed of it, so that rounding is the same at every gain
    samples = samples / np.float32(peak)
    rest = without_hum(samples, SAMPLE_RATE)
    left = float(np.abs(rest).max())
    return rest / np.float32(left) if left > REST and left * peak >= SILENCE else None


def speech_span(frames: NDArray[np.float32]) -> slice:
    """Where an utterance's frames are without the silence at both ends, which says nothing and would shift the
    normalisation.

    Args:
        frames: float [F, bands] log-mel, F may be 0.

    Returns:
        A slice of the frames; all of them where nothing stands out from a quiet background.
    """
    if not len(frames):
        return slice(0, 0)
    level = frames.mean(axis=1)
    quiet, loudest = float(np.percentile(level, QUIET_PERCENTILE)), float(level.max())
    if loudest - quiet < LEAST_RANGE:
        return slice(0, len(frames))
    loud = np.flatnonzero(level > quiet + SPOKEN_SHARE * (loudest - quiet))
    return slice(max(0, int(loud[0]) - MARGIN), int(loud[-1]) + 1 + MARGIN)


def normalise(frames: NDArray[np.float32], live: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Shift and scale an utterance's frames to mean 0 and deviation 1.

    One mean and one deviation for all bands: the microphone's gain goes, the spectral tilt (arousal) stays.

    Args:
        frames: float [F, 64] log-mel, F may be 0.
        live: [64], the bands that carry energy: mean and deviation are theirs, and every other band becomes a copy of
            the nearest of them.  None: all do.

    Returns:
        float32 [F, 64], finite; near 0 everywhere for silence.
    """
    frames = np.asarray(frames, dtype=np.float32)
    if not frames.size:
        return frames
    heard = frames if live is None else frames[:, live]
    deviation = max(float(heard.std(dtype=np.float64)), LEAST_DEVIATION)
    normal = (frames - np.float32(heard.mean(dtype=np.float64))) / np.float32(deviation)
    return (normal if live is None else fill_dead_bands(normal, live)).astype(np.float32)


def fill_dead_bands(frames: NDArray[np.float32], live: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Frames [F, 64] in which every band that is not live [64] is a copy of the nearest one that is."""
    there = np.flatnonzero(live)
    nearest = there[np.abs(np.arange(live.size)[:, None] - there).argmin(axis=1)]
    return frames[:, nearest]


def _one_channel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [N], finite: a sample that is no number counts as silence."""
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim != 1:
        raise UsageError(f"samples of shape {samples.shape}", "give one channel: float32 [N] at 16 kHz")
    return samples if np.isfinite(samples).all() else np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    # The periodic Hann window, as for every short-time FFT: numpy's own is the symmetric one.
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


@lru_cache(maxsize=1)
def _filters() -> NDArray[np.float32]:
    """Triangles [FFT_SIZE // 2 + 1, BANDS], height 1, each from its left neighbour's centre to its right one's."""
    edges = _hertz(np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), BANDS + 2))
    bins = np.fft.rfftfreq(FFT_SIZE, 1 / SAMPLE_RATE)[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32)


def _mel(hertz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hertz / 700.0))


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
