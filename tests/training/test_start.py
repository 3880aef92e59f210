"""Going on from another run: its branches and weights wherever they fit, new ones elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from emoje_edge.cli.train import command as train_command
from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje, LogMelEncoder, ModelConfig, TextEncoder, VectorEncoder
from emoje_edge.model.config import WhisperEncoder
from emoje_edge.shipped import model_folder
from emoje_edge.training.checkpoint import load_run
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.plan import inherit, warm_start

LINES = ("I hate this.", "What a wonderful day!", "It is four o'clock.", "She died last night.", "Oh my God, really?!")
LABELS = ("anger", "joy", "neutral", "sadness", "surprise")


def manifest(folder: Path) -> Path:
    rows = [f',,,d{i},,"{LINES[i % 5]}",{LABELS[i % 5]}' for i in range(40)]
    path = folder / "mine.csv"
    path.write_text("path,start,end,dialogue,speaker,text,label\n" + "\n".join(rows) + "\n")
    return path


def test_branches_of_the_corpus_with_the_known_runs_encoders() -> None:
    known = ModelConfig(text=TextEncoder(width=64), audio=LogMelEncoder(width=32), pose=None, width=64)
    fitted = ModelConfig(text=TextEncoder(), audio=None, pose=VectorEncoder(features=3), classes=("a", "b"))
    found = inherit(known, fitted)
    assert (found.text, found.audio, found.pose) == (known.text, None, fitted.pose)
    assert (found.width, found.classes) == (64, ("a", "b"))


def test_weights_are_taken_where_they_fit_and_a_head_only_with_its_classes() -> None:
    known = AmEmoje(ModelConfig(text=VectorEncoder(features=4), audio=None, pose=None, width=32, heads=2))
    same, other = (
        known.config,
        inherit(known.config, ModelConfig(VectorEncoder(features=4), None, None, classes=("a",) * 7)),
    )
    for model, kept in ((same, True), (other, False)):
        weights = warm_start(model, known, Corpus("none", model.classes, ()), seed=1)
        assert torch.equal(weights["encoders.text.up.weight"], known.state_dict()["encoders.text.up.weight"])
        assert torch.equal(weights["head.weight"], known.head.weight) is kept
        AmEmoje(model).load_state_dict(weights)


def test_own_recordings_from_the_model_that_ships(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = ["--dataset", "manifest", "--root", str(manifest(tmp_path)), "--out", str(out), "--quiet"]
    done = CliRunner().invoke(
        train_command, [*command, "--start", "default", "--set", "epochs=1", "--set", "mask_sampling=false"]
    )
    assert done.exit_code == 0, done.output
    run, shipped = load_run(out), load_run(model_folder())
    assert run.config.mask.modalities == (Modality.TEXT,)
    assert run.config.text == shipped.config.text
    # one epoch moves the words a little: they are the shipped student's, and know the emotions already
    name = "encoders.text.embedding.weight"
    moved = (run.network.state_dict()[name] - shipped.network.state_dict()[name]).abs().max()
    assert 0 < moved < 0.1
    first = json.loads((out / "metrics.jsonl").read_text().splitlines()[0])
    assert first["dev_accuracy"] > 0.5


@pytest.mark.parametrize("start", ["nowhere", "."])
def test_a_start_that_is_no_run(tmp_path: Path, start: str) -> None:
    command = ["--dataset", "manifest", "--root", str(manifest(tmp_path)), "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(train_command, [*command, "--start", str(tmp_path / start)])
    assert isinstance(done.exception, UsageError)
    assert ("no config.json" if start == "." else "no model and no run") in str(done.exception)
    assert not (tmp_path / "run").exists()


def test_ears_of_the_known_model_stay_where_the_corpus_brings_their_sound() -> None:
    known = ModelConfig(text=None, pose=None, audio=WhisperEncoder())
    heard = ModelConfig(text=None, pose=None, audio=VectorEncoder(features=80, tokens=300), classes=("a", "b"))
    assert inherit(known, heard).audio == known.audio
    other = ModelConfig(text=None, pose=None, audio=VectorEncoder(features=100))
    assert inherit(known, other).audio == other.audio
