"""AOTInductor on the CPU: compiled for real, compared with eager torch, refused where it does not belong."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emoje_edge.engine import open_engine
from emoje_edge.engine.backends import aot
from emoje_edge.engine.build import Plan, build_engine
from emoje_edge.engine.interface import BuildRequest
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask
from emoje_edge.model import AmEmoje
from emoje_edge.model.network import MaskedNetwork

MASKS = (Mask.parse("pose"), Mask.parse("text,pose"))

pytestmark = pytest.mark.skipif(aot.unavailable("build") is not None, reason=str(aot.unavailable("build")))


@pytest.fixture(scope="module")
def packages(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> dict[Mask, Path]:
    """Engine folders that the product's own build made, parity checked and all."""
    out = tmp_path_factory.mktemp("aot")
    floating = replace(plan, backend="aot", precision="fp32", target="cpu", spec=None, out=out)
    return {mask: build_engine(floating, mask).folder for mask in MASKS}


@pytest.mark.parametrize("mask", MASKS, ids=str)
def test_a_package_answers_as_eager_does(packages: dict[Mask, Path], network: AmEmoje, mask: Mask) -> None:
    session = open_engine(mask, engine_dir=packages[mask], backend="aot")
    masked = MaskedNetwork(network, mask)
    for seed in range(3):
        example = masked.example_inputs(seed=seed)
        with torch.no_grad():
            wanted = masked(*example)
        found = session.run({name: x.numpy() for name, x in zip(masked.input_names, example, strict=True)})
        for name, tensor in zip(masked.output_names, wanted, strict=True):
            np.testing.assert_allclose(found[name], tensor.numpy(), atol=1e-5)


def test_threads_take_turns_and_get_their_own_answers(packages: dict[Mask, Path], network: AmEmoje) -> None:
    session, masked = (
        open_engine(MASKS[0], engine_dir=packages[MASKS[0]], backend="aot"),
        MaskedNetwork(network, MASKS[0]),
    )
    given = [
        {name: x.numpy() for name, x in zip(masked.input_names, masked.example_inputs(seed=seed), strict=True)}
        for seed in range(4)
    ]
    wanted = [session.run(inputs)["logits"] for inputs in given]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: (i, session.run(given[i])["logits"]), [i % 4 for i in range(400)]))
    for i, logits in found:
        np.testing.assert_allclose(logits, wanted[i], atol=1e-6)


def test_the_manifest_binds_it_to_this_kind_of_machine(packages: dict[Mask, Path]) -> None:
    manifest = read_manifest(packages[MASKS[0]])
    assert manifest.target["kind"] == "cpu"
    assert set(aot.DECISIVE["cpu"]) < set(manifest.target)
    assert manifest.parity.agreement == 1
    assert manifest.latency is not None


@pytest.mark.parametrize(
    ("fact", "other"), [("isa", "AVX9000"), ("machine", "m68k"), ("torch", "1.0.0"), ("kind", "tpu")]
)
def test_a_package_of_another_machine_is_refused(
    packages: dict[Mask, Path], tmp_path: Path, fact: str, other: str
) -> None:
    folder = tmp_path / "engine"
    shutil.copytree(packages[MASKS[0]], folder)
    raw = json.loads((folder / "manifest.json").read_text())
    raw["target"][fact] = other
    (folder / "manifest.json").write_text(json.dumps(raw))
    with pytest.raises(WorkError, match=other) as caught:
        open_engine(MASKS[0], engine_dir=folder, backend="aot")
    assert caught.value.hint == "rebuild it: emoje-edge build --mask pose --backend aot"


def test_a_truncated_package_is_refused_before_anything_of_it_runs(packages: dict[Mask, Path], tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    shutil.copytree(packages[MASKS[0]], folder)
    data = (folder / aot.ENTRY).read_bytes()
    (folder / aot.ENTRY).write_bytes(data[: len(data) // 2])
    with pytest.raises(WorkError, match="truncated") as caught:
        open_engine(MASKS[0], engine_dir=folder, backend="aot")
    assert "--backend aot" in caught.value.hint


def test_bytes_that_are_no_package_are_a_clear_error(packages: dict[Mask, Path]) -> None:
    manifest = read_manifest(packages[MASKS[0]])
    with pytest.raises(WorkError, match=r"does not take model\.pt2"):
        aot.open(manifest, {aot.ENTRY: b"PK\x05\x06" + bytes(18)})


def test_int8_and_unknown_targets_are_refused(network: AmEmoje, tmp_path: Path) -> None:
    masked = MaskedNetwork(network, MASKS[0])
    example = masked.example_inputs()
    names = masked.input_names, masked.output_names
    with pytest.raises(UsageError, match="int8"):
        aot.build(BuildRequest(MASKS[0], "int8", masked, example, *names, tmp_path, aot.target("cpu")))
    with pytest.raises(UsageError, match="sm_87"):
        aot.target("sm_87")
    assert not list(tmp_path.iterdir())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA GPU")
@pytest.mark.parametrize("precision", aot.PRECISIONS)
@pytest.mark.parametrize("mask", Mask.all(), ids=str)
def test_on_a_gpu_every_mask_builds_runs_and_is_measured(
    plan: Plan, tmp_path: Path, mask: Mask, precision: str
) -> None:
    result = build_engine(
        replace(plan, backend="aot", precision=precision, target="cuda", spec=None, out=tmp_path), mask
    )
    assert result.manifest.parity.agreement >= 0.9
    assert result.manifest.latency is not None
    print(mask, precision, result.manifest.parity, result.manifest.latency)
