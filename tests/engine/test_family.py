"""Models by name: which there are, whose engines are opened, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from emoje_edge.calibration_data.calibration_inputs import open_set
from emoje_edge.engine.build import Plan, build_engine
from emoje_edge.engine.family import built_here, choose, family, is_name
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.engine.pool import EnginePool
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.engine.weights import copy
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import AmEmoje
from emoje_edge.perception.text import Tokenizer
from emoje_edge.recognizer import Recognizer
from emoje_edge.shipped import TOKENIZER, engines_of

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


def test_an_engine_reads_words_with_its_own_tokenizer(plan: Plan, built: Path, tmp_path: Path) -> None:
    words = json.loads(TOKENIZER.read_text(encoding="utf-8"))
    ids = words["model"]["vocab"]
    ids["happy"], ids["angry"] = ids["angry"], ids["happy"]
    own = tmp_path / "tokenizer.json"
    own.write_text(json.dumps(words), encoding="utf-8")
    folder = build_engine(replace(plan, tokenizer=own, out=tmp_path / "engines"), WORDS_AND_BODY).folder
    path, length, digest = EnginePool(WORDS_AND_BODY, engine_dir=tmp_path / "engines").reads(WORDS_AND_BODY)
    assert path == folder / "tokenizer.json"
    swapped = Tokenizer(path, length=length, sha256=digest).encode("happy")
    assert swapped.tolist() == Tokenizer(TOKENIZER).encode("angry").tolist()
    assert swapped.tolist() != Tokenizer(TOKENIZER).encode("happy").tolist()
    # the device's copy has it, too
    copy([folder], tmp_path / "device")
    assert (tmp_path / "device" / WORDS_AND_BODY.folder / "tokenizer.json").read_bytes() == own.read_bytes()
    # engines of the package's words carry none
    assert not list(built.rglob("tokenizer.json"))


def test_words_of_another_tokenizer_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "tokenizer.json"
    other.write_bytes(TOKENIZER.read_bytes() + b"\n")
    digest = hashlib.sha256(TOKENIZER.read_bytes()).hexdigest()
    with pytest.raises(WorkError, match="with another tokenizer than"):
        Tokenizer(other, sha256=digest)
    assert read_manifest(engines_of() / "text").tokenizer == digest
    assert read_manifest(engines_of() / "pose").tokenizer is None


def test_text_is_as_long_as_the_engine_takes_it(plan: Plan, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = replace(plan.network.config, text=replace(plan.network.config.text, tokens=40))
    longer = replace(plan, network=AmEmoje(config).eval(), spec=None, precision="fp32", out=tmp_path)
    longer = replace(longer, data=open_set(None, config, None, 8))
    build_engine(longer, WORDS_AND_BODY)
    with Recognizer("text,pose", engine_dir=tmp_path, words="off") as recognizer:
        assert recognizer.model == "small"
        ids, _ = recognizer._features(Modality.TEXT, "Well then, " * 30)  # type: ignore[misc]
        assert len(ids) == 40
        event = recognizer.recognize(text="Well then, " * 30)
    assert event.model == "small"
    assert event.modalities == ("text",)
