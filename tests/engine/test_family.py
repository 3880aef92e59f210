"""Models by name: which there are, whose engines are opened, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emoje_edge.engine.family import built_here, choose, family, is_name
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask
from emoje_edge.shipped import engines_of

WORDS_AND_BODY = Mask.parse("text,pose")


@pytest.fixture
def home(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's engine folder with a model of their own, `mine`."""
    shutil.copytree(built / "small", tmp_path / "mine")
    monkeypatch.setenv("EMOJE_ENGINES", str(tmp_path))
    return tmp_path


def test_what_ships_begins_with_the_default() -> None:
    assert family()[0] == "small"
    assert choose(None) == choose("small") == "small"


def test_a_model_of_ones_own_is_opened_by_its_name_alone(home: Path) -> None:
    assert built_here() == ("mine",)
    folder = find_engine(WORDS_AND_BODY, "onnx", model="mine")
    assert folder is not None
    assert folder.is_relative_to(home / "mine")
    # without a name, what ships: an answer is never another model's
    default = find_engine(WORDS_AND_BODY, "onnx")
    assert default == engines_of("small") / WORDS_AND_BODY.folder
    assert open_engine(WORDS_AND_BODY, model="mine").manifest.weights_sha256 != read_manifest(default).weights_sha256


def test_an_unknown_model_names_those_there_are(home: Path) -> None:
    with pytest.raises(UsageError, match="unknown model 'smal'") as caught:
        open_engine(WORDS_AND_BODY, model="smal")
    assert "did you mean 'small'" in caught.value.hint
    assert "built here: mine" in caught.value.hint


def test_a_name_beside_a_folder_is_refused(built: Path) -> None:
    with pytest.raises(UsageError, match="the model 'small' and the engines of"):
        open_engine(WORDS_AND_BODY, model="small", engine_dir=built)


def test_a_folder_with_engines_of_two_models_asks_which(home: Path) -> None:
    shutil.copytree(home / "mine", home / "yours")
    with pytest.raises(UsageError, match="holds engines of mine and yours") as caught:
        open_engine(WORDS_AND_BODY, engine_dir=home)
    assert str(home / "mine") in caught.value.hint
    assert open_engine(WORDS_AND_BODY, engine_dir=home / "yours").mask == WORDS_AND_BODY


def test_a_path_is_no_name(home: Path) -> None:
    assert is_name("small")
    assert is_name("mine")
    assert not is_name("./small")
    assert not is_name(home / "mine")
