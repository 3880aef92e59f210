"""The doctor: it tries for real, names the command for this machine, and exits by what it found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emoje_edge import doctor
from emoje_edge.engine import gpu, install
from emoje_edge.errors import UsageError
from emoje_edge.shipped import ENGINES, engines_of


def run_doctor(*arguments: str, engines: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"EMOJE_ENGINES": str(engines)}
    return subprocess.run(
        [sys.executable, "-m", "emoje_edge", "doctor", *arguments], capture_output=True, text=True, env=env, check=False
    )


def test_it_reports_as_json_and_exits_by_the_default_backend(tmp_path: Path) -> None:
    done = run_doctor("--format", "json", engines=tmp_path)
    found = json.loads(done.stdout)
    states = {b["name"]: b for b in found["backends"]}
    assert set(states) == {"onnx", "aot", "tensorrt"}
    assert done.returncode == (0 if states["onnx"]["state"] == "works" else 1)
    assert found["sound"] == (done.returncode == 0)
    assert found["packages"]["onnxruntime"]
    assert found["words"]["state"] == ("works" if found["packages"]["ctranslate2"] else "missing")
    assert all(b["command"] for b in states.values() if b["state"] != "works")


@pytest.mark.skipif(not ENGINES.is_dir(), reason="no engines came with this checkout")
def test_the_shipped_engines_run(tmp_path: Path) -> None:
    done = run_doctor(engines=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "onnx      works" in done.stdout
    assert "engines: 7 of 7" in done.stdout


@pytest.mark.skipif(not ENGINES.is_dir(), reason="no engines came with this checkout")
def test_a_truncated_engine_is_broken_and_says_how_to_mend_it(tmp_path: Path) -> None:
    shutil.copytree(engines_of() / "text+audio+pose", tmp_path / "small" / "text+audio+pose" / "onnx-0")
    shutil.copytree(ENGINES / "weights", tmp_path / "small" / "weights")
    model = tmp_path / "small" / "text+audio+pose" / "onnx-0" / "model.onnx"
    model.write_bytes(model.read_bytes()[:1000])
    done = run_doctor(engines=tmp_path)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
    assert "emoje-edge build --mask text,audio,pose --backend onnx" in done.stdout
    assert "Traceback" not in done.stderr


def test_it_imports_no_torch_unless_an_engine_needs_it() -> None:
    code = "import sys, emoje_edge.cli.doctor, emoje_edge.doctor; print({'torch', 'onnx'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


@pytest.mark.skipif(gpu.first_gpu() is not None, reason="this machine has a GPU")
def test_without_a_gpu_tensorrt_is_missing_and_says_why() -> None:
    state = doctor.try_backend("tensorrt")
    assert state.state == "missing"
    assert "no CUDA GPU" in state.detail
    assert "--backend onnx" in state.command


def test_an_unknown_backend_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown backend"):
        doctor.try_backend("tensorflow")


def test_cameras_are_named_and_their_rights_told(tmp_path: Path) -> None:
    for name in ("video0", "video1"):
        (tmp_path / name).touch()
    (tmp_path / "names" / "video0").mkdir(parents=True)
    (tmp_path / "names" / "video0" / "name").write_text("HD Webcam\n")
    first, second = doctor.cameras(tmp_path, tmp_path / "names")
    assert (first["name"], second["name"]) == ("HD Webcam", "unknown")
    assert first["readable"]


def test_advice_names_the_remedy() -> None:
    about = {"disk_free": 1, "engines": "/e", "memory": 4 << 30, "swap": 0}
    advice = doctor.advise(about, [{"device": "/dev/video0", "name": "x", "readable": False}])
    assert [word in line for word, line in zip(("EMOJE_ENGINES", "swap", "usermod"), advice, strict=True)] == [True] * 3
    assert doctor.advise({"disk_free": 9 << 30, "engines": "/e", "memory": 8 << 30, "swap": 0}, []) == []


@pytest.mark.parametrize(
    ("text", "l4t", "jetpack"),
    [
        ("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64", "36.4.3", "6.2"),
        ("# R36 (release), REVISION: 2.0, GCID: 1", "36.2.0", "6.0"),
        ("# R35 (release), REVISION: 4.1, GCID: 1", "35.4.1", "5"),
        ("# R99 (release), REVISION: 1.0, GCID: 1", "99.1.0", "unknown"),
        ("something else", None, None),
    ],
)
def test_jetpack_is_read_from_the_release_file(tmp_path: Path, text: str, l4t: str | None, jetpack: str | None) -> None:
    file = tmp_path / "nv_tegra_release"
    file.write_text(text + "\n")
    assert gpu.l4t_release(file) == l4t
    assert gpu.jetpack(l4t) == jetpack


def test_no_release_file_is_no_jetson(tmp_path: Path) -> None:
    assert gpu.l4t_release(tmp_path / "none") is None
    assert gpu.driver_release(tmp_path / "none") is None


@pytest.mark.parametrize(
    "text",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  560.35.03  Fri Aug 16",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build",
    ],
)
def test_the_driver_release_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "version"
    file.write_text(text)
    assert gpu.driver_release(file) == "560.35.03"


def test_every_target_has_exact_commands_or_says_that_there_are_none() -> None:
    for target in (install.CPU, install.X86_GPU, install.JETPACK_6, install.JETPACK_7):
        for backend in ("onnx", "aot", "tensorrt"):
            for purpose in ("open", "build"):
                text = install.command(backend, purpose, target)
                assert "pip install" in text or "--backend onnx" in text
    assert "cuda-bindings==12" in install.command("tensorrt", "open", install.JETPACK_6)
    assert "nvidia-jetpack" in install.command("tensorrt", "build", install.JETPACK_7)
    assert "[build,tensorrt]" in install.command("tensorrt", "build", install.X86_GPU)


def test_words_without_their_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    state = doctor.try_words()
    assert state.state == "missing"
    assert "pip install ctranslate2" in state.command
