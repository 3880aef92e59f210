"""Emotion recognition in conversation on the device: text, audio and body pose, never the face."""

from typing import TYPE_CHECKING, Any

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import EmojeError, UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.version import __version__

if TYPE_CHECKING:
    from emoje_edge.recognizer import DialogueState, Recognizer, UtteranceEmotion

__all__ = [
    "EMOTIONS",
    "DialogueState",
    "EmojeError",
    "Mask",
    "Modality",
    "Recognizer",
    "UsageError",
    "UtteranceEmotion",
    "WorkError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    # The recogniser brings onnxruntime and PyAV in: loaded when asked for, so that `--help` stays instant.
    if name in ("DialogueState", "Recognizer", "UtteranceEmotion"):
        from emoje_edge import recognizer

        return getattr(recognizer, name)
    raise AttributeError(f"module 'emoje_edge' has no attribute {name!r}")
