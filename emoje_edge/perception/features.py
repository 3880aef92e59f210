"""What the engines take of an utterance: one maker a modality, for inference, training, calibration and benchmarks.

Text is made by `text.Tokeniser`, which needs the model's tokenizer file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.perception import audio, skeleton
from emoje_edge.perception.sound_buffer import loudest
from emoje_edge.shapes import FRAMES, LONGEST, POSES, SAMPLE_RATE, WHISPER_BANDS


def audio_feature(samples: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Normalised log-mel of an utterance's loudest 7.68 s, without silent ends.

    Args:
        samples: float32 [N], mono at 16 kHz.

    Returns:
        float32 [F <= 768, 64]; None for less than 0.1 s, or for silence, which says nothing.
    """
    if samples.size < 0.1 * SAMPLE_RATE:
        return None
    frames = audio.utterance_frames(loudest(samples, round(LONGEST * SAMPLE_RATE)))
    return None if frames is None else frames[:FRAMES]


def whisper_feature(samples: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Whisper's log-mel of the same part of an utterance, for a branch that hears by a Whisper encoder's layers.

    Args:
        samples: float32 [N], mono at 16 kHz.

    Returns:
        float32 [F <= 768, 80]; None as for `audio_feature`.
    """
    from emoje_edge.perception.transcribe import log_mel

    if samples.size < 0.1 * SAMPLE_RATE:
        return None
    sound = audio.spoken_sound(loudest(samples, round(LONGEST * SAMPLE_RATE)))
    return None if sound is None else log_mel(sound, sound.size / SAMPLE_RATE).T[:FRAMES]


def sound_feature(samples: NDArray[np.float32], bands: int) -> NDArray[np.float32] | None:
    """The feature for an audio branch of so many bands: our log-mel (64) or Whisper's (80).

    Raises:
        UsageError: another number of bands.
    """
    if bands == audio.BANDS:
        return audio_feature(samples)
    if bands == WHISPER_BANDS:
        return whisper_feature(samples)
    raise UsageError(f"an audio branch of {bands} bands", f"allowed: {audio.BANDS}, {WHISPER_BANDS}")


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
