"""The joint stage on small material: what comes together, at which rates, and whom it learns to believe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from emoje_edge.emotion import EMOTIONS
from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje, LandmarkEncoder, LogMelEncoder, ModelConfig, TextEncoder
from emoje_edge.training.datasets import UNLABELLED
from research.recipes.joint import FROZEN, Settings, believed_for_nothing, run, train
from research.recipes.mixing import OWN, Encoded, Lines, Pools, Rates, draw

CONFIG = ModelConfig(
    text=TextEncoder(vocabulary=50, tokens=4, width=32, layers=1, heads=2),
    audio=LogMelEncoder(frames=64, width=32),
    pose=LandmarkEncoder(frames=16, width=32),
    width=32,
    heads=2,
    cross_layers=0,
    state_width=16,
    dropout=0.0,
)
SPEAKS, NOISE = 1.0, 0.0


def told(labels: np.ndarray, length: int, quality: float, g: torch.Generator, *, loud: float) -> Encoded:
    """Tokens that carry their label as far as they are `loud`."""
    tokens = torch.randn(len(labels), length, 32, generator=g)
    tokens[:, :, : len(EMOTIONS)] += loud * torch.eye(len(EMOTIONS))[np.maximum(labels, 0)][:, None]
    lengths = torch.full((len(labels),), length, dtype=torch.int32)
    speakers = np.arange(len(labels)) % 4
    return Encoded(tokens.half(), lengths, torch.full((len(labels), 2), quality), labels, speakers)


@pytest.fixture(scope="module")
def pools() -> Pools:
    g = torch.Generator().manual_seed(0)
    y = np.random.default_rng(0).integers(len(EMOTIONS), size=400)
    nobody = np.full(100, UNLABELLED)
    words = told(y, 4, 1.0, g, loud=0.0)
    # the words are right half of the time, and no surer then
    guess = np.where(np.random.default_rng(1).random(400) < 0.5, y, np.random.default_rng(2).integers(7, size=400))
    said = Lines(words, 2.0 * torch.eye(7)[guess], torch.zeros(400, 16))
    plain = Lines(told(nobody[:5], 4, 1.0, g, loud=0.0), torch.zeros(5, 7), torch.zeros(5, 16))
    voices, noise = told(y, 4, SPEAKS, g, loud=4.0), told(nobody, 4, NOISE, g, loud=4.0)
    acts, bodies = told(y, 4, SPEAKS, g, loud=4.0), told(nobody, 4, NOISE, g, loud=4.0)
    return Pools([said], plain, [voices, noise, noise], [acts, bodies])


def test_what_comes_together_keeps_to_the_rates(pools: Pools) -> None:
    rates = Rates(words=1.0, plain=0.0, voice=(0.2, 0.1, 0.1, 0.1, 0.3), even=0.0, unheard=0.0)
    rows = draw(pools, rates, 4000, np.random.default_rng(0))
    assert (rows.labels == pools.words.labels[rows.line]).all()
    heard = rows.sound >= 0
    assert np.mean(~heard) == pytest.approx(0.2, abs=0.02)
    spoke = heard & np.isin(rows.sound, pools.voices)
    agrees = spoke & (pools.heard.labels[np.maximum(rows.sound, 0)] == rows.labels)
    # a neutral voice beside neutral words agrees too
    assert np.mean(agrees) == pytest.approx(0.2 + 0.1 / 7, abs=0.025)
    assert np.mean(np.isin(rows.sound, pools.sounds)) == pytest.approx(0.3, abs=0.025)


def test_a_line_that_was_not_understood_keeps_its_conversation_and_a_voice(pools: Pools) -> None:
    rows = draw(pools, Rates(words=1.0, plain=0.0, even=0.0, unheard=0.25), 4000, np.random.default_rng(0))
    unheard = rows.line < 0
    assert unheard.mean() == pytest.approx(0.25, abs=0.02)
    assert (rows.before >= 0).all()
    assert (rows.labels == pools.words.labels[rows.before]).all()
    assert (rows.sound[unheard] >= 0).all()


def test_what_is_heard_alone_is_told_by_it(pools: Pools) -> None:
    rows = draw(pools, Rates(words=0.0, plain=0.0), 500, np.random.default_rng(0))
    assert (rows.line == -1).all()
    voiced = np.isin(rows.sound, pools.voices)
    assert voiced.any()
    assert (pools.heard.labels[rows.sound[voiced]] == rows.labels[voiced]).all()


def test_what_voices_really_say_comes_as_often_as_it_should(pools: Pools) -> None:
    rows = draw(pools, Rates(words=0.0, plain=1.0, own=0.8), 1000, np.random.default_rng(0))
    # four of five, and two of five of the rest: there are five plain sentences
    assert np.isin(rows.line, pools.plain[:OWN]).mean() == pytest.approx(0.8 + 0.2 * 0.4, abs=0.03)


def test_a_voice_that_is_known_has_a_past_of_its_speaker(pools: Pools) -> None:
    rates = Rates(words=1.0, plain=0.0, voice=(0.4, 0.0, 0.0, 0.2, 0.2), unheard=0.0, known=0.5)
    rows = draw(pools, rates, 2000, np.random.default_rng(0))
    speaks = np.isin(rows.sound, np.concatenate([pools.voices, pools.talks]))
    known = rows.past[:, 0] >= 0
    assert (known & ~speaks).sum() == 0
    assert known[speaks].mean() == pytest.approx(0.5, abs=0.05)
    for row, past in zip(rows.sound[known], rows.past[known], strict=True):
        before = past[past >= 0]
        assert (pools.heard.speakers[before] == pools.heard.speakers[row]).all()
        assert (np.isin(before, pools.voices) == (row in pools.voices)).all()


def test_a_known_voice_is_heard_against_its_own_baseline(pools: Pools) -> None:
    torch.manual_seed(0)
    network = AmEmoje(CONFIG).eval()
    rates = Rates(words=0.0, plain=0.0, known=1.0)
    rows = draw(pools, rates, 50, np.random.default_rng(0))
    spoken = rows.past[:, 0] >= 0
    with torch.no_grad():
        known = run(network, pools, rows)[0]
        new = run(network, pools, replace(rows, past=np.full_like(rows.past, -1)))[0]
        own = pools.voice[rows.past[spoken][0, 0]]
        tokens, there = pools.heard.tokens[rows.past[spoken][0, :1]].float(), torch.ones(1, 4)
        assert torch.allclose(network.baseline(tokens, there, network.initial_voice(1))[1][0], own, atol=1e-5)
    assert (known != new).any(1).numpy()[spoken].all()
    assert torch.equal(known[torch.from_numpy(~spoken)], new[torch.from_numpy(~spoken)])


def test_witnesses_are_believed_when_they_speak_and_the_words_stay_whole(pools: Pools) -> None:
    torch.manual_seed(0)
    network = AmEmoje(CONFIG).eval()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    rates = Rates(words=0.8, plain=0.0, voice=(0.45, 0.0, 0.0, 0.0, 0.45), body=(0.0, 0.0, 0.5), even=0.0, unheard=0.0)
    settings = Settings(rates=rates, steps=150, batch=64, learning_rate=1e-2, gently=1.0, joint=0.0, average=0.9)
    trained = train(network, pools, settings)
    after = trained.state_dict()
    for name, value in before.items():
        if name.startswith(FROZEN):
            assert torch.equal(after[name], value), name
    found = {}
    beside = {"speaks": (1.0, 0.0, 0.0, 0.0, 0.0), "noise": (0.0, 0.0, 0.0, 0.0, 1.0), "silent": (0.0,) * 5}
    for name, share in beside.items():
        only = replace(rates, words=1.0, voice=share, body=(0.0, 0.0, 0.0))
        rows = draw(pools, only, 300, np.random.default_rng(5))
        with torch.no_grad():
            logits, fused = run(trained, pools, rows)
        right = float((logits.argmax(1).numpy() == rows.labels).mean())
        found[name] = right, float(fused.weights[:, list(Modality).index(Modality.AUDIO)].mean())
    assert found["speaks"][0] > found["silent"][0] + 0.2
    assert found["noise"][0] > found["silent"][0] - 0.03
    assert found["noise"][1] < found["speaks"][1] / 2
    assert found["silent"][1] == 0


def test_doubt_takes_weight_from_who_tells_nothing_and_from_nobody_else(pools: Pools) -> None:
    torch.manual_seed(0)
    network = AmEmoje(CONFIG).eval()
    # what words, voice and body tell; in the last row nobody tells anything
    told = np.array([0, 0, 0, -1]), np.array([2, -1, -1, -1]), np.array([-1, -1, 3, -1])
    rows = draw(
        pools, Rates(words=1.0, plain=0.0, voice=(1.0, 0.0, 0.0, 0.0, 0.0), unheard=0.0), 4, np.random.default_rng(1)
    )
    found = run(network, pools, rows)[1]
    weights = torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.6, 0.4, 0.0], [0.2, 0.7, 0.1]])
    given = replace(found, weights=weights, here=torch.tensor([[1.0, 1, 1], [1, 1, 1], [1, 1, 0], [1, 1, 1]]))
    empty = [0.2, 0.3, 0.2, 0.4]  # the first body, the second voice and body, the third voice
    wanted = -np.log1p(-np.array(empty)).mean()
    assert float(believed_for_nothing(given, torch.tensor(np.stack(told, 1)))) == pytest.approx(wanted)


def test_a_reserve_goes_to_saying_nothing_and_changes_nothing_else(pools: Pools) -> None:
    after = []
    for reserve in (0.0, 0.5):
        torch.manual_seed(0)
        after.append(train(AmEmoje(CONFIG).eval(), pools, Settings(steps=2, batch=8, reserve=reserve)).state_dict())
    changed = {name for name, x in after[0].items() if not torch.equal(x, after[1][name])}
    assert changed == {"fusion.gate.null.bias"}
    assert float(after[1]["fusion.gate.null.bias"] - after[0]["fusion.gate.null.bias"]) == pytest.approx(0.5)


def test_ears_that_hear_in_part_are_believed_less_surely(pools: Pools) -> None:
    """Channels left out of what is heard change the answers of training, and nothing where nothing is left out."""
    network = AmEmoje(CONFIG).eval()
    rows = draw(pools, Rates(words=1.0, plain=0.0, voice=(1.0, 0.0, 0.0, 0.0, 0.0)), 32, np.random.default_rng(0))
    with torch.no_grad():
        whole, again, part = (run(network, pools, rows, channel_dropout=share)[0] for share in (0.0, 0.0, 0.25))
    assert torch.equal(whole, again)
    assert not torch.equal(whole, part)
