"""The evidence: runs on a made set, tables with paired differences, documents whose words stay."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets import Corpus, Sample
from emoje_edge.training.datasets.mocap import Motion
from research.evidence import body, pose, tables
from research.evidence.__main__ import main
from research.evidence.experiment import Outcome, Recipe, Variant, run
from research.evidence.feature_sets import FeatureSet, load_set
from research.evidence.functionals import functionals
from research.evidence.studies import BASE, STUDIES

RECIPE = Recipe(epochs=12, learning_rate=1e-2, weight_decay=0.01, width=16, dropout=0.1, batch=64)


def made_set(*, context: bool = False) -> FeatureSet:
    """Two modalities that each tell the class, text better; eight groups."""
    g = np.random.default_rng(0)
    samples = []
    for i in range(160):
        label = int(g.integers(2))
        features = {
            # up in one half of the vector, down in the other: the encoder's norm takes a common shift away
            Modality.TEXT: (label * np.repeat([2.0, -2.0], 3) + g.standard_normal((1, 6))).astype(np.float32),
            Modality.AUDIO: (label * np.repeat([1.0, -1.0], 2) + g.standard_normal((1, 4))).astype(np.float32),
        }
        dialogue = f"d{i // 20}" if context else f"d{i}"
        samples.append(Sample(dialogue, i, label, "s", features=features, group=f"g{i // 20}", source=f"row {i}"))
    return FeatureSet(Corpus("made", ("no", "yes"), tuple(samples)), "accuracy", context)


@pytest.mark.parametrize("context", [False, True])
def test_a_run_learns_and_scores_every_mask_and_rate(context: bool) -> None:
    outcome = run(made_set(context=context), Variant(), 0, recipe=RECIPE)
    assert set(outcome.masks) == {"text", "audio", "text,audio"}
    assert set(outcome.rates) == {"0.1", "0.3", "0.5", "0.7"}
    assert outcome.masks["text,audio"] > 0.85
    assert sum(outcome.weights.values()) == pytest.approx(1, abs=1e-4)


def test_an_outcome_is_read_from_the_cache_and_belongs_to_its_run(tmp_path: Path) -> None:
    data, short = made_set(), replace(RECIPE, epochs=1)
    first = run(data, Variant(), 0, recipe=short, cache=tmp_path)
    assert run(data, Variant(), 0, recipe=short, cache=tmp_path) == first
    assert len(list(tmp_path.glob("*.json"))) == 1
    run(data, Variant(fusion="concat"), 0, recipe=short, cache=tmp_path)
    run(data, Variant(), 1, recipe=short, cache=tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 3


def test_the_study_of_losses_switches_one_thing_against_the_default() -> None:
    variants = list(STUDIES["losses"].values())
    assert BASE in variants
    assert len(set(variants)) == len(variants) >= 4


def outcome_of(full: float, text: float, audio: float) -> Outcome:
    rates = {str(r): full for r in (0.1, 0.3, 0.5, 0.7)}
    return Outcome({"text": text, "audio": audio, "text,audio": full}, rates, {"text": 0.5, "audio": 0.5}, 1.0)


def test_differences_are_paired_and_over_the_seeds_that_both_have() -> None:
    ours = [outcome_of(0.8, 0.7, 0.5), outcome_of(0.6, 0.5, 0.3), outcome_of(0.9, 0.9, 0.9)]
    neither = [outcome_of(0.7, 0.6, 0.4), outcome_of(0.5, 0.4, 0.2)]
    rows = tables.study_rows([("ours", ours), ("neither", neither)], against="neither")
    assert rows[1][1:] == ["0.700 ± 0.141", "0.500 ± 0.141", "+10.0 ± 0.0", "+10.0 ± 0.0", "2"]
    assert rows[2][3:5] == ["", ""]
    assert tables.mask_rows([("ours", ours)])[1][1] == "0.700 ± 0.200"


def test_the_words_around_a_table_stay(tmp_path: Path) -> None:
    document = tmp_path / "fusion.md"
    document.write_text("# Fusion\n\n<!-- begin a -->\nold\n<!-- end a -->\n\nWhat it means.\n")
    tables.replace_block(document, "a", r"| \1 new |")
    tables.replace_block(document, "b", "second")
    text = document.read_text()
    assert "old" not in text
    assert r"| \1 new |" in text
    assert "What it means." in text
    assert text.index("What it means.") < text.index("second")
    document.write_text("<!-- begin a -->")
    with pytest.raises(UsageError, match="without"):
        tables.replace_block(document, "a", "x")


def test_functionals_are_finite_for_any_sound() -> None:
    g = np.random.default_rng(0)
    for frames in (np.zeros((1, 64)), np.full((300, 64), -13.8), g.standard_normal((400, 64))):
        vector = functionals(frames)
        assert np.isfinite(vector).all()
        assert vector.shape == (574,)


def test_a_style_is_told_by_how_and_not_by_what() -> None:
    """Five styles that differ in the height of the hands, in three contents that differ in the legs."""
    g = np.random.default_rng(0)
    features, labels, groups = [], [], []
    for content in range(3):
        for style in range(5):
            features.append([np.r_[style + 0.1 * g.standard_normal(8), 10.0 * content]])
            labels.append(style)
            groups.append(f"c{content}")
    assert body._accuracy(features, np.array(labels), groups, seed=0, alone=False) == 1.0
    # a content of one style, with the hands of another: counted only where it is asked for
    features.append([np.r_[np.full(8, 4.0), 50.0]])
    more = np.array([*labels, 0]), [*groups, "alone"]
    assert body._accuracy(features, *more, seed=0, alone=False) == 1.0
    assert body._accuracy(features, *more, seed=0, alone=True) < 1.0


def test_statistics_of_a_motion_do_not_depend_on_where_it_looks() -> None:
    g = np.random.default_rng(0)
    p = np.cumsum(g.standard_normal((30, 13, 3)) * 0.01, 0) + g.standard_normal((13, 3))
    cos, sin = np.cos(1.1), np.sin(1.1)
    turned = p @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]]) + [3, 0, -2]
    a, b = (body.of_space(Motion("m", "c", "s", q.astype(np.float32))) for q in (p, turned))
    np.testing.assert_allclose(a, b, atol=2e-2)


def test_the_comparison_of_landmarks_tells_equal_from_shifted() -> None:
    g = np.random.default_rng(0)

    def windows(shift: float) -> list[np.ndarray]:
        w = np.ones((40, 13, 3), np.float32)
        w[..., :2] = g.standard_normal((40, 13, 2)) + shift
        w[:, 12] = 0
        return [w]

    inside = pose.covered(windows(0), windows(0))
    assert (inside[:12] > 0.7).all()
    assert np.isnan(inside[12])
    assert (pose.covered(windows(0), windows(9))[:12] < 0.1).all()
    rows = pose.table(windows(0), windows(0))
    assert rows[13][1] == "0.00"
    assert len(rows) == 14


def test_sets_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown feature set"):
        load_set("cifar", tmp_path, tmp_path)
    result = CliRunner().invoke(main, ["losses", "--root", str(tmp_path), "--out", str(tmp_path), "--set", "mosi"])
    assert result.exit_code != 0
    assert isinstance(result.exception, UsageError)


def test_mosi_is_weakened_to_what_its_test_part_gives(shared_data: Path, tmp_path: Path) -> None:
    data = load_set("mosi", shared_data, tmp_path)
    again = load_set("mosi", shared_data, tmp_path)
    assert data.modalities == (Modality.TEXT, Modality.AUDIO, Modality.POSE)
    first, second = (d.corpus.samples[5].feature(Modality.TEXT) for d in (data, again))
    np.testing.assert_array_equal(first, second)
    assert np.std(first) > 5
