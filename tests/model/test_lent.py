"""Weights that the engines hold are not stored twice, and come back to the last bit."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from emoje_edge.engine.manifest import read_manifest
from emoje_edge.engine.store import engines
from emoje_edge.errors import WorkError
from emoje_edge.model.lent import borrow, lend, places_in, verified
from emoje_edge.shipped import engines_of, model_folder
from emoje_edge.training.checkpoint import load_run


def _stored() -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    made = {name: torch.randint(-127, 128, shape, generator=g).to(torch.int8)
            for name, shape in (("matrix", (30, 20)), ("kernel", (8, 4, 5)), ("own", (16, 16)))}  # fmt: skip
    return made | {"matrix.scale8": torch.ones(30)}


def _engines(stored: dict[str, torch.Tensor]) -> dict[str, bytes]:
    matrix, kernel = (stored[name].numpy() for name in ("matrix", "kernel"))
    return {"text-1.bin": b"12345" + matrix.T.tobytes(), "audio-2.bin": kernel.tobytes() + b"0"}


def test_what_is_lent_comes_back_and_the_rest_is_stored() -> None:
    stored = _stored()
    files = _engines(stored)
    rest, places = lend(stored, files)
    assert set(rest) == {"own", "matrix.scale8"}
    assert places["matrix"] == ("text-1.bin", 5, [30, 20], True)
    found = borrow(json.loads(json.dumps(places)), files.__getitem__)
    assert found.keys() == {"matrix", "kernel"}
    for name, x in found.items():
        assert torch.equal(x, stored[name])


def test_an_altered_or_missing_file_is_named(tmp_path: Path) -> None:
    name = f"text-{hashlib.sha256(b'weights').hexdigest()[:12]}.bin"
    with pytest.raises(WorkError, match=f"{name}.*cannot be read"):
        verified(tmp_path, name)
    (tmp_path / name).write_bytes(b"weights")
    assert verified(tmp_path, name) == b"weights"
    (tmp_path / name).write_bytes(b"Weights")
    with pytest.raises(WorkError, match=f"{name} was altered"):
        verified(tmp_path, name)


@pytest.mark.parametrize("model", ["small", "medium"])
def test_a_model_borrows_from_its_own_engines_alone(model: str) -> None:
    """What it finds in another model's would go when that is made anew."""
    own = {entry.name for folder in engines(engines_of(model)) for entry in read_manifest(folder).weights}
    lenders = {place[0] for place in places_in(model_folder(model) / "model.safetensors").values()}
    assert lenders
    assert lenders <= own


def test_medium_is_stored_once_and_opens_anywhere(tmp_path: Path) -> None:
    weights = model_folder("medium") / "model.safetensors"
    places = places_in(weights)
    lent = sum(int(np.prod(place[2])) for place in places.values())
    assert lent > 2 * sum(x.numel() for x in load_file(str(weights)).values() if x.dtype == torch.int8)
    copy = tmp_path / "copy"
    shutil.copytree(model_folder("medium"), copy)
    here, there = (load_run(folder).network.state_dict() for folder in (model_folder("medium"), copy))
    assert all(torch.equal(x, there[name]) for name, x in here.items())
