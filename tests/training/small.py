"""A corpus and a model small enough for a test: vectors that say their label, in short dialogues."""

from __future__ import annotations

import numpy as np

from emoje_edge.modality import Modality
from emoje_edge.model import ModelConfig, VectorEncoder
from emoje_edge.training.datasets.base import Corpus, Sample
from emoje_edge.training.train_config import TrainConfig

CLASSES = ("low", "middle", "high")
MODEL = ModelConfig(
    text=VectorEncoder(features=6, width=16),
    audio=VectorEncoder(features=5, tokens=2, width=16),
    pose=None,
    width=32,
    heads=2,
    cross_layers=1,
    joint_width=8,
    state_width=16,
    classes=CLASSES,
)
CONFIG = TrainConfig(epochs=3, batch_utterances=12, learning_rate=3e-3, threads=1, patience=0)


def corpus(dialogues: int = 12, utterances: int = 4, *, seed: int = 0, split: str = "train") -> Corpus:
    """Utterances whose vectors carry the label and noise; text knows more of it than audio."""
    generator = np.random.default_rng(seed)
    samples = []
    for d in range(dialogues):
        for u in range(utterances - d % 2):
            label = int(generator.integers(3))
            text = generator.normal(size=(1, 6)).astype(np.float32)
            audio = generator.normal(size=(2, 5)).astype(np.float32)
            text[0, label] += 3
            audio[:, label] += 1
            samples.append(
                Sample(
                    dialogue=f"{split}{d}",
                    index=u,
                    label=label,
                    speaker="AB"[u % 2],
                    features={Modality.TEXT: text, Modality.AUDIO: audio},
                    split=split,
                    source=f"{split}.csv row {len(samples) + 2}",
                )
            )
    return Corpus("small", CLASSES, tuple(samples))
