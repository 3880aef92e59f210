"""The curve: what is measured of counted words, small and medium, and how it is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.shipped import accuracy_of
from emoje_edge.training.datasets import Corpus, open_dataset
from research.recipes import curve


@pytest.fixture(scope="module")
def meld(shared_data: Path) -> Corpus:
    return open_dataset("meld", shared_data / "meld")


def few(corpus: Corpus, count: int) -> Corpus:
    return replace(corpus, samples=corpus.samples[:count])


def test_counted_words_know_more_than_the_commonest_class(meld: Corpus) -> None:
    train, dev = few(meld.split("train"), 3000), few(meld.split("dev"), 400)
    found = curve.counted_words(train, dev)
    neutral = curve.scored(dev, np.full(len(dev), dev.classes.index("neutral")))[0]
    assert neutral + 0.05 < found.f1 < 0.7
    assert found.interval is not None
    assert found.interval[0] < found.f1 < found.interval[1]
    assert found.size > 100_000
    assert found.ms > 0


def test_a_model_of_the_family_has_the_figure_that_ships(meld: Corpus) -> None:
    found = curve.engine("small", meld.split("dev"))
    shipped = json.loads(accuracy_of("small").read_text(encoding="utf-8"))["text"]["value"]
    assert found.f1 == pytest.approx(shipped, abs=0.005)
    assert 1e6 < found.size < 8e6


def test_table_and_picture_say_what_was_measured(tmp_path: Path) -> None:
    for number, recall in enumerate((0.5, 0.7)):
        (tmp_path / "out" / f"fold{number}").mkdir(parents=True)
        row = {"seed": 0, "past 0": recall, "past 3": 0.0, "past 8": recall + 0.1}
        (tmp_path / "out" / f"fold{number}" / "held_out.json").write_text(json.dumps(row))
    heard = curve.of_folds(tmp_path / "out")
    assert np.allclose(heard, [[0.5, 0.7], [0.6, 0.8]])
    points = [
        curve.Point("counted words", 2_000_000, 0.9, 0.51, (0.48, 0.54)),
        curve.Point("small", 5_400_000, 1.234, 0.571, (0.54, 0.6), seeds=(0.56, 0.58), recall=heard),
    ]
    head, _, first, second = curve.table(points).splitlines()
    assert head.count("|") == first.count("|") == second.count("|")
    assert second == "| small | 5.4 | 1.23 | 0.571 | 0.540–0.600 | 0.570 ± 0.014 (2) | 0.600 ± 0.100 | 0.700 ± 0.100 |"
    curve.picture(points, tmp_path)
    assert "<svg" in (tmp_path / "curve.svg").read_text(encoding="utf-8")
    first_bytes = (tmp_path / "curve.svg").read_bytes()
    curve.picture(points, tmp_path)
    assert (tmp_path / "curve.svg").read_bytes() == first_bytes
    assert (tmp_path / "curve.png").stat().st_size > 5000
