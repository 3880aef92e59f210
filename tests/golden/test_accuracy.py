"""The figures that ship with the engines are the figures that the engines have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emoje_edge.engine.family import family
from emoje_edge.evaluation.companions import unseen
from emoje_edge.evaluation.evaluate import bands, evaluate, open_model
from emoje_edge.modality import Mask
from emoje_edge.shipped import accuracy_of, engines_of, model_folder
from emoje_edge.training.checkpoint import load_run
from emoje_edge.training.datasets import Options, open_dataset

models = pytest.mark.parametrize("model", family())


def shipped(model: str, mask: str) -> float:
    return json.loads(accuracy_of(model).read_text(encoding="utf-8"))[mask]["value"]


@models
def test_words_on_melds_development_part(shared_data: Path, model: str) -> None:
    corpus = open_dataset("meld", shared_data / "meld", split="dev", options=Options(mask=Mask.parse("text")))
    scores = evaluate(open_model(engines_of(model)), corpus, Mask.parse("text")).scores
    assert scores.weighted_f1 == pytest.approx(shipped(model, "text"), abs=0.005)
    assert scores.ece < 0.06  # at the temperature that ships


@models
def test_voices_of_actors_never_heard(shared_data: Path, tmp_path: Path, model: str) -> None:
    options = Options(cache=tmp_path, bands=bands(load_run(model_folder(model)).config))
    corpus = unseen(open_dataset("ravdess", shared_data / "ravdess", options=options))
    scores = evaluate(open_model(engines_of(model)), corpus, Mask.parse("audio")).scores
    assert scores.uar == pytest.approx(shipped(model, "audio"), abs=0.02)
    assert scores.ece < {"small": 0.1, "medium": 0.12}[model]
