import json

import pytest

from emoje_edge import Mask, UsageError
from emoje_edge.model import ModelConfig, VectorEncoder


@pytest.mark.parametrize(
    "config",
    [ModelConfig(), ModelConfig(text=None, pose=VectorEncoder(features=35), classes=("calm", "happy"), fusion="mean")],
)
def test_json_round_trip(config: ModelConfig) -> None:
    assert ModelConfig.from_dict(json.loads(config.to_json())) == config


def test_capacities_follow_the_mask() -> None:
    assert ModelConfig().capacities() == (32, 48, 24)
    assert ModelConfig().capacities(Mask.parse("text,pose")) == (32, 0, 24)
    assert ModelConfig(audio=None).mask == Mask.parse("text,pose")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"text": None, "audio": None, "pose": None}, "at least one"),
        ({"width": 96, "heads": 4}, "power of two"),
        ({"width": 100, "heads": 3}, "power of two"),
        ({"fusion": "late"}, "adaptive"),
    ],
)
def test_impossible_shapes_are_refused_with_the_rule(change: dict, rule: str) -> None:
    with pytest.raises(UsageError, match=rule):
        ModelConfig(**change)


@pytest.mark.parametrize("raw", [{"depth": 3}, {"text": {"kind": "bytes"}}, {"audio": {"width": 8}}])
def test_a_foreign_configuration_is_refused(raw: dict) -> None:
    with pytest.raises(UsageError, match="not a model configuration"):
        ModelConfig.from_dict(raw)
