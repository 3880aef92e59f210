"""Our reader of tokenizer files against the library's, whose ids the engines were trained on."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library

from emoje_edge.errors import WorkError
from emoje_edge.perception.text import Tokenizer
from emoje_edge.perception.whisper_tokens import WhisperTokens
from emoje_edge.perception.wordpiece import UnknownKindError, WordPiece
from emoje_edge.shipped import TOKENIZER, WHISPER

MELD = Path(__file__).parents[3] / "shared" / "data" / "meld" / "dev_sent_emo.csv"
OURS, THEIRS = WordPiece(TOKENIZER.read_text(encoding="utf-8")), Library.from_file(str(TOKENIZER))
HEARD, SPOKEN = WhisperTokens(WHISPER / "tokenizer.json"), Library.from_file(str(WHISPER / "tokenizer.json"))
# letters of living scripts, marks, figures, punctuation and emoji; code points younger than a table's Unicode differ
LETTERS = st.one_of(
    st.characters(max_codepoint=0x52F, exclude_categories=("Cs", "Cn")),
    st.sampled_from("漢字かなабвאבγα।हि️‍🙂😡👍🏽…’“”–—?!.,:;)([]@#€½ﬁＡ "),
)


@pytest.mark.skipif(not MELD.is_file(), reason="the training data are not beside the checkout")
def test_real_lines_get_the_same_ids_and_pieces() -> None:
    with MELD.open(encoding="utf-8", errors="replace") as file:
        lines = [row["Utterance"] for row in csv.DictReader(file)]
    assert len(lines) > 1000
    for line in lines:
        theirs = THEIRS.encode(line)
        assert (OURS.ids(line), OURS.tokens(line)) == (theirs.ids, theirs.tokens)


@settings(max_examples=300, deadline=None)
@given(st.text(LETTERS, max_size=40))
def test_any_text_gets_the_same_ids(text: str) -> None:
    assert OURS.ids(text) == THEIRS.encode(text).ids


def test_size_and_single_pieces() -> None:
    assert OURS.size == THEIRS.get_vocab_size()
    assert OURS.id_of("happy") == THEIRS.token_to_id("happy")
    assert OURS.id_of("nosuchpiece") is None


def test_other_kinds_are_named_and_read_by_the_library(tmp_path: Path) -> None:
    raw = json.loads(TOKENIZER.read_text(encoding="utf-8"))
    raw["pre_tokenizer"] = {"type": "BertPreTokenizer"}
    with pytest.raises(UnknownKindError, match="pre-tokenizer BertPreTokenizer"):
        WordPiece(json.dumps(raw))
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(raw))
    assert Tokenizer(path).encode("I am happy.").tolist() == Tokenizer(TOKENIZER).encode("I am happy.").tolist()


def test_without_the_library_another_kind_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = json.loads(TOKENIZER.read_text(encoding="utf-8"))
    raw["normalizer"] = {"type": "Nmt"}
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(raw))
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(WorkError, match=r"tokenizer\.json cannot be read") as caught:
        Tokenizer(path)
    assert "train" in caught.value.hint


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_whispers_tokens_become_the_text_that_they_were_made_of(text: str) -> None:
    ordinary = [i for i in SPOKEN.encode(text, add_special_tokens=False).ids if i < 50256]
    assert HEARD.decode(ordinary) == SPOKEN.decode(ordinary)
