"""`build` and `calibrate` as commands, on the student that ships: pose alone, so that it stays quick."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from emoje_edge.cli.build import command as build_command
from emoje_edge.cli.calibrate import command as calibrate_command
from emoje_edge.engine.family import family
from emoje_edge.engine.session import open_engine
from emoje_edge.engine.store import verify
from emoje_edge.engine.temperatures import read_temperatures
from emoje_edge.errors import EmojeError, UsageError, WorkError
from emoje_edge.modality import Mask
from emoje_edge.shipped import DEFAULT, engines_of, model_folder

pytest.importorskip("torch")

from emoje_calibration.hashes import weights_sha256

from emoje_edge.training.checkpoint import load_run


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["--mask", "poes"], UsageError, "did you mean 'pose'"),
        (["--mask", "pose", "--backend", "onyx"], UsageError, "unknown backend 'onyx'"),
        (["--mask", "pose", "--precision", "int4"], UsageError, "unknown precision 'int4'"),
        (["--mask", "pose", "--model", "smal"], UsageError, "did you mean 'small'"),
        (["--mask", "pose", "--model", "."], UsageError, "no config.json"),
        (["--mask", "pose", "--data", "nowhere"], UsageError, "no calibration data nowhere"),
        (["--mask", "pose", "--spec", "nowhere"], WorkError, "cannot read the spec nowhere"),
    ],
)
def test_wrong_use_is_named(arguments: list[str], error: type[EmojeError], words: str) -> None:
    done = CliRunner().invoke(build_command, [*arguments, "--samples", "8"])
    assert isinstance(done.exception, error), done.output
    assert words in str(done.exception)


def test_build_leaves_an_engine_that_runs_and_a_table(tmp_path: Path) -> None:
    arguments = ["--mask", "pose", "--precision", "int8", "--samples", "32", "--out", str(tmp_path)]
    planned = CliRunner().invoke(build_command, [*arguments, "--dry-run"])
    assert planned.exit_code == 0, planned.exception
    assert planned.output.startswith("pose: build ")
    assert list(tmp_path.iterdir()) == []
    done = CliRunner().invoke(build_command, arguments)
    assert done.exit_code == 0, done.exception
    assert "int8" in done.output
    session = open_engine("pose", engine_dir=tmp_path)
    assert session.manifest.parity.aligned_error is not None
    assert session.manifest.parity.aligned_error <= 1e-4
    again = CliRunner().invoke(build_command, [*arguments, "--dry-run"])
    assert again.output.startswith("pose: reuse ")


def test_calibrate_writes_a_spec_that_build_takes(tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    arguments = ["--mask", "pose", "--method", "max", "--samples", "16", "--budget", "0.8", "--out", str(spec)]
    done = CliRunner().invoke(calibrate_command, arguments)
    assert done.exit_code == 0, done.exception
    assert done.output.startswith("pose: ")
    build = ["--mask", "pose", "--precision", "int8", "--samples", "16", "--spec", str(spec), "--out", str(tmp_path)]
    assert CliRunner().invoke(build_command, build).exit_code == 0
    other = CliRunner().invoke(build_command, [*build, "--mask", "audio"])
    assert isinstance(other.exception, WorkError)
    assert "no ranges for mask audio" in other.exception.message


def test_with_weights_only_the_encoder_takes_floating_inputs(tmp_path: Path) -> None:
    found = []
    for more in ([], ["--weights-only"]):
        spec = tmp_path / "spec.json"
        arguments = ["--mask", "pose", "--method", "max", "--samples", "8", "--budget", "0.5", "--out", str(spec)]
        assert CliRunner().invoke(calibrate_command, [*arguments, *more]).exit_code == 0
        layers = json.loads(spec.read_text())["masks"]["pose"]["inputs"]
        found.append({name for name in layers if name.startswith("encoders.")})
    assert found[0]
    assert not found[1]


def test_an_unwritable_spec_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    arguments = ["--mask", "pose", "--method", "max", "--samples", "8", "--budget", "0.5"]
    done = CliRunner().invoke(calibrate_command, [*arguments, "--out", str(tmp_path / "file" / "spec.json")])
    assert isinstance(done.exception, WorkError)
    assert "cannot write" in done.exception.message


@pytest.mark.parametrize("model", family())
def test_the_shipped_engines_are_whole_small_and_of_all_masks(model: str) -> None:
    manifests = [verify(engines_of(model) / mask.folder) for mask in Mask.all()]
    files = {file.sha256: file.bytes for manifest in manifests for file in (*manifest.files, *manifest.weights)}
    assert sum(files.values()) < (7e6 if model == DEFAULT else 45e6)
    assert {manifest.model for manifest in manifests} == {model}
    for branch in ("text", "audio", "pose"):  # stored once
        names = {file.name for manifest in manifests for file in manifest.weights if file.name.startswith(branch)}
        assert len(names) == 1, names
    weights = weights_sha256(load_run(model_folder(model)).network)
    assert {manifest.weights_sha256 for manifest in manifests} == {weights}, "build the engines of these weights"
    assert all(manifest.parity.agreement >= 0.99 for manifest in manifests)
    temperatures = {manifest.mask: manifest.temperature for manifest in manifests}
    assert temperatures == pytest.approx(read_temperatures(model_folder(model)), abs=1e-4), "the engines are calibrated"
