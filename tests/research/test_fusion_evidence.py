"""What the study of fusion stands on: sets that can tell fusions apart, noise of the strength that is said, a shared
space that is asked right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.batching import Batch, Collator, DialogueNetwork, pieces
from emoje_edge.training.datasets import Corpus, Sample
from research.evidence import soundness, tables
from research.evidence.composites import TOKENS, pooled
from research.evidence.degrade import Degrade
from research.evidence.experiment import Outcome, Recipe, Variant, build, follows, spoilt, train_network
from research.evidence.feature_sets import FeatureSet
from research.evidence.shared_space import Memory
from research.evidence.studies import ALONE, STUDIES
from research.evidence.token_sets import TOKEN_SETS, WORDS, components, load_token_set, parts, segments

SMALL = Recipe(epochs=6, learning_rate=1e-2, weight_decay=0.01, width=16, dropout=0.0, batch=64)


def ravdess(shared_data: Path, folder: Path) -> tuple[Path, Path]:
    """Sixty real clips of five actors."""
    root = folder / "root"
    (root / "ravdess").mkdir(parents=True)
    for file in sorted((shared_data / "ravdess").iterdir()):
        if file.suffix == ".npz" or (file.stem[-2:] in ("01", "05", "09", "13", "17") and file.stem[12:17] == "01-01"):
            (root / "ravdess" / file.name).symlink_to(file)
    return root, folder / "cache"


def mosi(shared_data: Path, folder: Path) -> tuple[Path, Path]:
    """The real set; made vectors stand for the sentence encoder's."""
    with np.load(shared_data / "mosi" / "mosi_train.npz") as z:
        texts = [t.lower() for t in z["transcript"].tolist()]
    rows = np.random.default_rng(0).standard_normal((len(texts), WORDS, 80)).astype(np.float32)
    np.savez(folder / "mosi_word_tokens.npz", rows=rows, names=np.array(texts))
    return shared_data, folder


def composites(shared_data: Path, folder: Path) -> tuple[Path, Path]:
    """Made tokens of every kind of material."""
    g, made = np.random.default_rng(0), {}
    for kind in ("said", "plain", "voices", "talks", "sounds", "acts", "bodies"):
        n, nobody = 80, kind not in ("said", "voices", "acts")
        arrays = {
            "tokens": g.standard_normal((n, TOKENS, 16)).astype(np.float32),
            "lengths": np.full(n, TOKENS, np.int64),
            "quality": g.random((n, 2)).astype(np.float32),
            "labels": np.full(n, -1) if nobody else np.arange(n) % len(EMOTIONS),
            "speakers": np.arange(n) % 5,
            "part": np.arange(n) // 3 % 4,
        }
        made |= {f"{kind} {name}": x for name, x in arrays.items()}
    np.savez(folder / "composites.npz", **made)
    return shared_data, folder


def as_it_is(shared_data: Path, folder: Path) -> tuple[Path, Path]:
    return shared_data, folder


MAKE: dict[str, Callable[[Path, Path], tuple[Path, Path]]] = {
    "ravdess-frames": ravdess,
    "mosi-tokens": mosi,
    "meld-tokens": as_it_is,
    "composites": composites,
}


@pytest.fixture(params=list(TOKEN_SETS))
def data(request: pytest.FixtureRequest, shared_data: Path, tmp_path: Path) -> FeatureSet:
    root, cache = MAKE[request.param](shared_data, tmp_path)
    return load_token_set(request.param, root, cache)


def batch_of(data: FeatureSet, count: int = 48) -> Batch:
    config = build(data, ALONE, SMALL, 0).config
    return Collator(config)(pieces(data.fold(0)[0], context=False, longest=1)[:count])


def test_every_set_tells_fusions_apart(data: FeatureSet) -> None:
    batch, network = batch_of(data), build(data, ALONE, SMALL, 0)
    assert soundness.apart(network, batch) > 0.01
    assert soundness.gradient(network, batch) > 1e-4
    ways = {name: replace(ALONE, fusion=name) for name in ("adaptive", "mean", "static", "concat")}
    nets = {name: train_network(data, v, seed=0, recipe=SMALL).eval() for name, v in ways.items()}
    with torch.no_grad():
        said = {name: DialogueNetwork(net)(batch).logits for name, net in nets.items()}
    for a, b in combinations(said, 2):
        assert not torch.allclose(said[a], said[b], atol=1e-4), (a, b)


