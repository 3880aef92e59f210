"""Captions that roll or grow: each line is said once, from when it first showed to when it last did."""

from __future__ import annotations

from emoje_edge.perception.cues.raw_cue import RawCue
from emoje_edge.perception.cues.read import utterances
from emoje_edge.perception.cues.rolling import merge_rolling_captions

LINES = ["where have you been", "all this long night", "we were so worried", "about you my dear", "never do that again"]


def rolled(lines: list[str], step: float = 2.0) -> list[RawCue]:
    """As the largest video site writes them: the line before above each, and 10 ms of it alone between."""
    cues = []
    for i, line in enumerate(lines):
        start = i * step
        before = lines[i - 1] if i else " "
        cues.append(RawCue(start + 0.01 if i else start, start + step, "", f"{before}\n{line}"))
        cues.append(RawCue(start + step, start + step + 0.01, "", f"{line}\n "))
    return cues


def said(cues: list[RawCue]) -> list[tuple[float, str | None]]:
    return [(round(cue.start, 1), cue.text) for cue in utterances(cues)]


def test_each_line_is_said_once_when_it_first_showed() -> None:
    assert said(rolled(LINES)) == [(2.0 * i, line) for i, line in enumerate(LINES)]
    assert all(cue.end - cue.start > 1.9 for cue in utterances(rolled(LINES)))


def test_captions_that_grow_word_by_word_are_one() -> None:
    words = LINES[0].split()
    cues = [RawCue(i * 0.4, (i + 1) * 0.4, "", " ".join(words[: i + 1])) for i in range(len(words))]
    assert [(cue.start, cue.end, cue.text) for cue in utterances(cues)] == [(0.0, len(words) * 0.4, LINES[0])]


def test_three_lines_that_scroll() -> None:
    cues = [RawCue(i, i + 1.0, "", "\n".join(LINES[max(0, i - 2) : i + 1])) for i in range(len(LINES))]
    assert said(cues) == [(float(i), line) for i, line in enumerate(LINES)]


def test_a_pause_ends_the_rolling() -> None:
    first = rolled(LINES[:2])
    later = [RawCue(c.start + 60, c.end + 60, "", c.text) for c in rolled(LINES[2:])]
    assert [text for _, text in said(first + later)] == LINES


def test_people_who_say_the_same_twice_do() -> None:
    cues = [
        RawCue(0, 1, "", "No."),
        RawCue(1, 2, "", "No."),
        RawCue(2, 3, "", "No.\nI said no."),
        *(RawCue(i, i + 0.9, "", f"Line {i}.") for i in range(3, 12)),
    ]
    assert merge_rolling_captions(cues) == cues


def test_captions_that_stay_while_the_next_is_said_end_where_it_begins() -> None:
    """Two lines that scroll, each a cue of its own: no line is heard twice."""
    cues = [RawCue(2.0 * i, 2.0 * i + 4.0, "", line) for i, line in enumerate(LINES)]
    assert [(cue.start, cue.end) for cue in utterances(cues)] == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 12)]


def test_two_who_talk_at_once_now_and_then_do() -> None:
    cues = [RawCue(2.0 * i, 2.0 * i + 1.5, "", line) for i, line in enumerate(LINES)]
    cues[1] = RawCue(2.0, 5.0, "", LINES[1])
    assert [cue.end for cue in utterances(cues)] == [1.5, 5.0, 5.5, 7.5, 9.5]
