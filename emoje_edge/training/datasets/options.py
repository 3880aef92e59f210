"""What a user may choose about any dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emoje_edge.modality import Mask
from emoje_edge.shapes import BANDS


@dataclass(frozen=True)
class Options:
    """Choices of a loader.

    Args:
        mask: modalities that are wanted; raw media of the others are not decoded.  None for all.
        cache: folder of features computed from raw media; None for the user's cache folder.
        ways: IEMOCAP: four or six classes.
        views: motion capture: random camera views a performance; 0 is the plain front.
        seed: of those views.
        bands: of the sound feature: 64, or 80 for a model that hears by a Whisper encoder.
        samples: give sound as it is, float32 [N] at 16 kHz, instead of its features; nothing is cached.
    """

    mask: Mask | None = None
    cache: Path | None = None
    ways: int = 6
    views: int = 0
    seed: int = 0
    bands: int = BANDS
    samples: bool = False
