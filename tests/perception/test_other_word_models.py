"""Whisper models other than the shipped one, made from its numbers: in floats, half of it, with a file exchanged."""

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.media import AudioBlock, decode
from emoje_edge.perception.transcribe import Transcriber
from emoje_edge.perception.word_models import add, resolve
from emoje_edge.shipped import WHISPER

from .conftest import SPEECH

pytest.importorskip("ctranslate2")
assets = pytest.importorskip("research.words.assets")
SENTENCE = "They were lying on the kitchen table."


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    blocks = [b.samples for b in decode(SPEECH / "two_turns.flac") if isinstance(b, AudioBlock)]
    return np.concatenate(blocks)[int(3.2 * 16000) :]


def _text(value: str) -> bytes:
    return struct.pack("H", len(value) + 1) + value.encode() + b"\0"


def _write(path: Path, variables: dict[str, np.ndarray]) -> None:
    """A model in CTranslate2's binary version 6, as `ModelSpec.save` writes it."""
    with path.open("wb") as file:
        file.write(struct.pack("I", 6) + _text("WhisperSpec") + struct.pack("II", 3, len(variables)))
        for name, value in variables.items():
            kind = [np.float32, np.int8, np.int16, np.int32, np.float16].index(value.dtype.type)
            file.write(_text(name) + struct.pack("B", value.ndim))
            file.write(struct.pack(f"{value.ndim}I", *value.shape) + struct.pack("=BI", kind, value.nbytes))
            file.write(value.tobytes())
        file.write(struct.pack("I", 0))


def _variables() -> dict[str, np.ndarray]:
    with (WHISPER / "model.bin").open("rb") as file:
        variables = {name: np.asarray(value) for name, value in assets.read_variables(file).items()}
    # one matrix twice; the file tells so of its numbers only
    return variables | {"decoder/projection/weight_scale": variables["decoder/embeddings/weight_scale"]}


def _copy(folder: Path) -> Path:
    shutil.copytree(WHISPER, folder)
    (folder / "digests.json").unlink()
    return folder


def test_a_model_in_floats_is_opened_and_says_the_same(tmp_path, sound):
    folder, variables = _copy(tmp_path / "floats"), _variables()
    scales = {name: variables.pop(name) for name in list(variables) if name.endswith("weight_scale")}
    for name, scale in scales.items():
        weight = name.removesuffix("_scale")
        variables[weight] = (variables[weight] / scale.reshape(-1, *[1] * (variables[weight].ndim - 1))).astype(
            np.float16
        )
    _write(folder / "model.bin", variables)
    assert (folder / "model.bin").stat().st_size > 1.8 * (WHISPER / "model.bin").stat().st_size
    assert Transcriber(folder).transcribe(sound).text == SENTENCE


def test_a_language_that_no_model_knows():
    model = Transcriber()
    model.multilingual = True  # none ships; its tokenizer names the languages all the same
    assert model._checked(" DE ") == "de"
    with pytest.raises(UsageError, match=r"--language xx: unknown to whisper-tiny\.en"):
        model._checked("xx")


def test_a_half_copied_model_without_digests(tmp_path):
    folder = _copy(tmp_path / "half")
    data = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(data[: len(data) // 2])
    with pytest.raises(WorkError, match="cannot be opened"):
        Transcriber(folder)


def test_an_added_model_whose_tokenizer_was_exchanged(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOJE_MODELS", str(tmp_path / "models"))
    added = add(_copy(tmp_path / "mine"))
    (added.folder / "tokenizer.json").write_text("{}")
    with pytest.raises(WorkError, match=r"tokenizer\.json is not the file that was added"):
        resolve("mine")
