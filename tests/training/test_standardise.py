"""Vectors in any unit come to mean 0 and deviation 1, and what never changes is switched off."""

from __future__ import annotations

import numpy as np
import torch

from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje, ModelConfig, VectorEncoder
from emoje_edge.training.datasets import Corpus, Sample
from emoje_edge.training.standardise import fit_features


def corpus(scale: np.ndarray) -> Corpus:
    g = np.random.default_rng(0)
    rows = (g.standard_normal((60, 3, 4)) * scale + 7).astype(np.float32)
    samples = tuple(Sample(f"d{i}", 0, 0, features={Modality.AUDIO: x}) for i, x in enumerate(rows))
    return Corpus("made", ("a", "b"), samples)


def network(noise: float = 0.0) -> AmEmoje:
    torch.manual_seed(0)
    encoder = VectorEncoder(features=4, tokens=3, width=16, noise=noise)
    return AmEmoje(ModelConfig(text=None, audio=encoder, pose=None, width=16, heads=1, dropout=0.0, classes=("a", "b")))


def answer(scale: np.ndarray) -> torch.Tensor:
    made, data = network().eval(), corpus(scale)
    fit_features(made, data)
    x = torch.from_numpy(np.stack([s.feature(Modality.AUDIO) for s in data.samples]))
    return made({Modality.AUDIO: (x, torch.full((60,), 3))}).logits


def test_the_unit_of_a_feature_does_not_matter() -> None:
    torch.testing.assert_close(answer(np.array([1, 1, 1, 1])), answer(np.array([1, 1000, 0.01, 1])), atol=2e-3, rtol=0)


def test_a_feature_that_never_changes_says_nothing_when_it_does() -> None:
    made = network().eval()
    fit_features(made, corpus(np.array([1, 1, 0, 1])))
    x = torch.full((1, 3, 4), 7.0)
    other = x.clone()
    other[..., 2] = 1e6
    length = torch.tensor([3])
    torch.testing.assert_close(
        made({Modality.AUDIO: (x, length)}).logits, made({Modality.AUDIO: (other, length)}).logits
    )


def test_noise_is_of_training_only() -> None:
    made, x = network(noise=2.0), {Modality.AUDIO: (torch.randn(5, 3, 4), torch.full((5,), 3))}
    assert not torch.equal(made(x).logits, made(x).logits)
    made.eval()
    assert torch.equal(made(x).logits, made(x).logits)


def test_the_statistics_belong_to_the_weights() -> None:
    made, other = network(), network()
    fit_features(made, corpus(np.array([1, 5, 1, 1])))
    other.load_state_dict(made.state_dict())
    x = {Modality.AUDIO: (torch.randn(5, 3, 4) * 9, torch.full((5,), 3))}
    assert torch.equal(made.eval()(x).logits, other.eval()(x).logits)
