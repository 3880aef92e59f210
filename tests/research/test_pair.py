"""The pair of voice and face: two halves of the truth are worth more than either."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emoje_edge.modality import Modality
from emoje_edge.training.datasets import Corpus, Sample
from research.recipes.pair import run_fold, with_voice


def corpus(seed: int, count: int = 240) -> Corpus:
    """Four classes: the voice tells the first bit of the class, the face the second."""
    g = np.random.default_rng(seed)
    labels = g.integers(0, 4, count)
    samples = []
    for i, label in enumerate(labels.tolist()):
        face = (np.repeat(2.0 * (label & 1) - 1, 5) + 0.5 * g.standard_normal(5)).astype(np.float32)
        samples.append(Sample(f"{seed}-{i}", 0, label, features={Modality.POSE: face[None]}))
    voice = np.repeat(2.0 * (labels[:, None] >> 1) - 1, 64, 1) + 0.5 * g.standard_normal((count, 64))
    return with_voice(Corpus("made", ("a", "b", "c", "d"), tuple(samples)), voice.astype(np.float32))


def test_the_pair_knows_what_neither_knows_alone(tmp_path: Path) -> None:
    scores = run_fold(corpus(0), corpus(1), tmp_path / "run", 0)
    assert set(scores) == {"audio", "pose", "audio,pose"}
    assert scores["audio,pose"] > 0.85
    assert max(scores["audio"], scores["pose"]) < 0.65
