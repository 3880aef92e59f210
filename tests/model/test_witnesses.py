"""Words lead, sound and body are witnesses (decision 6): what each may and may not do to the answer."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from emoje_edge import Mask, Modality
from emoje_edge.model import AmEmoje
from emoje_edge.model.fusion import ENOUGH
from emoje_edge.model.network import LARGEST_CORRECTION
from tests.model.test_network import SMALL, inputs_for

FULL = {m: (x, torch.full_like(n, x.shape[1])) for m, (x, n) in inputs_for(SMALL, Mask(7), batch=6).items()}
AUDIO, TEXT = (list(Modality).index(m) for m in (Modality.AUDIO, Modality.TEXT))


@pytest.fixture(scope="module")
def network() -> AmEmoje:
    torch.manual_seed(0)
    return AmEmoje(replace(SMALL, cross_layers=0)).eval()


def test_words_alone_are_what_their_own_network_says(network: AmEmoje) -> None:
    alone = AmEmoje(replace(network.config, audio=None, pose=None)).eval()
    state = network.state_dict()
    alone.load_state_dict({k: state[k] for k in alone.state_dict()})
    words = {Modality.TEXT: FULL[Modality.TEXT]}
    torch.testing.assert_close(network(words).logits, alone(words).logits)
    torch.testing.assert_close(network(words).weights[:, TEXT], torch.ones(6))


def test_sound_and_body_do_not_move_the_state(network: AmEmoje) -> None:
    words = {Modality.TEXT: FULL[Modality.TEXT]}
    torch.testing.assert_close(network(FULL).state, network(words).state)
    heard = {m: FULL[m] for m in (Modality.AUDIO, Modality.POSE)}
    before = torch.randn(6, SMALL.state_width)
    torch.testing.assert_close(network(heard, state=before).state, before)


def test_the_same_again_is_no_new_evidence(network: AmEmoje) -> None:
    heard = {m: FULL[m] for m in (Modality.AUDIO, Modality.POSE)}
    state, first = None, network(heard).logits
    for _ in range(20):
        out = network(heard, state=state)
        state = out.state
    torch.testing.assert_close(out.logits, first)


def test_an_own_descriptor_does_not_know_its_partner(network: AmEmoje) -> None:
    found = network(FULL)
    others = {m: (x if m is Modality.AUDIO else x.flip(0), n) for m, (x, n) in FULL.items()}
    torch.testing.assert_close(network(others).joint[:, AUDIO], found.joint[:, AUDIO])
    # what it takes from the others does differ
    with torch.no_grad():
        same, changed = (network.encode(x).attended[:, AUDIO] for x in (FULL, others))
    assert not torch.allclose(same, changed, atol=1e-4)


def test_own_partners_are_found_by_chance_only(network: AmEmoje) -> None:
    """Where sounds and words were put together at random, the joint embedding tells nothing of who came with whom."""
    inputs = inputs_for(SMALL, Mask(7), batch=128, seed=3)
    whole = {m: (x, torch.full_like(n, x.shape[1])) for m, (x, n) in inputs.items()}
    with torch.no_grad():
        joint = network(whole).joint
    hits = (joint[:, TEXT] @ joint[:, AUDIO].T).argmax(1) == torch.arange(128)
    assert int(hits.sum()) <= 5  # one is expected; six or more happen once in 1,700 times


def test_descriptors_differ_and_the_gate_learns() -> None:
    torch.manual_seed(0)
    network = AmEmoje(replace(SMALL, cross_layers=0))
    found = network.encode(FULL)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(found.attended[:, a], found.attended[:, b], atol=1e-3)
    logits, _ = network.decide(found, torch.zeros(6, 1), network.initial_state(6))
    logits[:, 0].sum().backward()
    for name, parameter in network.fusion.gate.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_quality_changes_the_weights(network: AmEmoje) -> None:
    good, bad = torch.ones(6, 3, 2), torch.ones(6, 3, 2)
    bad[:, AUDIO] = 0
    weights = [network(FULL, quality=q).weights for q in (good, bad)]
    assert not torch.allclose(weights[0], weights[1], atol=1e-4)
    for w in weights:
        torch.testing.assert_close(w.sum(1), torch.ones(6))  # what witnesses leave is the words'


def test_a_voice_that_varies_is_another_witness_than_one_that_does_not(network: AmEmoje) -> None:
    """The gate sees how much the own values vary: speech as flat as a machine's may have the mean of a lively one."""
    told = torch.randn(6, 5, SMALL.width)
    values = network.fusion.project["audio"](network.fusion.norm["audio"](told))[..., 2 * SMALL.width :]
    mean, spread = network.fusion._own(values, {Modality.AUDIO: (told, torch.ones(6, 5))}, (0, 5, 0))
    torch.testing.assert_close(mean[:, AUDIO], values.mean(1))
    torch.testing.assert_close(spread[:, AUDIO], values.std(1, correction=0), atol=0.02, rtol=0.05)
    quality, here, read = torch.ones(6, 3, 2), torch.ones(6, 3), torch.zeros(6, 3, 7)
    flat, lively = (network.fusion.gate(mean, x, read, quality, here) for x in (0 * spread, spread))
    assert not torch.allclose(flat[0], lively[0], atol=1e-3)
    assert not torch.allclose(flat[1], lively[1], atol=1e-3)


