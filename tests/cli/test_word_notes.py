from types import SimpleNamespace

import pytest

from emoje_edge.cli.word_notes import WordNotes
from emoje_edge.modality import Mask, Modality
from emoje_edge.perception.transcribe import Words

ENGLISH, GERMAN = Words("Hi.", -0.1, 0.0, 1.0), Words("Hallo.", -0.1, 0.0, 1.0, "de", 0.98)
UNSURE = Words("gar stun", -2.0, 0.3, 1.0)


def _said(*utterances: SimpleNamespace, mask: str = "all", off: bool = False) -> list[str]:
    said: list[str] = []
    notes = WordNotes(said.append, SimpleNamespace(mask=Mask.parse(mask), words_off=off))
    for utterance in utterances:
        notes.observe(utterance)
    return said


def _spoken(words: Words | None, *, judged: bool = True, spoken: bool = True) -> SimpleNamespace:
    text = words.text if words and words.sure else None
    features = {Modality.TEXT: 1} if text and judged else {}
    return SimpleNamespace(spoken=spoken, text=text, text_from="recognised", words=words, features=features)


@pytest.mark.parametrize("off", [True, False])
def test_speech_without_words_is_said_once(off):
    (line,) = _said(_spoken(None), _spoken(None), off=off)
    assert ("--words is off" if off else "ctranslate2 is not installed") in line


def test_three_unsure_utterances_and_none_else():
    assert len(_said(*[_spoken(UNSURE)] * 5)) == 1
    assert _said(*[_spoken(UNSURE)] * 2) == []
    assert _said(_spoken(ENGLISH), *[_spoken(UNSURE)] * 5) == []


def test_another_language_is_named():
    (line,) = _said(*[_spoken(GERMAN, judged=False)] * 3)
    assert "'de'" in line


def test_nothing_to_say():
    assert _said(_spoken(ENGLISH)) == []
    assert _said(_spoken(None, spoken=False)) == []
    assert _said(_spoken(None), mask="audio,pose") == []
