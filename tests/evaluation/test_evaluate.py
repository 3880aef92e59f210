"""The evaluate, train and distill commands on small corpora, with checkpoints and with engines."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from emoje_edge.cli.distill import command as distill
from emoje_edge.cli.evaluate import command as evaluate
from emoje_edge.cli.train import command as train_command
from emoje_edge.engine.temperatures import read_temperatures
from emoje_edge.errors import UsageError
from emoje_edge.evaluation.evaluate import evaluate as score_model
from emoje_edge.evaluation.evaluate import open_model
from emoje_edge.modality import Mask, Modality
from emoje_edge.training.trainer import Materials, train
from tests.training import small


def call(command, *arguments: object) -> str:  # type: ignore[no-untyped-def]
    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def write_features(path: Path, count: int = 12) -> Path:
    """The small corpus as a feature file."""
    corpus = small.corpus(count)
    np.savez(
        path,
        label=np.array([small.CLASSES[s.label] for s in corpus.samples]),
        dialogue=np.array([s.dialogue for s in corpus.samples]),
        index=np.array([s.index for s in corpus.samples]),
        speaker=np.array([s.speaker for s in corpus.samples]),
        text=np.stack([s.features[Modality.TEXT] for s in corpus.samples]),
        audio=np.stack([s.features[Modality.AUDIO] for s in corpus.samples]),
        classes=np.array(small.CLASSES),
    )
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_features(tmp_path_factory.mktemp("data") / "features.npz")


@pytest.fixture(scope="module")
def run(data: Path) -> Path:
    out = data.parent / "run"
    materials = Materials(small.corpus(12))
    train(small.MODEL, small.CONFIG, materials, out, quiet=True)
    return out


def test_json_of_one_mask(data: Path, run: Path) -> None:
    report = json.loads(call(evaluate, "-d", "features", "--root", data, "--model", run, "--format", "json"))
    wanted = {"weighted_f1", "macro_f1", "accuracy", "uar", "per_class_f1", "support", "mask"}
    assert wanted <= set(report)
    assert report["mask"] == "text,audio"
    assert set(report["per_class_f1"]) == set(small.CLASSES)
    low, high = report["weighted_f1_95"]
    assert low <= report["weighted_f1"] <= high
    assert report["weights"].keys() == {"text", "audio"}


def test_temperatures_are_fitted_and_kept_beside_the_run(data: Path, run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    arguments = ("-d", "features", "--root", data, "--format", "json")
    call(evaluate, *arguments, "--model", copy, "--mask", "all", "--fit-temperature")
    found = read_temperatures(copy)
    assert {str(mask) for mask in found} == {"text", "audio", "text,audio"}
    assert all(0.05 <= t <= 20 for t in found.values())
    with pytest.raises(UsageError, match="without a run"):
        call(evaluate, *arguments, "--fit-temperature")


def test_table_of_all_masks_and_missing_rates(data: Path, run: Path, tmp_path: Path) -> None:
    arguments = ("-d", "features", "--root", data, "--model", run, "--mask", "all")
    report = json.loads(call(evaluate, *arguments, "--format", "json", "--out", tmp_path / "report"))
    assert [r["mask"] for r in report[:3]] == ["text", "audio", "text,audio"]
    assert [r["missing_rate"] for r in report[3:]] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert report == json.loads(call(evaluate, *arguments, "--format", "json"))
    assert (tmp_path / "report" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == report
    assert "text,audio" in call(evaluate, *arguments)


def test_what_cannot_be_evaluated(data: Path, run: Path, tmp_path: Path) -> None:
    model = open_model(run)
    corpus = small.corpus(2)
    with pytest.raises(UsageError, match="brings only text,audio"):
        score_model(model, corpus, Mask.parse("pose"))
    with pytest.raises(UsageError, match="the model has low, middle, high"):
        score_model(model, replace(corpus, classes=("x", "y", "z")))
    words_only = tuple(replace(s, features={}, text="hello") for s in corpus.samples)
    with pytest.raises(UsageError, match="brings text; the model takes text,audio"):
        score_model(model, replace(corpus, samples=words_only))
    with pytest.raises(UsageError, match="neither a run"):
        open_model(tmp_path)


def test_train_by_options_and_by_a_file_then_distill(data: Path, tmp_path: Path) -> None:
    fast = ("--set", "epochs=2", "--set", "threads=1", "--quiet")
    out = call(train_command, "-d", "features", "--root", data, "--out", tmp_path / "a", *fast).strip()
    assert Path(out) == tmp_path / "a"
    meta = json.loads((tmp_path / "a" / "config.json").read_text())
    assert meta["model"]["audio"] == {"kind": "vector", "features": 5, "tokens": 2, "width": 128, "noise": 0.0}
    config = {
        "out": "b",
        "corpora": [{"dataset": "features", "root": str(data)}],
        "model": {"width": 32, "heads": 2, "state_width": 0, "audio": {"width": 8}, "text": None},
        "train": {"epochs": 1, "seed": 4},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    call(train_command, tmp_path / "config.json", "--quiet")
    student = json.loads((tmp_path / "b" / "config.json").read_text())
    assert student["train"]["seed"] == 4
    assert student["model"]["text"] is None
    assert student["model"]["audio"]["width"] == 8
    distilled = tmp_path / "c"
    teachers = ("--teacher", tmp_path / "a", "--teacher", tmp_path / "b")
    call(distill, *teachers, "-d", "features", "--root", data, "--out", distilled, *fast)
    rows = [json.loads(line) for line in (distilled / "metrics.jsonl").read_text().splitlines()]
    assert {"train_soft", "train_descriptor", "train_partial", "train_focal"} <= set(rows[0])


def test_wrong_use_of_train(data: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"corpora": [], "modle": {}}))
    for arguments, message in (
        ((), "train on what"),
        (("-d", "features"), "without --root"),
        (("-d", "features", "--root", data), "no --out"),
        (("-d", "features", "--root", data, "--out", tmp_path / "x", "--set", "epochs"), "write name=value|--set"),
        (("-d", "features", "--root", data, "--out", tmp_path / "x", "--set", "epoch=2"), "not training settings"),
        ((tmp_path / "config.json",), "unknown setting 'modle'"),
        ((tmp_path / "none.json",), "none.json"),
    ):
        with pytest.raises(UsageError, match=message):
            call(train_command, *arguments)
    assert not (tmp_path / "x").exists()