def test_one_token_a_modality_tells_nothing_apart() -> None:
    """The fault of the first study, seen by the same measures."""
    g = np.random.default_rng(0)
    samples = tuple(
        Sample(
            f"d{i}",
            0,
            i % 2,
            features={m: g.standard_normal((1, 6)).astype(np.float32) for m in (Modality.TEXT, Modality.AUDIO)},
        )
        for i in range(60)
    )
    data = FeatureSet(Corpus("one", ("no", "yes"), samples), "accuracy", context=False, scaled=True)
    batch, network = batch_of(data), build(data, ALONE, SMALL, 0)
    assert soundness.apart(network, batch) < 1e-5
    assert soundness.gradient(network, batch) < 1e-5


def test_variants_of_a_seed_begin_alike(shared_data: Path, tmp_path: Path) -> None:
    data = load_token_set("meld-tokens", shared_data, tmp_path)
    ours, equal = (build(data, replace(ALONE, fusion=f), SMALL, 3).state_dict() for f in ("adaptive", "mean"))
    assert set(equal) < set(ours)
    assert all(torch.equal(ours[name], equal[name]) for name in equal)
    other = build(data, ALONE, SMALL, 4).state_dict()
    assert not torch.equal(ours["head.weight"], other["head.weight"])


@pytest.mark.parametrize("noise", ["white", "other"])
def test_noise_has_the_strength_that_the_gate_is_told(shared_data: Path, tmp_path: Path, noise: str) -> None:
    batch = batch_of(load_token_set("meld-tokens", shared_data, tmp_path), 800)
    spoilt_batch, share = Degrade(-20.0, noise).batch(batch, torch.Generator().manual_seed(0))
    again, _ = Degrade(-20.0, noise).batch(batch, torch.Generator().manual_seed(0))
    for i, m in enumerate(Modality):
        if m not in batch.inputs:
            assert (share[:, i] == 0).all()
            continue
        x, y = batch.inputs[m][0], spoilt_batch.inputs[m][0]
        assert torch.equal(y, again.inputs[m][0])
        assert y[x != 0].std() == pytest.approx(1.0, abs=0.05)
        # what of the signal is left is what was said: its share in the power, utterance by utterance
        left = (x * y).sum((1, 2)) / (x * x).sum((1, 2))
        assert torch.corrcoef(torch.stack([left, share[:, i].sqrt()]))[0, 1] > 0.9
        assert torch.equal(spoilt_batch.quality[:, i, 1], share[:, i])
        assert (spoilt_batch.quality[:, i, 0] == 1).all()
    decibels = 10 * torch.log10(share[:, 0] / (1 - share[:, 0]))
    assert decibels.min() == pytest.approx(-20, abs=0.5)
    assert decibels.max() == pytest.approx(20, abs=0.5)
    untold, _ = Degrade(-20.0, noise, told=False).batch(batch, torch.Generator().manual_seed(0))
    assert torch.equal(untold.quality, batch.quality)


def test_noise_that_is_none_is_refused() -> None:
    for lowest, noise in ((0.0, "pink"), (20.0, "white"), (-90.0, "white")):
        with pytest.raises(UsageError, match="white or other"):
            Degrade(lowest, noise)
    with pytest.raises(UsageError, match="ravdess-frames"):
        load_token_set("cifar", Path("."), Path("."))


def test_tokens_are_what_they_say() -> None:
    frames = np.repeat(np.arange(24.0), 2)[:, None] * np.ones((1, 3))
    found = segments(frames, 12)
    np.testing.assert_allclose(found[:, 0], np.arange(0.5, 24, 2))
    assert segments(frames[:5], 12).shape == (12, 6)
    rows = np.random.default_rng(0).standard_normal((50, 7))
    cut = np.stack(parts(rows, 3))
    assert ((cut != 0).sum(1) == 1).all()
    np.testing.assert_allclose(cut.sum(1), (rows - rows.mean(0)) / (rows.std(0) + 1e-4), rtol=1e-5)
    found = components(np.random.default_rng(0).standard_normal((200, 5)) * [9, 1, 1, 1, 1], 2)
    np.testing.assert_allclose(found.std(0), 1, rtol=1e-3)
    tokens = torch.arange(8.0)[None, :, None]
    assert pooled(tokens, torch.tensor([8]), 4)[0, :, 0].tolist() == [0.5, 2.5, 4.5, 6.5]
    assert pooled(tokens, torch.tensor([2]), 4)[0, :, 0].tolist() == [0, 1, 0, 0]


