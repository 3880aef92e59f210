"""Rows against labels, where the right figures are known."""

from pathlib import Path
from typing import Any

import pytest

from emoje_edge.corpus.agreement import Labels, agree
from emoje_edge.corpus.ledger import Part
from emoje_edge.errors import UsageError

CLASSES = ("anger", "joy", "neutral")


def row(start: float, end: float, *shares: float) -> dict[str, Any]:
    if not shares:
        return {"start": start, "end": end, "emotion": None, "probabilities": {}}
    best = CLASSES[max(range(3), key=shares.__getitem__)]
    return {"start": start, "end": end, "emotion": best, "probabilities": dict(zip(CLASSES, shares, strict=True))}


def labels(tmp_path: Path, text: str) -> Labels:
    file = tmp_path / "labels.csv"
    file.write_text(text, encoding="utf-8")
    return Labels.read(file, CLASSES)


def test_a_recording_is_answered_by_all_its_rows_weighted_by_length(tmp_path: Path) -> None:
    # one second says joy .9, three say anger .6: (.9 + 3 * .1) / 4 joy against (.05 + 3 * .6) / 4 anger
    parts = [Part("a.wav", 4.0, [row(0, 1, 0.05, 0.9, 0.05), row(1, 4, 0.6, 0.1, 0.3)])]
    found = agree(parts, labels(tmp_path, "path,label\na.wav,Anger\n"))
    assert found.scores.accuracy == 1.0
    assert found.unanswered == 0


def test_a_stretch_takes_the_rows_that_overlap_it(tmp_path: Path) -> None:
    parts = [Part("a.wav", 4.0, [row(0, 1, 0.05, 0.9, 0.05), row(1, 4, 0.6, 0.1, 0.3)])]
    given = "path,label,start,end\na.wav,joy,0,1\na.wav,anger,1,4\na.wav,neutral,9,10\n"
    found = agree(parts, labels(tmp_path, given))
    assert (found.stretches, found.unanswered, found.scores.accuracy) == (3, 1, 1.0)
    assert found.scores.confusion == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_silence_is_no_answer(tmp_path: Path) -> None:
    parts = [Part("a.wav", 1.0, [row(0, 1)]), Part("b.wav", 1.0, [row(0, 1, 0.1, 0.8, 0.1)])]
    found = agree(parts, labels(tmp_path, "path,label\na.wav,joy\nb.wav,joy\n"))
    assert (found.stretches, found.unanswered) == (2, 1)
    with pytest.raises(UsageError, match="none of"):
        agree(parts[:1], labels(tmp_path, "path,label\na.wav,joy\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,emotion\na.wav,joy\n", "lacks the column label"),
        ("path,label\na.wav,happy\n", "line 2: no label 'happy'"),
        ("path,label,start,end\na.wav,joy,one,2\n", "line 2: could not convert"),
        ("path,label,start,end\na.wav,joy,3,2\n", "end 2 is not after start 3"),
        ('path,label\n"a.wav,joy\nb.wav,joy\n', "cannot be read"),
    ],
)
def test_bad_labels_name_the_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        labels(tmp_path, text)
