"""What the engines take of an utterance: one maker a modality, for inference, training, calibration and benchmarks.

Text is made by `text.Tokenizer`, which needs the model's tokenizer file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.perception import audio, skeleton
from emoje_edge.perception.sound_buffer import loudest
from emoje_edge.shapes import FRAMES, LONGEST, POSES, SAMPLE_RATE, WHISPER_BANDS


def level_utterance(samples: NDArray[np.float32]) -> audio.LevelledSound | None:
    """An utterance's loudest 7.68 s, levelled: what its feature and its quality are both made of.

    Args:
        samples: float32 [N], mono at 16 kHz.

    Returns:
        None for less than 0.1 s, or for silence, which says nothing.
    """
    if samples.size < 0.1 * SAMPLE_RATE:
        return None
    return audio.level_sound(loudest(samples, round(LONGEST * SAMPLE_RATE)))


def log_mel_feature(sound: audio.LevelledSound | None, bands: int) -> NDArray[np.float32] | None:
    """The feature of what was heard for an audio branch of so many bands: our log-mel (64) or Whisper's (80).

    Returns:
        float32 [F <= 768, bands], without silent ends; None for silence.

    Raises:
        UsageError: another number of bands.
    """
    if bands not in (audio.BANDS, WHISPER_BANDS):
        raise UsageError(f"an audio branch of {bands} bands", f"allowed: {audio.BANDS}, {WHISPER_BANDS}")
    if sound is None:
        return None
    if bands == audio.BANDS:
        return sound.frames()[:FRAMES]
    from emoje_edge.perception.transcribe import log_mel

    part = sound.spoken_sound()
    return log_mel(part, part.size / SAMPLE_RATE).T[:FRAMES]


def sound_feature(samples: NDArray[np.float32], bands: int) -> NDArray[np.float32] | None:
    """`log_mel_feature` of samples, float32 [N], mono at 16 kHz."""
    return log_mel_feature(level_utterance(samples), bands)


def audio_feature(samples: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The same with our own log-mel: float32 [F <= 768, 64]."""
    return sound_feature(samples, audio.BANDS)


def whisper_feature(samples: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The same with Whisper's: float32 [F <= 768, 80]."""
    return sound_feature(samples, WHISPER_BANDS)


def pose_feature(times: NDArray[np.float64], joints: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Normalised landmarks at 12.5 Hz of the 7.68 s in which most is seen.

    Args:
        times: [T] s, rising.
        joints: float32 [T, 13, 3] as a `PoseEstimator` gives them.

    Returns:
        float32 [T' <= 96, 13, 3]; None where nobody is seen.
    """
    if not joints[..., 2].any():
        return None
    # slower pictures than usual lie further apart, and are still joined
    gap = max(0.25, 1.5 * float(np.median(np.diff(times)))) if times.size > 1 else 0.25
    grid = skeleton.resample(times, joints, max_gap=min(gap, 1.0))
    if len(grid) > POSES:
        seen = np.concatenate([[0.0], np.cumsum((grid[..., 2] > 0).sum(axis=1))])
        first = int(np.argmax(seen[POSES:] - seen[:-POSES]))
        grid = grid[first : first + POSES]
    poses = skeleton.normalise(grid)
    return poses if poses[..., 2].any() else None
