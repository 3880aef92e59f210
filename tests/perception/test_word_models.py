import json
import shutil
from pathlib import Path

import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.word_models import add, home, models, remove, resolve
from emoje_edge.shipped import WHISPER

pytest.importorskip("ctranslate2")


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOJE_MODELS", str(tmp_path / "models"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A model from elsewhere, without digests."""
    copy = tmp_path / "another"
    shutil.copytree(WHISPER, copy)
    (copy / "digests.json").unlink()
    return copy


def test_the_shipped_model_is_always_there():
    (only,) = models()
    assert (only.name, only.folder) == ("tiny.en", WHISPER)
    assert resolve("tiny.en") == WHISPER
    assert only.digest == json.loads((WHISPER / "digests.json").read_text())["model.bin"]


def test_a_model_is_added_used_and_removed(folder):
    added = add(folder, "mine")
    assert added.digest == models()[0].digest
    assert resolve("mine") == home() / "mine" == added.folder
    assert [model.name for model in models()] == ["tiny.en", "mine"]
    with pytest.raises(UsageError, match="already"):
        add(folder, "mine")
    remove("mine")
    assert [model.name for model in models()] == ["tiny.en"]
    assert folder.is_dir()


def test_an_altered_model_is_refused(folder):
    added = add(folder, "mine")
    with (added.folder / "model.bin").open("r+b") as file:
        file.seek(5000)
        file.write(b"changed")
    with pytest.raises(WorkError, match=r"model\.bin is not the file that was added"):
        resolve("mine")


def test_a_half_copied_model_is_not_added(folder):
    data = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(data[: len(data) // 2])
    with pytest.raises(WorkError, match="cannot be opened"):
        add(folder)
    assert [model.name for model in models()] == ["tiny.en"]


@pytest.mark.parametrize("name", ["auto", "off", "tiny.en", "../up", ".hidden", "a b"])
def test_names_that_cannot_be(folder, name):
    with pytest.raises(UsageError, match="cannot be called"):
        add(folder, name)


@pytest.mark.parametrize("name", ["tiny.en", "nothing", "../models"])
def test_what_cannot_be_removed(name):
    with pytest.raises(UsageError, match="no added model"):
        remove(name)
    assert WHISPER.is_dir()


def test_neither_name_nor_folder(tmp_path):
    with pytest.raises(UsageError, match=r"known: tiny\.en"):
        resolve("large")
    with pytest.raises(UsageError, match=r"no model\.bin"):
        resolve(tmp_path)