def test_weights_that_follow_quality_are_seen() -> None:
    quality = np.linspace(0, 1, 100)
    assert follows(quality**2, quality) == pytest.approx(1)
    assert follows(np.ones(100), quality) == 0
    assert spoilt(quality, quality) == pytest.approx((0.1, 0.9), abs=0.01)


def memory(g: torch.Generator) -> tuple[Memory, torch.Tensor, torch.Tensor]:
    """Two modalities in one space: their embeddings are the same, the second's descriptor is a turn of the first's."""
    labels = torch.arange(300) % 3
    first = torch.eye(8)[labels] + 0.05 * torch.randn(300, 8, generator=g)
    turn = torch.linalg.qr(torch.randn(8, 8, generator=g))[0]
    descriptors = torch.stack([first, first @ turn, torch.zeros(300, 8)], 1)
    joint = torch.stack([first, first, torch.zeros(300, 8)], 1)
    joint = torch.nn.functional.normalize(joint, dim=-1)
    present = torch.tensor([True, True, False]).expand(300, 3)
    classes = torch.nn.functional.normalize(torch.stack([joint[labels == c, 0].mean(0) for c in range(3)]), dim=-1)
    return Memory(joint, descriptors, present, classes), labels, turn


def test_the_shared_space_finds_what_the_absent_one_would_be() -> None:
    known, labels, _ = memory(torch.Generator().manual_seed(0))
    asked, given = known.joint[:60, 0], torch.tensor([True, False, False]).expand(60, 3)
    wanted = known.descriptors[:60, 1]
    for found in (known.recall(1, asked), known.predict(1, asked, given)):
        nearest = torch.cdist(found, torch.stack([known.descriptors[labels == c, 1].mean(0) for c in range(3)]))
        assert (nearest.argmin(1) == labels[:60]).float().mean() == 1.0
        assert (found - wanted).norm(dim=1).mean() < 0.6 * wanted.norm(dim=1).mean()
    assert ((asked @ known.classes.T).argmax(1) == labels[:60]).all()


def test_a_strength_is_chosen_on_the_other_runs() -> None:
    gains = np.array([[1.0, 1.0, -2.0], [0.5, 0.5, 0.5]])
    # for the third run the first setting is best on the others, and loses there
    assert tables.chosen(gains).tolist() == [0.5, 0.5, -2.0]
    assert tables.chosen(-np.ones((2, 3))).tolist() == [0, 0, 0]


def test_the_tables_pair_each_noise() -> None:
    def outcome(full: float) -> Outcome:
        half = {"text": 0.5, "audio": 0.5}
        ends = {"text": (0.4, 0.6), "audio": (0.1, 0.3)}
        return Outcome({**half, "text,audio": full}, {}, half, 1.0, {"text": 0.2, "audio": 0.4}, ends)

    found = {name: [] for name in STUDIES["fusion"]}
    found["adaptive, other to 0 dB"] = [outcome(0.8), outcome(0.6)]
    found["equal, other to 0 dB"] = [outcome(0.7), outcome(0.6)]
    rows = tables.varying_rows(found, {"other": "another utterance"})
    assert len(rows) == 2
    assert rows[1][0] == "another utterance to 0 dB"
    assert rows[1][3:5] == ["+5.0 ± 7.1", "+0.0 ± 0.0"]
    assert rows[1][5:] == ["text +0.20; audio +0.40", "text 0.40, 0.60; audio 0.10, 0.30", "2"]
    use = Outcome({}, {}, {}, 0.0, uses={"off 0": {"a": 0.5}, "read 0.1": {"a": 0.51}, "read 1": {"a": 0.4}})
    assert tables.use_rows([use, use])[1] == ["read", "+1.0 ± 0.0", "-10.0 ± 0.0", "+1.0 ± 0.0"]


def test_the_default_variant_is_in_the_studies_of_one_switch() -> None:
    assert Variant() in STUDIES["losses"].values()
    for name in ("ways", "missing"):
        assert len(set(STUDIES[name].values())) == len(STUDIES[name]) >= 4
