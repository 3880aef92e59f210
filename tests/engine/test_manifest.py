"""The manifest: round trip, and every way in which a folder can lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emoje_edge.engine.manifest import Manifest, read_files, read_manifest
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.engine.weights import copy
from emoje_edge.errors import WorkError
from emoje_edge.modality import Mask
from tests.engine.malformed import MALFORMED

POSE = Mask.parse("pose")


@pytest.fixture
def engine(built: Path, tmp_path: Path) -> Path:
    """A copy of the pose engine to damage."""
    source = find_engine(POSE, "onnx", built)
    assert source is not None
    copy([source], tmp_path / "engines")
    return tmp_path / "engines" / "pose"


def test_a_manifest_survives_the_round_trip(engine: Path) -> None:
    manifest = read_manifest(engine)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert manifest.mask == POSE
    files = [engine / "model.onnx", *(engine.parent / "weights").iterdir()]
    assert manifest.size == sum(path.stat().st_size for path in files)
    assert read_files(engine, manifest) == {path.name: path.read_bytes() for path in files}


def test_an_engine_of_before_has_no_temperature_and_opens(engine: Path) -> None:
    path = engine / "manifest.json"
    raw = json.loads(path.read_text())
    raw.pop("temperature", None)
    path.write_text(json.dumps(raw))
    assert read_manifest(engine).temperature is None
    assert open_engine(POSE, engine_dir=engine).manifest.temperature is None
    path.write_text(json.dumps(raw | {"temperature": 1.5}))
    manifest = read_manifest(engine)
    assert manifest.temperature == 1.5
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_engine_is_refused_with_the_rebuild_command(engine: Path, name: str) -> None:
    change, words = MALFORMED[name]
    change(engine)
    with pytest.raises(WorkError) as caught:
        open_engine(POSE, engine_dir=engine)
    assert words in caught.value.message
    assert "emoje-edge build --mask pose --backend onnx" in caught.value.hint


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=json_values)
def test_any_value_anywhere_gives_a_manifest_or_a_clear_error(engine: Path, data: st.DataObject, value: Any) -> None:
    raw = json.loads((engine / "manifest.json").read_text())
    place: Any = raw
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = value
        break
    text = json.dumps(raw)
    try:
        manifest = Manifest.from_json(text, source="here")
    except WorkError:
        with pytest.raises(WorkError, match=r"^here: .*\n?.*emoje-edge build"):
            Manifest.from_json(text, source="here")
        return
    assert all("/" not in file.name and not file.name.startswith(".") for file in manifest.files)


@given(st.binary(max_size=200))
def test_random_bytes_are_no_manifest(data: bytes) -> None:
    with pytest.raises(WorkError):
        Manifest.from_json(data)