def test_who_has_no_weight_changes_nothing(network: AmEmoje) -> None:
    """A weight says what a witness did: none where the null takes all, correction and agreement included."""
    deaf = copy.deepcopy(network)
    with torch.no_grad():
        deaf.fusion.gate.null.bias.fill_(100.0)
        found, words = deaf(FULL), deaf({Modality.TEXT: FULL[Modality.TEXT]})
        heard = network(FULL)
    torch.testing.assert_close(found.logits, words.logits)
    torch.testing.assert_close(found.weights[:, TEXT], torch.ones(6))
    assert not torch.allclose(heard.logits, words.logits, atol=1e-2)


def test_two_witnesses_that_tell_the_same_take_what_they_left(network: AmEmoje) -> None:
    """The same and certain; the same, and hardly weighed; another thing each; one not there; nothing in particular."""
    joy, fear, none = (9 * torch.eye(7)[i] for i in (3, 2, 0))
    told = torch.stack(
        [torch.stack(x) for x in ((none, joy, joy), (none, joy, joy), (none, joy, fear), (none, joy, joy))]
    )
    told = torch.cat([told, torch.zeros(1, 3, 7)])
    here = torch.tensor([[1.0, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 1, 1]])
    weighed = torch.tensor([[0.5, 0.3, 0.2], [0.98, 0.01, 0.01], [0.5, 0.3, 0.2], [0.8, 0.2, 0], [0.5, 0.3, 0.2]])
    shares = network.fusion._shares(weighed, told, here)
    chance = 0.5 / 7 / 2
    expected = [
        [0.0, 0.55, 0.45],
        [0.98 - 0.98 * 0.02 / ENOUGH, *[0.01 + 0.98 * 0.01 / ENOUGH] * 2],
        [0.5, 0.3, 0.2],
        [0.8, 0.2, 0],
        [0.5 - 2 * chance, 0.3 + chance, 0.2 + chance],
    ]
    torch.testing.assert_close(shares, torch.tensor(expected), atol=0.01, rtol=0)
    torch.testing.assert_close(shares.sum(1), torch.ones(5))


def test_what_agrees_counts_for_no_more_in_training(network: AmEmoje) -> None:
    told, here = torch.zeros(1, 3, 7), torch.ones(1, 3)
    weighed = torch.tensor([[0.7, 0.2, 0.1]])
    learning = copy.deepcopy(network.fusion).train()
    torch.testing.assert_close(learning._shares(weighed, told, here), weighed)
    assert not torch.allclose(network.fusion._shares(weighed, told, here), weighed, atol=0.01)


def test_what_only_the_combination_tells_is_bounded(network: AmEmoje) -> None:
    with torch.no_grad():
        loud = network.correction(1e6 * torch.randn(50, SMALL.width))
    assert float(loud.abs().max()) <= LARGEST_CORRECTION
