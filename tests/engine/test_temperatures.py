"""A model's temperatures: kept beside it, copied into manifests, and refused where they cannot be meant."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from emoje_edge.engine.build import Plan, build_engine
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.engine.temperatures import read_temperatures, set_temperature, write_temperatures
from emoje_edge.engine.weights import copy
from emoje_edge.errors import WorkError
from emoje_edge.modality import Mask

POSE, TEXT = Mask.parse("pose"), Mask.parse("text")


def test_what_is_written_is_read_and_the_rest_stays(tmp_path: Path) -> None:
    assert read_temperatures(tmp_path) == {}
    write_temperatures(tmp_path, {POSE: 1.23456, TEXT: 0.9})
    write_temperatures(tmp_path, {TEXT: 1.5})
    assert read_temperatures(tmp_path) == {TEXT: 1.5, POSE: 1.2346}


@pytest.mark.parametrize(
    "text", ['{"text": 0}', '{"text": -1}', '{"text": NaN}', '{"text": null}', '{"face": 1.0}', "[1]", "not json"]
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "temperatures.json").write_text(text)
    with pytest.raises(WorkError, match=r"temperatures\.json"):
        read_temperatures(tmp_path)


def test_build_puts_the_models_temperature_into_the_manifest(plan: Plan, tmp_path: Path) -> None:
    warm = replace(plan, out=tmp_path, precision="fp32", spec=None, temperatures={POSE: 1.7})
    built = build_engine(warm, POSE)
    assert read_manifest(built.folder).temperature == 1.7
    assert build_engine(warm, POSE).reused
    # another temperature is another engine
    assert not build_engine(replace(warm, temperatures={POSE: 1.1}), POSE).reused


def test_a_temperature_changes_the_manifest_and_nothing_else(built: Path, tmp_path: Path) -> None:
    source = find_engine(POSE, "onnx", built)
    assert source is not None
    copy([source], tmp_path / "out")
    engine = tmp_path / "out" / "pose"
    before = json.loads((engine / "manifest.json").read_text())
    set_temperature(engine, 2.0)
    after = json.loads((engine / "manifest.json").read_text())
    assert after.pop("temperature") == 2.0
    assert before.pop("temperature") is None
    assert after == before
    assert open_engine(POSE, engine_dir=engine).manifest.temperature == 2.0
