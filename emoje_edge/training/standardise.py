"""Vectors made elsewhere come in any unit: encoders take the mean and deviation of each feature from the corpus."""

from __future__ import annotations

import numpy as np
import torch

from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje
from emoje_edge.model.encoders import VectorEncoder
from emoje_edge.training.datasets.base import Corpus


def fit_features(network: AmEmoje, corpus: Corpus) -> None:
    """Set `mean` and `scale` of every `VectorEncoder` whose modality the corpus brings; the others stay as they are."""
    for m in Modality:
        if m.value not in network.encoders:
            continue
        encoder = network.encoders[m.value]
        rows = [np.atleast_2d(s.feature(m)) for s in corpus.samples if m in s.features]
        if isinstance(encoder, VectorEncoder) and rows:
            encoder.fit_features(torch.from_numpy(np.concatenate(rows)).float())
