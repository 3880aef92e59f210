"""What each corpus is trained with when nobody says otherwise: settings that were found on it, by its name.

They fill in what a command line or a configuration with this one corpus leaves open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emoje_edge.training.batching import Transform


@dataclass(frozen=True)
class Preset:
    """Defaults of one corpus.

    Attributes:
        model: as `[model]` of a configuration.
        train: as `[train]` of a configuration.
        transform: augmentation of training features.
    """

    model: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    transform: Transform | None = None


PRESETS: Mapping[str, Preset] = {}


def preset_of(names: list[str]) -> Preset:
    """The preset of these corpora: of the one there is, if it has one; several have none."""
    return PRESETS.get(names[0], Preset()) if len(names) == 1 else Preset()


def merged(preset: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` over `preset`, tables within (an encoder's) key by key."""
    found = dict(preset)
    for key, value in given.items():
        known = found.get(key)
        found[key] = {**known, **value} if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return found
