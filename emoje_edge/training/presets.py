"""What each corpus is trained with when nobody says otherwise: settings that were found on it, by its name.

They fill in what a command line or a configuration with this one corpus leaves open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from emoje_edge.training.augment import augment
from emoje_edge.training.batching import Transform
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.datasets.blends import jostle, with_blends


@dataclass(frozen=True)
class Preset:
    """Defaults of one corpus.

    Attributes:
        model: as `[model]` of a configuration.
        train: as `[train]` of a configuration.
        transform: augmentation of training features.
        dev: hold a part out to choose the epoch by; off where that part could not tell, so the last weights count and
            nothing is held out.
        enlarge: samples made from those of the training part.
    """

    model: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    transform: Transform | None = None
    dev: bool = True
    enlarge: Callable[[Corpus], Corpus] | None = None


# an utterance alone, cross-entropy alone, nothing chosen on a held-out part
_ALONE = {"context": False, "focal_gamma": 0.0, "nce": 0.0, "joint": 0.0, "smoothing": 0.1, "patience": 0}
_BRANCH = {"cross_layers": 0, "state_width": 0, "dropout": 0.3}

BANDAI = Preset(
    model={**_BRANCH, "pose": {"width": 96}},
    train={
        **_ALONE,
        "epochs": 4,
        "batch_utterances": 48,
        "learning_rate": 3e-3,
        "weight_decay": 0.05,
        "clip": 2.0,
        "imbalance": 1.0,
        "average": 0.99,
    },
    transform=jostle,
    dev=False,
    enlarge=partial(with_blends, copies=3),
)
KINECT = Preset(
    model={**_BRANCH, "pose": {"width": 64}},
    train={
        **_ALONE,
        "epochs": 40,
        "batch_utterances": 32,
        "learning_rate": 3e-3,
        "weight_decay": 0.2,
        "clip": 5.0,
        "average": 0.98,
    },
    dev=False,
)

RAVDESS = Preset(
    model={**_BRANCH, "dropout": 0.2},
    train={
        **_ALONE,
        "epochs": 80,
        "batch_utterances": 32,
        "learning_rate": 3e-3,
        "weight_decay": 0.02,
        "clip": 5.0,
        "warmup": 0.03,
        "precision": "native",
        "average": 0.99,
    },
    transform=augment,
    dev=False,
)

RAVDESS_AU = replace(  # the voice's settings; a small share of whole pairs, or the face learns nothing of its own
    RAVDESS,
    train={**RAVDESS.train, "batch_utterances": 64, "epochs": 60, "full_share": 0.3},
)

MOSI = Preset(
    # The given text and visual vectors know this part's labels by heart (docs/evidence/missing.md).  Noise makes them
    # as weak as they are on new videos; no part of this could tell how many epochs are enough, so none is held out.
    model={
        "width": 32,
        "heads": 2,
        "cross_layers": 0,
        "joint_width": 32,
        "state_width": 32,
        "dropout": 0.5,
        "text": {"width": 64, "noise": 6.0},
        "audio": {"width": 64, "noise": 2.0},
        "pose": {"width": 64, "noise": 16.0},
    },
    train={
        **_ALONE,
        "context": True,
        "longest_dialogue": 20,
        "epochs": 15,
        "batch_utterances": 200,
        "learning_rate": 3e-3,
        "weight_decay": 0.5,
        "average": 0.99,
    },
    dev=False,
)

PRESETS: Mapping[str, Preset] = {
    "bandai": BANDAI,
    "kinect": KINECT,
    "mosi": MOSI,
    "ravdess": RAVDESS,
    "ravdess-au": RAVDESS_AU,
}


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
