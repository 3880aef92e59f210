"""SRT and WebVTT with the times that people's programs write."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from emoje_edge.errors import WorkError
from emoje_edge.perception.cues import read_cues


def told(tmp_path: Path, text: str, name: str = "a.srt") -> list[tuple[float, float, str | None]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [(cue.start, cue.end, cue.text) for cue in read_cues(path)]


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ("00:00:01,500 --> 00:00:02,250", 1.5, 2.25),
        ("0:0:1,5 --> 0:0:2,25", 1.5, 2.25),
        ("00:00:01.500-->00:00:02.250", 1.5, 2.25),
        ("00:00:01:500 -> 00:00:02:250", 1.5, 2.25),
        ("00:01,500 --> 00:02,250", 1.5, 2.25),
        ("01:00:01 --> 01:00:03", 3601.0, 3603.0),
        ("100:00:01,500 --> 123:00:00,000", 360_001.5, 442_800.0),
        ("  00:00:01,500 --> 00:00:02,250  X1:100 X2:200", 1.5, 2.25),
        ("00: 00: 01, 500 --> 00: 00: 02, 250", 1.5, 2.25),
        ("-00:00:01,000 --> 00:00:02,250", 0.0, 2.25),
        ("00:00:01,500 –> 00:00:02,250", 1.5, 2.25),
        ("00:00:01,500 —> 00:00:02,250", 1.5, 2.25),
        ("00:00:01,500 → 00:00:02,250", 1.5, 2.25),
        ("00:00:01,500 ==> 00:00:02,250", 1.5, 2.25),
        ("00:00:01,500 --&gt; 00:00:02,250", 1.5, 2.25),
        ("00:00:01,500 - 00:00:02,250", 1.5, 2.25),
        ("0:00:01.500,0:00:02.250", 1.5, 2.25),
        ("00:00:01.50,00:00:02.25", 1.5, 2.25),
        ("00:00:01.500000 --> 00:00:02.250000", 1.5, 2.25),
        ("00:00:01'500 --> 00:00:02'250", 1.5, 2.25),
        ("00:00:01:05 --> 00:00:02:20", 1.2, 2.8),
        ("00:00:01;05 --> 00:00:02;20", 1.2, 2.8),
        ("[00:00:01.500 --> 00:00:02.250]", 1.5, 2.25),
        ("00:00:01.500 --> 00:00:02.250 align:left position:10%,line-left line:0", 1.5, 2.25),
    ],
)
def test_ranges(tmp_path: Path, times: str, start: float, end: float) -> None:
    assert told(tmp_path, f"1\n{times}\nHello there\n") == [(start, end, "Hello there")]


def test_hours_over_99_stay_in_order(tmp_path: Path) -> None:
    cues = told(tmp_path, "1\n99:59:59,000 --> 99:59:59,900\nBefore\n\n2\n100:00:00,500 --> 100:00:01,000\nAfter\n")
    assert [cue[2] for cue in cues] == ["Before", "After"]


def test_what_is_over_before_the_beginning_is_not_said(tmp_path: Path) -> None:
    text = "1\n-00:00:02,000 --> -00:00:01,000\nOver\n\n2\n-00:00:01,000 --> 00:00:00,000\nJust over\n\n"
    assert told(tmp_path, text + "3\n-00:00:01,000 --> 00:00:01,000\nGoes on\n") == [(0.0, 1.0, "Goes on")]


@pytest.mark.parametrize(
    "words",
    [
        "There are\n7",
        "7",
        "I was born in\n1984",
        "A line\n\nand one after an empty line",
        "He went --> there",
        "10:30 is late",
    ],
)
def test_words_that_look_like_numbers_and_times_are_words(tmp_path: Path, words: str) -> None:
    text = "".join(f"{i}\n00:00:0{i},000 --> 00:00:0{i},900\n{words}\n\n" for i in (1, 2))
    said = " ".join(words.split())
    assert [cue[2] for cue in told(tmp_path, text)] == [said, said]


def test_numbers_of_cues_are_not_words_without_empty_lines_between(tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:02,000 --> 00:00:03,000\nTwo\n"
    assert [cue[2] for cue in told(tmp_path, text)] == ["One", "Two"]


@pytest.mark.parametrize("head", ["WEBVTT", "webvtt", "\n\nWEBVTT", "  WEBVTT - by hand", "\ufeffWEBVTT"])
@pytest.mark.parametrize("name", ["a.vtt", "a.srt"])
def test_webvtt_is_told_by_its_first_words(tmp_path: Path, head: str, name: str) -> None:
    notes = "NOTE no word\n\nfirst", "NOTE\nnor this\n\n2"
    text = f"{head}\n\n{notes[0]}\n00:01.000 --> 00:02.000\nHello\n\n{notes[1]}\n00:03.000 --> 00:04.000\nYou\n"
    assert told(tmp_path, text, name) == [(1.0, 2.0, "Hello"), (3.0, 4.0, "You")]


def test_webvtt_without_a_cue_has_none(tmp_path: Path) -> None:
    assert told(tmp_path, "WEBVTT\n\nNOTE nothing yet\n", "a.vtt") == []


@pytest.mark.parametrize("arrow", ["–>", "->", "→", ","])
def test_an_odd_arrow_among_others_swallows_no_cue(tmp_path: Path, arrow: str) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\nOne\n\n2\n00:00:03,000 {arrow} 00:00:04,000\nTwo\n"
    assert told(tmp_path, text) == [(1.0, 2.0, "One"), (3.0, 4.0, "Two")]


def test_words_on_the_line_of_their_times_are_words(tmp_path: Path) -> None:
    """As Whisper prints them, and others."""
    text = "[00:00:01.000 --> 00:00:02.000]  Hello there\n[00:00:03.000 --> 00:00:04.000]  You: too\n"
    assert told(tmp_path, text, "a.txt") == [(1.0, 2.0, "Hello there"), (3.0, 4.0, "You: too")]
    assert told(tmp_path, text.replace("[", "").replace("]", "")) == [(1.0, 2.0, "Hello there"), (3.0, 4.0, "You: too")]


@pytest.mark.parametrize("seam", ["\ufeff", "\u200b\ufeff"])
def test_a_mark_within_joined_files_is_no_word(tmp_path: Path, seam: str) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\nOne\n\n{seam}1\n00:00:03,000 --> 00:00:04,000\nTwo\n"
    assert told(tmp_path, text) == [(1.0, 2.0, "One"), (3.0, 4.0, "Two")]


def test_the_language_in_the_head_of_webvtt_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cue = "00:01.000 --> 00:02.000\nHallo\n"
    with caplog.at_level(logging.WARNING):
        told(tmp_path, f"WEBVTT\nKind: captions\nLanguage: en-GB\n\n{cue}", "a.vtt")
        assert not caplog.records
        told(tmp_path, f"WEBVTT\nKind: captions\nLanguage: de\n\n{cue}", "a.vtt")
    assert "in 'de'" in caplog.text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{1}{1}25\n{25}{50}Hello|you\n", "MicroDVD"),
        ("[10][20]Hello|you\n", "MPL2"),
        ("[ti:A song]\n[00:01.00]Hello\n", "LRC"),
        ("<SAMI><BODY><SYNC Start=1000><P>Hello</BODY></SAMI>", "SAMI"),
        ('<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml"><body/></tt>', "TTML"),
        ('<?xml version="1.0"?><timedtext format="3"/>', "XML captions"),
        ("Scenarist_SCC V1.0\n\n00:00:01:00\t9420 9420\n", "Scenarist"),
    ],
)
def test_another_kind_of_subtitles_is_called_by_its_name(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(WorkError, match=name) as caught:
        told(tmp_path, text, "a.txt")
    assert "SRT" in caught.value.message


@pytest.mark.parametrize("tags", [1, 2, 3])
def test_inline_times_are_no_range(tmp_path: Path, tags: int) -> None:
    inline = "".join(f"<00:00:01.{i}00><c> word{i}</c>" for i in range(1, tags + 1))
    words = " ".join(["The", *(f"word{i}" for i in range(1, tags + 1))])
    assert told(tmp_path, f"WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nThe{inline}\n", "a.vtt") == [(1.0, 3.0, words)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1\n00:00:xx,000 --> 00:00:02,000\nHi\n", 2),
        ("1\n00:00:01,000 -->\nHi\n", 2),
        ("1\n00:01 --> 00:02\nHi\n", 2),
        ("Hello\nworld", 2),
        ("1\n00:00:01,500 --> 00:00:011,400 Hi\n", 2),
    ],
)
def test_a_range_that_is_none_is_an_error(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(WorkError, match=rf"a\.srt, line {line}: "):
        told(tmp_path, text)
