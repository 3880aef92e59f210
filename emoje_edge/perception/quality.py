"""How good what was read, heard and seen of an utterance is: two numbers in 0..1 a modality, inputs of the engines.

| modality | first | second |
|---|---|---|
| text | share of the words that the tokenizer knows | how sure they are; 1 for subtitles |
| audio | share of the sound that is speech | signal-to-noise ratio, 30 dB and more as 1 |
| pose | share of the frames that show a body | mean visibility of the joints in those |

They are no evidence of an emotion: the fusion's gate sees them to weigh the witnesses (docs/decisions/0001).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emoje_edge.modality import QUALITIES
from emoje_edge.perception import audio
from emoje_edge.perception.features import level_utterance
from emoje_edge.perception.speech import speech_share

CLEAN_DB = 30.0
_QUIET, _LOUD = 10, 95  # percentiles of the frames' levels: background, and what stands out of it

Quality = NDArray[np.float32]


def good() -> Quality:
    """What is said of a modality of which nothing is known: all is well."""
    return np.ones(QUALITIES, dtype=np.float32)


def text_quality(known: float, sure: float = 1.0) -> Quality:
    """float32 [2] of words.

    Args:
        known: share of known words (`Tokenizer.known`).
        sure: the confidence of what recognised them, 0 to 1; 1 for words that were given.
    """
    return _bounded(known, sure)


def audio_quality(samples: NDArray[np.float32]) -> Quality:
    """float32 [2] of an utterance's sound, float32 [N], mono at 16 kHz; zeros for silence."""
    return sound_quality(level_utterance(samples))


def sound_quality(sound: audio.LevelledSound | None) -> Quality:
    """float32 [2] of what was heard, where it is levelled already."""
    if sound is None:
        return np.zeros(QUALITIES, dtype=np.float32)
    return _bounded(speech_share(sound.sound), _signal_to_noise(sound.log_mel) / CLEAN_DB)


def signal_to_noise(samples: NDArray[np.float32]) -> float:
    """dB between loud and quiet frames: some 2 for steady noise, above 30 for a clean voice; 0 without sound."""
    return _signal_to_noise(audio.log_mel(samples))


def _signal_to_noise(frames: NDArray[np.float32]) -> float:
    if not len(frames):
        return 0.0
    # band energies are natural logarithms; the frame's level is that of their sum
    level = 10 / np.log(10) * np.logaddexp.reduce(frames, axis=1)
    quiet, loud = np.percentile(level, [_QUIET, _LOUD])
    return float(loud - quiet)


def pose_quality(poses: NDArray[np.float32]) -> Quality:
    """float32 [2] of an utterance's landmarks, float32 [T, 13, 3] with the visibility last; zeros without any."""
    if not len(poses):
        return np.zeros(QUALITIES, dtype=np.float32)
    seen = poses[..., 2].max(axis=1) > 0
    return _bounded(float(seen.mean()), float(poses[seen, :, 2].mean()) if seen.any() else 0.0)


def _bounded(first: float, second: float) -> Quality:
    return np.clip(np.array([first, second], dtype=np.float32), 0.0, 1.0)
