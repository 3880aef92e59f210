"""Build: parity, reuse by key, nothing half-made, one builder a key, and the commands around it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.cli.engines import command as engines_command
from emoje_edge.engine import aligned
from emoje_edge.engine import build as build_module
from emoje_edge.engine.backends import onnx as onnx_backend
from emoje_edge.engine.build import Plan, build_engine, find_built
from emoje_edge.engine.calibration_set import CalibrationSet
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.engine.quantization import calibrate
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.engine.store import building, engines
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask
from emoje_edge.model import AmEmoje, LandmarkEncoder, ModelConfig

POSE, ALL = Mask.parse("pose"), Mask(7)


@pytest.mark.parametrize("mask", [POSE, ALL], ids=str)
def test_int8_engines_are_small_and_agree_with_the_quantized_reference(built: Path, mask: Mask) -> None:
    folders = [find_engine(mask, "onnx", root) for root in (built, built.parent / "fp32")]
    int8, fp32 = (read_manifest(folder) for folder in folders if folder)
    assert int8.precision == "int8"
    assert int8.spec_sha256
    assert fp32.spec_sha256 is None
    assert int8.parity.reference == "quantized"
    assert fp32.parity.agreement == 1
    assert fp32.parity.max_error < 1e-4


def test_an_absent_modality_is_absent_from_the_graph(built: Path) -> None:
    onnx = pytest.importorskip("onnx")
    folder = find_engine(POSE, "onnx", built)
    assert folder is not None
    graph = onnx.load(folder / "model.onnx", load_external_data=False).graph
    assert [x.name for x in graph.input] == ["pose", "pose_length", "pose_quality", "speaker", "state"]
    assert "Gather" not in {node.op_type for node in graph.node if node.input[0].startswith("text")}


def test_weights_are_signed_and_no_two_layers_share_their_constants(built: Path) -> None:
    """What VNNI multiplies quickest, and what ONNX Runtime can turn to unsigned where there is none."""
    onnx = pytest.importorskip("onnx")
    folder = find_engine(ALL, "onnx", built)
    assert folder is not None
    graph = onnx.load(folder / "model.onnx", load_external_data=False).graph
    stored = {x.name: x for x in graph.initializer}
    weights = [
        [name for name in (node.input[0], node.input[2]) if stored[name].data_type == onnx.TensorProto.INT8]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in stored and len(stored[node.input[0]].dims) == 2
    ]
    assert len(weights) > 5
    assert all(len(names) == 2 for names in weights)
    every = [name for names in weights for name in names]
    assert len(every) == len(set(every))
    assert not any(x.data_type == onnx.TensorProto.UINT8 and len(x.dims) > 0 for x in graph.initializer)


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file(), reason="processors tell of themselves otherwise here")
def test_the_processor_is_asked_whether_it_multiplies_bytes() -> None:
    words = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    expected = platform.machine() != "x86_64" or "avx512_vnni" in words or "avx_vnni" in words
    assert onnx_backend.multiplies_bytes() == expected


def test_without_vnni_every_session_over_bytes_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines, and the graph by which a build checks them (`engine.aligned`), open with the same options."""
    monkeypatch.setattr(onnx_backend, "multiplies_bytes", lambda: False)
    assert onnx_backend.session_options(1).get_session_config_entry("session.x64quantprecision") == "1"
    assert aligned.session_options is onnx_backend.session_options


@pytest.mark.skipif(
    shutil.which("qemu-x86_64") is None, reason="no emulator of older processors: apt install qemu-user"
)
def test_a_processor_without_vnni_gives_the_same_answers(built: Path, tmp_path: Path) -> None:
    """Haswell adds pairs of products in 16 bits, which signed weights overflow unless they are made unsigned."""
    code = f"""
import sys
import numpy as np
from emoje_edge.bench.time_engines import example_inputs
from emoje_edge.engine.backends import onnx
from emoje_edge.engine.session import open_engine
if sys.argv[2] == "haswell":  # an emulator shows the processor beneath it in /proc/cpuinfo
    onnx.multiplies_bytes = lambda: False
session = open_engine({str(ALL)!r}, engine_dir={str(built)!r}, threads=1)
np.save(sys.argv[1], np.concatenate([session.run(x)["logits"] for x in example_inputs(session.manifest)[:2]]))
"""
    found = []
    for name, before in (("here", []), ("haswell", ["qemu-x86_64", "-cpu", "Haswell"])):
        path = tmp_path / f"{name}.npy"
        subprocess.run(
            [*before, sys.executable, "-c", code, str(path), name], check=True, capture_output=True, timeout=600
        )
        found.append(np.load(path))
    assert np.ptp(found[0]) > 0.1
    np.testing.assert_allclose(found[1], found[0], atol=1e-3)


def test_an_unchanged_build_is_reused_and_a_changed_one_is_not(built: Path, plan: Plan) -> None:
    before = {path: (path / "model.onnx").stat().st_ino for path in engines(built)}
    result = build_engine(plan, POSE)
    assert result.reused
    assert {path: (path / "model.onnx").stat().st_ino for path in engines(built)} == before
    other = replace(plan, data=plan.data.head(16))
    assert find_built(other, POSE)[1] is None


def test_a_damaged_engine_is_built_again(built: Path, plan: Plan, tmp_path: Path) -> None:
    moved = replace(plan, out=Path(shutil.copytree(built, tmp_path / "engines")))
    folder, manifest = find_built(moved, POSE)
    assert manifest is not None
    (folder / "model.onnx").write_bytes(b"\0")
    result = build_engine(moved, POSE)
    assert not result.reused
    assert open_engine(POSE, engine_dir=tmp_path / "engines").mask == POSE


