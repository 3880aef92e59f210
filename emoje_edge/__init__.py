"""Emotion recognition in conversation on the device: text, audio and body pose, never the face."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import EmojeError, UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.version import __version__

if TYPE_CHECKING:
    from emoje_edge.dialogue import DialogueState
    from emoje_edge.recognizer import Recognizer
    from emoje_edge.utterance_emotion import UtteranceEmotion

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


_MODULES = {"DialogueState": "dialogue", "Recognizer": "recognizer", "UtteranceEmotion": "utterance_emotion"}


def __getattr__(name: str) -> Any:
    # The recognizer brings onnxruntime and PyAV in: loaded when asked for, so that `--help` stays instant.
    if name in _MODULES:
        return getattr(import_module(f"emoje_edge.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'emoje_edge' has no attribute {name!r}")
