"""How likely each moment of a sound is speech: Silero's voice activity network (MIT), run by ONNX Runtime.

It tells speech from music, a street and noise, which no measure of loudness does.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import WorkError
from emoje_edge.runtime import runtime
from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.shipped import SILERO

FRAME = 512  # samples at 16 kHz: 32 ms, what the network judges at a time
# Probability from which a frame is heard as part of an utterance, found on RAVDESS clips before the noises of training
# (docs/evidence/words.md); and from which it counts to the share of speech in a sound.
HEARD, SPEECH = 0.35, 0.5
# A recording's loud frames are brought to this level (RMS, full scale 1) by factors within these bounds, and what was
# loud is forgotten in that time (s).  Found on RAVDESS clips before the noises of training, at four volumes.
_TARGET, _LEAST_GAIN, _MOST_GAIN, _FORGETS = 0.2, 0.5, 30.0, 10.0
_CONTEXT, _STATE = 64, (1, 1, 128)  # samples before each frame that it sees too; its memory's shape


class SpeechStream:
    """The network over a sound that comes in pieces; its memory goes from one to the next.  A `Detector`.

    Raises:
        WorkError: the shipped network is missing or damaged.
    """

    frame, batch = FRAME, 4

    def __init__(self) -> None:
        self._session = _session()
        self._hidden, self._cell = np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)
        self._before = np.zeros(_CONTEXT, np.float32)

    def levels(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of speech in each frame.

        Args:
            samples: float32 [F * 512], mono at 16 kHz, full scale 1; what is no finite number counts as silence.

        Returns:
            float32 [F], 0 to 1.
        """
        frames = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0).reshape(-1, FRAME)
        if not len(frames):
            return np.zeros(0, dtype=np.float32)
        # [F, 64]: the end of the frame before each
        before = np.concatenate([self._before[None], frames[:-1, -_CONTEXT:]])
        self._before = frames[-1, -_CONTEXT:].copy()
        found, self._hidden, self._cell = self._session.run(
            None, {"input": np.concatenate([before, frames], axis=1), "h": self._hidden, "c": self._cell}
        )
        return np.asarray(found, dtype=np.float32).reshape(-1)

    def speaks(self, level: float, *, within: bool) -> bool:
        """Whether a frame of this probability is speech."""
        return level >= HEARD


class LevelledSpeech(SpeechStream):
    """The same over a sound that is brought to one level on the way: a quiet recording's speech is found as well.

    The network is surest of speech as loud as it was trained on; 20 dB below, it loses four points of F1 in a street.
    """

    def __init__(self) -> None:
        super().__init__()
        self._loud = _TARGET / 2
        self._decay = math.exp(-FRAME / SAMPLE_RATE / _FORGETS)

    def levels(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        frames = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0).reshape(-1, FRAME)
        loud = np.empty(len(frames), np.float32)
        for i, rms in enumerate(np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1))):
            loud[i] = self._loud = max(float(rms), self._loud * self._decay)
        gain = np.clip(_TARGET / np.maximum(loud, 1e-9), _LEAST_GAIN, _MOST_GAIN)
        return super().levels((frames * gain[:, None]).astype(np.float32).reshape(-1))


def speech_share(samples: NDArray[np.float32]) -> float:
    """Part of a sound that is speech, 0 to 1; 0 for less than one frame (32 ms).

    Args:
        samples: float32 [N], mono at 16 kHz, full scale 1.
    """
    frames = samples.size // FRAME
    if not frames:
        return 0.0
    return float((SpeechStream().levels(samples[: frames * FRAME]) >= SPEECH).mean())


@lru_cache(maxsize=1)
def _session() -> Any:
    """One network for all streams, which each keep a memory of their own."""
    ort = runtime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(str(SILERO), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors are bare, and of many kinds
        raise WorkError(f"the speech model {SILERO} cannot be opened: {error}", "reinstall emoje-edge") from error
