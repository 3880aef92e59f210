"""Presets fill in what is left open, and nothing else."""

from __future__ import annotations

import pytest

from emoje_edge.model import ModelConfig
from emoje_edge.training.datasets import DATASETS
from emoje_edge.training.presets import PRESETS, Preset, merged, preset_of
from emoje_edge.training.train_config import TrainConfig


def test_what_is_given_wins_and_encoders_are_merged() -> None:
    preset = {"width": 64, "audio": {"width": 32, "layers": 1}, "pose": None}
    found = merged(preset, {"width": 128, "audio": {"layers": 2}, "pose": {"width": 8}})
    assert found == {"width": 128, "audio": {"width": 32, "layers": 2}, "pose": {"width": 8}}


def test_several_corpora_have_no_preset() -> None:
    assert preset_of(["meld", "ravdess"]) == Preset() == preset_of(["manifest"])


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_of_a_corpus_and_readable(name: str) -> None:
    preset = PRESETS[name]
    assert name in DATASETS
    TrainConfig.from_dict(dict(preset.train))
    assert set(preset.model) <= set(ModelConfig().to_dict())
