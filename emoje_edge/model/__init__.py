"""The AM2-EmoJE network (torch)."""

from emoje_edge.model.config import LandmarkEncoder, LogMelEncoder, ModelConfig, TextEncoder, VectorEncoder
from emoje_edge.model.network import AmEmoje, NetworkOutput

__all__ = [
    "AmEmoje",
    "LandmarkEncoder",
    "LogMelEncoder",
    "ModelConfig",
    "NetworkOutput",
    "TextEncoder",
    "VectorEncoder",
]
