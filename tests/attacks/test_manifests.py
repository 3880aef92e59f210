"""Tables of people's own data: quotation marks, letters, encodings; every row is there with its label, or an error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.training.datasets import csv_manifest
from emoje_edge.training.datasets.options import Options

HEAD = "path,start,end,dialogue,speaker,text,label\n"


def rows(tmp_path: Path, *texts_and_labels: str, encoding: str = "utf-8") -> list[tuple[str | None, str]]:
    lines = "".join(f",,,d1,A,{row}\n" for row in texts_and_labels)
    (tmp_path / "mine.csv").write_bytes((HEAD + lines).encode(encoding))
    corpus = csv_manifest.load(tmp_path, Options())
    return [(sample.text, corpus.classes[sample.label]) for sample in corpus.samples]


@pytest.mark.parametrize(
    "swallowing",
    [
        ('"Stop that,anger', "Fine,neutral", 'He said "go",joy'),
        ('"Stop that,anger', "Fine,neutral"),
        ("Fine,neutral", '"Stop that,anger'),
        ('"Stop that,anger', 'Fine",neutral'),
        ('"Stop "that" now",anger', "Fine,neutral"),
    ],
)
def test_an_open_quotation_mark_swallows_no_row(tmp_path: Path, swallowing: tuple[str, ...]) -> None:
    first = next(i for i, row in enumerate(swallowing) if row.startswith('"')) + 2
    with pytest.raises(UsageError, match=rf"mine\.csv row {first}: a quotation mark that is not closed"):
        rows(tmp_path, *swallowing)


def test_quotation_marks_within_and_around_a_text_are_read(tmp_path: Path) -> None:
    given = ('"Stop, ""that""",anger', 'He said "go",joy', '"Two\nlines, really",neutral', "It's,fear")
    assert rows(tmp_path, *given) == [
        ('Stop, "that"', "anger"),
        ('He said "go"', "joy"),
        ("Two\nlines, really", "neutral"),
        ("It's", "fear"),
    ]


def test_labels_in_other_letters_are_the_same_emotion(tmp_path: Path) -> None:
    assert rows(tmp_path, "a,Joy", "b,joy", "c,JOY", "d,Sadness") == [
        ("a", "joy"),
        ("b", "joy"),
        ("c", "joy"),
        ("d", "sadness"),
    ]
    assert csv_manifest.load(tmp_path, Options()).classes == EMOTIONS


def test_other_labels_give_up_the_seven_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert rows(tmp_path, "a,Happy", "b,happy", "c,Calm") == [("a", "happy"), ("b", "happy"), ("c", "Calm")]
        assert not caplog.records
        rows(tmp_path, "a,joy", "b,happy")
    assert "labels beside the seven emotions (happy)" in caplog.text


def test_another_encoding_does_not_become_mojibake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = rows(tmp_path, "Почему ты опять опоздал?,anger", "Прости меня,sadness", encoding="cp1251")
    assert found == [("Почему ты опять опоздал?", "anger"), ("Прости меня", "sadness")]
    assert "mine.csv is not UTF-8" in caplog.text


@pytest.mark.parametrize("label", [" joy ", "joy\u00a0", "\u200bjoy", "\ufeffJoy", "Joy."])
def test_what_nobody_sees_makes_no_other_class(tmp_path: Path, label: str) -> None:
    assert rows(tmp_path, f"a,{label}", "b,anger") == [("a", "joy"), ("b", "anger")]


@pytest.mark.parametrize("nothing", ["nan", "NaN", "null", "N/A", "<NA>", " "])
def test_a_program_s_word_for_nothing_is_no_class_and_no_speech(tmp_path: Path, nothing: str) -> None:
    (tmp_path / "mine.csv").write_text(f"{HEAD},,,d1,A,Fine,{nothing}\n,,,d1,A,Stop,anger\n")
    corpus = csv_manifest.load(tmp_path, Options())
    assert [sample.label for sample in corpus.samples] == [-1, EMOTIONS.index("anger")]
    (tmp_path / "mine.csv").write_text(f"{HEAD},,,d1,A,{nothing},joy\n")
    with pytest.raises(UsageError, match="neither a clip"):
        csv_manifest.load(tmp_path, Options())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(",", ";"),
        lambda text: "sep=;\n" + text.replace(",", ";"),
        lambda text: '"sep=,"\r\n' + text,
        lambda text: "\n\n" + text,
        lambda text: text.replace("text,label", "Text,Label").replace("path", "PATH"),
        lambda text: text.replace("path", "\u200bpath"),
    ],
)
def test_tables_as_programs_write_them(tmp_path: Path, change: Callable[[str], str]) -> None:
    (tmp_path / "mine.csv").write_text(change(f"{HEAD},,,d1,A,Fine,joy\n,,,d1,B,Stop,anger\n"))
    corpus = csv_manifest.load(tmp_path, Options())
    assert [(s.speaker, s.text, corpus.classes[s.label]) for s in corpus.samples] == [
        ("A", "Fine", "joy"),
        ("B", "Stop", "anger"),
    ]


def test_a_column_that_is_there_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(HEAD.replace("label", "label,label") + ",,,d1,A,Fine,joy,anger\n")
    with pytest.raises(UsageError, match="'label' is there twice"):
        csv_manifest.load(tmp_path, Options())
