"""Packing dialogues must not change what the network computes, and an epoch's order must be a function of its seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import AmEmoje, LogMelEncoder, ModelConfig
from emoje_edge.training.batching import Collator, DialogueNetwork, check, pieces, plan_epoch
from emoje_edge.training.datasets.base import Corpus, Sample
from emoje_edge.training.masking import restrict
from tests.training import small


@pytest.fixture(scope="module")
def network() -> AmEmoje:
    torch.manual_seed(0)
    return AmEmoje(small.MODEL).eval()


@torch.no_grad()
def test_packed_dialogues_equal_one_utterance_after_another(network: AmEmoje) -> None:
    corpus, collator = small.corpus(3), Collator(small.MODEL)
    batch = collator(corpus.dialogues())
    packed = dict(zip((s.uid for s in batch.samples), DialogueNetwork(network)(batch).logits, strict=True))
    for dialogue in corpus.dialogues():
        state, voices = network.initial_state(1), {}
        for u, sample in enumerate(dialogue):
            single = collator([(sample,)])
            speaker = 0.5 if u == 0 else float(dialogue[u].speaker != dialogue[u - 1].speaker)
            voice = voices.get(sample.speaker)
            out = network(single.inputs, torch.tensor([[speaker]]), state, voice=voice)
            state, voices[sample.speaker] = out.state, out.voice
            assert torch.allclose(out.logits[0], packed[sample.uid], atol=1e-5)


@torch.no_grad()
def test_masked_batch_equals_a_batch_without_that_modality(network: AmEmoje) -> None:
    corpus = small.corpus(3)
    batch = Collator(small.MODEL)(corpus.dialogues())
    audio_only = tuple(replace(s, features={Modality.AUDIO: s.features[Modality.AUDIO]}) for s in corpus.samples)
    without = Collator(small.MODEL)(replace(corpus, samples=audio_only).dialogues())
    masked = batch.masked(restrict(batch.present, Mask.parse("audio")))
    assert Modality.TEXT not in masked.inputs
    a, b = (DialogueNetwork(network)(x).logits for x in (masked, without))
    assert torch.allclose(a, b, atol=1e-6)


@torch.no_grad()
def test_trimming_changes_nothing() -> None:
    config = ModelConfig(text=None, audio=LogMelEncoder(width=32), pose=None, width=32, heads=2, state_width=0)
    torch.manual_seed(0)
    network = DialogueNetwork(AmEmoje(config).eval())
    generator = np.random.default_rng(0)
    sounds = [generator.normal(size=(n, 64)).astype(np.float32) for n in (37, 200, 5)]
    samples = [(Sample(str(i), 0, features={Modality.AUDIO: x}),) for i, x in enumerate(sounds)]
    short, whole = (Collator(config, trim=trim)(samples) for trim in (True, False))
    assert short.inputs[Modality.AUDIO][0].shape[1] == 208
    assert whole.inputs[Modality.AUDIO][0].shape[1] == 768
    assert torch.allclose(network(short).logits, network(whole).logits, atol=1e-5)


def test_an_epoch_holds_every_dialogue_once_and_repeats_by_seed() -> None:
    dialogues = pieces(small.corpus(20), context=True, longest=3)
    plan = plan_epoch(dialogues, utterances=8, seed=1, epoch=2)
    assert sorted(i for batch in plan for i in batch) == list(range(len(dialogues)))
    assert plan == plan_epoch(dialogues, utterances=8, seed=1, epoch=2)
    assert plan != plan_epoch(dialogues, utterances=8, seed=1, epoch=3)
    assert max(map(len, dialogues)) == 3


def test_modalities_do_not_mix_in_a_batch() -> None:
    words = [(Sample(f"t{i}", 0, text="hello"),) for i in range(5)]
    sounds = [(Sample(f"a{i}", 0, features={Modality.AUDIO: np.zeros((1, 5), np.float32)}),) for i in range(5)]
    for batch in plan_epoch(words + sounds, utterances=3, seed=0, epoch=0):
        assert len({i < 5 for i in batch}) == 1


def test_augmentation_only_with_a_generator() -> None:
    corpus = small.corpus(1)
    collator = Collator(small.MODEL, transform=lambda m, x, g: x * 0)
    assert collator(corpus.dialogues()).inputs[Modality.AUDIO][0].abs().sum() > 0
    trained = collator(corpus.dialogues(), np.random.default_rng(0))
    assert trained.inputs[Modality.AUDIO][0].abs().sum() == 0


def test_bad_features_name_their_row() -> None:
    corpus = small.corpus(2)
    bad = np.full((2, 5), np.nan, np.float32)
    broken = replace(corpus.samples[3], features={Modality.AUDIO: bad})
    with pytest.raises(WorkError, match=r"train.csv row 5.*nan at \[0, 0\]"):
        check(replace(corpus, samples=(*corpus.samples[:3], broken)), Collator(small.MODEL))
    wide = replace(corpus.samples[3], features={Modality.AUDIO: np.zeros((2, 9), np.float32)})
    with pytest.raises(UsageError, match=r"train.csv row 5.*\(2, 9\)"):
        check(replace(corpus, samples=(wide,)), Collator(small.MODEL))
    nothing = Corpus("poses", small.CLASSES, (Sample("a", 0, features={Modality.POSE: bad}),))
    with pytest.raises(UsageError, match="brings pose"):
        check(nothing, Collator(small.MODEL))
