"""The golden sentences notice a broken product: rotated logits, swapped labels, a shuffled tokenizer.

Each is done to a copy of what ships, and more than half of the sentences that are right must turn wrong.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emoje_edge import Mask, Recognizer
from emoje_edge.engine.family import family
from emoje_edge.engine.session import find_engine
from emoje_edge.engine.weights import copy
from emoje_edge.perception.text import Tokenizer
from emoje_edge.shipped import TOKENIZER
from tests.golden.sentences import SENTENCES

RIGHT = [(line, e) for e, lines in SENTENCES.items() for line in lines]


def share_right(recognizer: Recognizer) -> float:
    return float(np.mean([recognizer.recognize(text=line).emotion == emotion for line, emotion in RIGHT]))


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    folder = find_engine(Mask.parse("text"), "onnx")
    assert folder is not None
    copy([folder], tmp_path)
    return tmp_path / "text"


@pytest.mark.parametrize("model", family())
def test_what_ships_is_right(model: str) -> None:
    with Recognizer("text", model=model) as recognizer:
        assert share_right(recognizer) == 1.0


def test_rotated_logits_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Recognizer("text") as recognizer:
        session = recognizer._pool.session(Mask.parse("text"))
        run = session.run
        monkeypatch.setattr(session, "run", lambda x: {**(out := run(x)), "logits": np.roll(out["logits"], 1, 1)})
        assert share_right(recognizer) < 0.5


def test_swapped_labels_are_noticed(engine: Path) -> None:
    path = engine / "manifest.json"
    raw = json.loads(path.read_text())
    raw["labels"] = [*raw["labels"][1:], raw["labels"][0]]
    path.write_text(json.dumps(raw))
    with Recognizer("text", engine_dir=engine) as recognizer:
        assert share_right(recognizer) < 0.5


def test_a_shuffled_tokenizer_is_noticed(tmp_path: Path) -> None:
    raw = json.loads(TOKENIZER.read_text(encoding="utf-8"))
    vocabulary = raw["model"]["vocab"]
    if isinstance(vocabulary, dict):
        ids = np.random.default_rng(0).permutation(list(vocabulary.values()))
        raw["model"]["vocab"] = dict(zip(vocabulary, ids.tolist(), strict=True))
    else:  # unigram: a list of [piece, score], the place is the id
        order = np.random.default_rng(0).permutation(len(vocabulary))
        raw["model"]["vocab"] = [[vocabulary[i][0], vocabulary[k][1]] for k, i in enumerate(order)]
    (tmp_path / "tokenizer.json").write_text(json.dumps(raw), encoding="utf-8")
    shuffled = Tokenizer(tmp_path / "tokenizer.json")
    with Recognizer("text") as recognizer:
        recognizer._tokens = shuffled
        assert share_right(recognizer) < 0.5
