"""The network's promises: any mask, any raggedness, finite outputs; padding and absent modalities leave no trace."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from emoje_edge import Mask, Modality, UsageError
from emoje_edge.model import AmEmoje, LandmarkEncoder, LogMelEncoder, ModelConfig, TextEncoder, VectorEncoder
from emoje_edge.model.network import Inputs, MaskedNetwork, input_shape

SMALL = ModelConfig(
    text=TextEncoder(vocabulary=50, tokens=8, width=32, layers=1, heads=2),
    audio=LogMelEncoder(frames=64, bands=16, width=32, layers=1, heads=2),
    pose=LandmarkEncoder(frames=32, width=32, layers=1, heads=2),
    width=32,
    heads=2,
    joint_width=16,
    state_width=24,
    dropout=0.0,
)
masks = pytest.mark.parametrize("mask", Mask.all(), ids=str)


@pytest.fixture(scope="module")
def network() -> AmEmoje:
    torch.manual_seed(0)
    return AmEmoje(SMALL).eval()


def inputs_for(config: ModelConfig, mask: Mask, batch: int = 4, seed: int = 0) -> Inputs:
    """Random features whose lengths run from nothing to full."""
    generator = torch.Generator().manual_seed(seed)
    inputs: Inputs = {}
    for m in mask:
        shape = input_shape(config, m)
        features: Tensor
        if m is Modality.TEXT:
            features = torch.randint(1, 50, (batch, *shape), generator=generator)
        else:
            features = torch.randn(batch, *shape, generator=generator)
        lengths = torch.linspace(0, shape[0], batch).round().int()
        inputs[m] = (features, lengths if m is not Modality.AUDIO else lengths.flip(0))
    return inputs


@masks
def test_any_mask_and_raggedness_gives_finite_outputs(network: AmEmoje, mask: Mask) -> None:
    inputs = inputs_for(SMALL, mask)
    out = network(inputs)
    assert out.logits.shape == (4, 7)
    for tensor in (out.logits, out.weights, out.state, out.fused, out.descriptors, out.joint):
        assert torch.isfinite(tensor).all()
    here = torch.stack([inputs[m][1] > 0 if m in inputs else torch.zeros(4, dtype=torch.bool) for m in Modality], 1)
    assert (out.weights[~here] == 0).all()
    assert (out.weights.sum(1) <= 1 + 1e-6).all()
    alone = here[:, 0] & ~here[:, 1:].any(1)  # words without a witness beside them: nothing to weigh
    torch.testing.assert_close(out.weights[alone, 0], torch.ones(int(alone.sum())))
    assert (out.joint[~here] == 0).all()


def test_an_utterance_of_nothing_is_finite_and_weighs_nothing(network: AmEmoje) -> None:
    inputs = {m: (x, torch.zeros_like(n)) for m, (x, n) in inputs_for(SMALL, Mask(7)).items()}
    out = network(inputs)
    assert torch.isfinite(out.logits).all()
    assert (out.weights == 0).all()


def test_padding_leaves_no_trace(network: AmEmoje) -> None:
    inputs = inputs_for(SMALL, Mask(7))
    noisy: Inputs = {}
    for m, (x, n) in inputs.items():
        padding = (torch.arange(x.shape[1])[None] >= n[:, None]).view(*x.shape[:2], *[1] * (x.dim() - 2))
        noisy[m] = (torch.where(padding, torch.full_like(x, 7), x), n)
    torch.testing.assert_close(network(noisy).logits, network(inputs).logits)


@masks
def test_a_masked_network_equals_the_full_one_with_the_rest_absent(network: AmEmoje, mask: Mask) -> None:
    masked = MaskedNetwork(network, mask)
    inputs = inputs_for(SMALL, Mask(7))
    absent = {m: (x, n if m in mask else torch.zeros_like(n)) for m, (x, n) in inputs.items()}
    speaker, state = torch.rand(4, 1).round(), torch.randn(4, 24)
    quality, voice = torch.rand(4, 3, 2), torch.rand(4, SMALL.width + 1)
    want = network(absent, speaker, state, quality, voice)
    given = {f"{m}{part}": x for m in mask for part, x in zip(("", "_length"), inputs[m], strict=True)}
    given |= {f"{m}_quality": quality[:, i] for i, m in enumerate(Modality)} | {
        "speaker": speaker,
        "state": state,
        "voice": voice,
    }
    got = masked(*(given[name] for name in masked.input_names))
    # an utterance of nothing never comes to an engine
    some = torch.stack([inputs[m][1] > 0 for m in mask]).any(0)
    expected = (want.logits, want.weights, want.state, want.voice)
    for a, b in zip(got, expected[: len(got)], strict=True):
        torch.testing.assert_close(a[some], b[some], atol=1e-5, rtol=1e-5)


@masks
def test_a_masked_network_carries_no_other_branch(network: AmEmoje, mask: Mask) -> None:
    names = [name for name, _ in MaskedNetwork(network, mask).named_parameters()]
    for m in Modality:
        assert any(f".{m.value}." in name for name in names) == (m in mask)


def test_the_state_is_causal_and_matters(network: AmEmoje) -> None:
    inputs = inputs_for(SMALL, Mask(7), batch=2)
    first = network(inputs)
    again = network(inputs, state=first.state)
    torch.testing.assert_close(network(inputs).logits, first.logits)
    assert not torch.allclose(again.logits, first.logits)
    assert not torch.allclose(network(inputs, speaker=torch.ones(2, 1)).logits, first.logits)


def test_without_a_state_there_is_no_context() -> None:
    config = replace(SMALL, state_width=0)
    lonely = AmEmoje(config).eval()
    inputs = inputs_for(config, Mask(7), batch=2)
    torch.testing.assert_close(lonely(inputs, speaker=torch.ones(2, 1)).logits, lonely(inputs).logits)


@pytest.mark.parametrize("fusion", ["static", "mean", "concat"])
def test_the_baselines_of_fusion_run_and_train(fusion: str) -> None:
    network = AmEmoje(replace(SMALL, fusion=fusion))
    out = network(inputs_for(SMALL, Mask(7)))
    out.logits.square().sum().backward()
    assert torch.isfinite(out.logits).all()
    if fusion == "mean":
        torch.testing.assert_close(out.weights[1], torch.full((3,), 1 / 3))


def test_query_adaptive_weights_differ_between_utterances(network: AmEmoje) -> None:
    weights = network(inputs_for(SMALL, Mask(7), batch=4)).weights[1:3]
    assert not torch.allclose(weights[0], weights[1], atol=1e-4)


def test_features_computed_elsewhere_are_a_modality_like_any_other() -> None:
    config = replace(SMALL, text=VectorEncoder(features=10), audio=VectorEncoder(features=6, tokens=3), pose=None)
    out = AmEmoje(config)(
        {
            Modality.TEXT: (torch.randn(2, 1, 10), torch.tensor([1, 0])),
            Modality.AUDIO: (torch.randn(2, 3, 6), torch.tensor([3, 2])),
        }
    )
    assert torch.isfinite(out.logits).all()
    assert out.weights[1, 0] == 0
    assert 0 < out.weights[1, 1] < 1


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    network = AmEmoje(SMALL)
    out = network(inputs_for(SMALL, Mask(7)), torch.ones(4, 1), torch.randn(4, 24))
    (out.logits.square().sum() + (out.joint * torch.randn_like(out.joint)).sum()).backward()
    unused = [name for name, p in network.named_parameters() if p.grad is None or p.grad.abs().sum() == 0]
    assert not unused


@pytest.mark.parametrize(
    "inputs", [{}, {Modality.POSE: (torch.zeros(1, 32, 13, 3), torch.ones(1))}], ids=["none", "foreign"]
)
def test_inputs_that_the_model_cannot_take_are_refused(inputs: Inputs) -> None:
    network = AmEmoje(replace(SMALL, pose=None))
    with pytest.raises(UsageError, match="give a subset"):
        network(inputs)
    with pytest.raises(UsageError, match="mask pose"):
        MaskedNetwork(network, Mask.parse("pose"))
