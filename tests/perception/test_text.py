import numpy as np
import pytest

from emoje_edge.errors import WorkError
from emoje_edge.perception.text import Tokenizer
from emoje_edge.shapes import TOKENS
from emoje_edge.shipped import TOKENIZER


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer(TOKENIZER)


def test_words_become_ids(tokenizer):
    ids = tokenizer.encode("Oh my God, I can't believe it!")
    assert ids.dtype == np.int64
    assert 5 <= ids.size <= 16
    assert ids.min() >= 0
    assert ids.max() < tokenizer.size
    assert not np.array_equal(ids, tokenizer.encode("That is fine."))


def test_a_long_utterance_loses_grammar_first(tokenizer):
    said = "I am not happy because you never listen to me"
    long = tokenizer.encode(f"{said} {'and then at the of it ' * 20} I hate you")
    assert long.size <= TOKENS
    for word in ("not", "happy", "never", "hate", "you"):
        assert tokenizer.encode(word)[0] in long


def test_an_utterance_of_nothing_but_feeling_keeps_its_beginning_and_end(tokenizer):
    long = tokenizer.encode(f"happy {'sad ' * 60} angry")
    assert long.size == TOKENS
    assert long[0] == tokenizer.encode("happy")[0]
    assert long[-1] == tokenizer.encode("angry")[-1]


def test_a_shorter_encoder_gets_fewer_tokens():
    assert Tokenizer(TOKENIZER, length=8).encode("happy sad angry " * 20).size == 8


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_words_no_ids(tokenizer, text):
    assert tokenizer.encode(text).shape == (0,)


@pytest.mark.parametrize("text", ["é ü 漢字 🙂", "\x00\ufffd", "a" * 100_000])
def test_any_text_is_taken(tokenizer, text):
    assert tokenizer.encode(text).size <= TOKENS


@pytest.mark.parametrize("content", [None, "", "{}", "not json"])
def test_damaged_file(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(WorkError, match=r"tokenizer\.json cannot be read"):
        Tokenizer(path)
