"""CMU-MOSI (Zadeh et al., arXiv 1606.06259) as pre-extracted vectors: text 100, audio 73, visual 100 an utterance.

The visual vectors (faces, which the product never uses) take the pose slot: the set is here because it is the one with
three modalities of the same utterance.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets.base import Corpus, Sample
from emoje_edge.training.datasets.feature_files import open_arrays
from emoje_edge.training.datasets.find_files import find_files, split_of
from emoje_edge.training.datasets.options import Options

CLASSES = ("negative", "positive")
NEEDED = ("video", "pos", "label", "text", "audio", "visual")


def load(root: Path, options: Options) -> Corpus:
    """Read MOSI; a dialogue is a video.

    Raises:
        UsageError: no such file, a missing array, a label that is not 0 or 1.
    """
    samples: list[Sample] = []
    for path in find_files(root, ("mosi*.npz",), "MOSI's npz (mosi_train.npz)"):
        arrays = open_arrays(path, NEEDED)
        words = arrays.get("transcript", np.array([""] * len(arrays["label"])))
        splits = arrays.get("split", np.array([split_of(path)] * len(arrays["label"])))
        for i, label in enumerate(arrays["label"].tolist()):
            source = f"{path} row {i}"
            if label not in (0, 1):
                raise UsageError(f"{source}: label {label}", "allowed: 0 (negative), 1 (positive)")
            vectors = {
                Modality.TEXT: arrays["text"][i][None],
                Modality.AUDIO: arrays["audio"][i][None],
                Modality.POSE: arrays["visual"][i][None],
            }
            samples.append(
                Sample(
                    dialogue=str(arrays["video"][i]),
                    index=int(arrays["pos"][i]),
                    label=int(label),
                    speaker=str(arrays["video"][i]),
                    text=str(words[i]) or None,
                    features=vectors,
                    split=str(splits[i]),
                    source=source,
                )
            )
    return Corpus("mosi", CLASSES, tuple(samples))