def test_an_interrupted_build_leaves_nothing(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build_module, "_best", stop)
    with pytest.raises(KeyboardInterrupt):
        build_engine(replace(plan, out=tmp_path), POSE)
    assert [path for path in tmp_path.rglob("*") if path.is_file() or path.name.startswith(".building")] == []


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".building-onnx-1-dead"
    left.mkdir()
    with building(tmp_path / "onnx-1", 0) as temporary:
        (temporary / "model.onnx").write_bytes(b"x")
        assert not left.exists()
    assert (tmp_path / "onnx-1" / "model.onnx").exists()


def test_two_builds_of_one_key_do_not_meet(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with (
        building(tmp_path / "onnx-1", 0),
        pytest.raises(WorkError, match="right now"),
        building(tmp_path / "onnx-1", 0),
    ):
        pass
    assert (tmp_path / "onnx-1").is_dir()


def test_no_space_and_no_rights_are_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no space"), building(tmp_path / "onnx-1", 1 << 60):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(WorkError, match="cannot write"), building(tmp_path / "file" / "onnx-1", 0):
        pass


def test_parity_that_fails_builds_nothing(plan: Plan, tmp_path: Path) -> None:
    assert plan.spec is not None
    strict = replace(plan, spec=replace(plan.spec, budget=1.01), out=tmp_path)
    with pytest.raises(WorkError, match="the budget is"):
        build_engine(strict, POSE)
    assert list(engines(tmp_path)) == []


def test_auto_takes_the_fastest_and_says_why(plan: Plan, tmp_path: Path) -> None:
    result = build_engine(replace(plan, precision="auto", out=tmp_path), POSE)
    assert result.manifest.reason.startswith("fastest within the accuracy budget: int8 ")
    assert "fp32 " in result.manifest.reason


def test_wrong_use_is_refused(plan: Plan, network: object) -> None:
    silent = {name: x for name, x in plan.data.arrays.items() if not name.startswith("audio")}
    with pytest.raises(UsageError, match="has no audio, and mask text,audio,pose needs it"):
        build_engine(replace(plan, data=CalibrationSet("silent", silent)), ALL)
    with pytest.raises(UsageError, match="precision 'fp16' with onnx"):
        build_engine(replace(plan, precision="fp16"), POSE)
    with pytest.raises(UsageError, match="unknown backend 'onyx'"):
        build_engine(replace(plan, backend="onyx"), POSE)
    with pytest.raises(WorkError, match="no ranges for mask audio"):
        build_engine(plan, Mask.parse("audio"))
    assert plan.spec is not None
    with pytest.raises(WorkError, match="calibrated for weights 000000000000"):
        build_engine(replace(plan, spec=replace(plan.spec, weights_sha256="0" * 64)), POSE)


def test_verify_names_the_first_altered_file(built: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    folder = Path(shutil.copytree(built, tmp_path / "engines"))
    good = CliRunner().invoke(engines_command, ["verify", "--engine-dir", str(folder)])
    assert good.exit_code == 0
    assert "3 engines" in good.output
    assert "int8" in CliRunner().invoke(engines_command, ["list", "--engine-dir", str(folder)]).output
    victim = find_engine(POSE, "onnx", folder)
    assert victim is not None
    data = np.fromfile(victim / "model.onnx", np.uint8)
    data[len(data) // 2] ^= 1
    data.tofile(victim / "model.onnx")
    bad = CliRunner().invoke(engines_command, ["verify", "--engine-dir", str(folder)])
    assert isinstance(bad.exception, WorkError)
    assert bad.exception.exit_code == 1
    assert str(victim / "model.onnx") in bad.exception.message


def test_prune_removes_what_is_unfinished_or_replaced(built: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    folder = Path(shutil.copytree(built, tmp_path / "engines"))
    old = find_engine(POSE, "onnx", folder)
    assert old is not None
    newer = Path(shutil.copytree(old, old.with_name("onnx-ffffffffffff")))
    (newer / "manifest.json").touch()
    (old.parent / ".building-onnx-x").mkdir()
    done = CliRunner().invoke(engines_command, ["prune", "--yes", "--engine-dir", str(folder)])
    assert done.exit_code == 0
    assert not old.exists()
    assert newer.exists()
    assert not (old.parent / ".building-onnx-x").exists()


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_a_model_without_dialogue_state(calibration_set: CalibrationSet, tmp_path: Path, precision: str) -> None:
    alone = ModelConfig(text=None, audio=None, pose=LandmarkEncoder(width=32), width=32, heads=2, state_width=0)
    network = AmEmoje(alone).eval()
    data = CalibrationSet("poses", {n: x for n, x in calibration_set.arrays.items() if n.startswith("pose")})
    spec = calibrate(network, data, model="alone", method="max", budget=0.5)
    plan = Plan(network, "alone", data, spec, "onnx", precision, None, tmp_path)
    session = open_engine(POSE, engine_dir=build_engine(plan, POSE).folder)
    inputs = {t.name: data.arrays[t.name][:2] for t in session.manifest.inputs if t.name in data.arrays}
    found = session.run({**inputs, "speaker": np.full((2, 1), 0.5, np.float32), "state": np.zeros((2, 0), np.float32)})
    assert {n: x.shape for n, x in found.items()} == {"logits": (2, 7), "weights": (2, 3), "next_state": (2, 0)}
