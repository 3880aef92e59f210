"""Rows on a terminal: a table that fits it, in colour there and nowhere else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from emoje_edge import EMOTIONS
from emoje_edge.report import terminal
from emoje_edge.report.palette import EMOTION_COLOURS, rgb
from tests.report.events import make_event


def test_a_row_says_when_who_what_how_sure_and_on_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    line = terminal.row(make_event(63.25, text="That is wonderful!"), 1, EMOTIONS)
    for part in ("1:03.2", "ROSS", "■ joy", "70%", "███████···", "75/–/25", "That is wonderful!"):
        assert part in line
    assert "\x1b" not in line  # the test's output is no terminal


def test_columns_stand_under_their_names() -> None:
    head, line = terminal.header(EMOTIONS), terminal.row(make_event(text="Oh."), 1, EMOTIONS)
    assert head.index("words") == line.index("Oh.")
    assert head.index("speaker") == line.index("ROSS")
    assert head.index("emotion") == line.index("■")


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_words_stay_on_one_line_of_the_terminals_width(words: str, speaker: str) -> None:
    line = terminal.row(make_event(text=words, speaker=speaker), 1, EMOTIONS)
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert all(c.isprintable() for c in line[:-1])
    assert cell_len(line[:-1]) <= 100


def test_nothing_found_is_a_row_too() -> None:
    line = terminal.row(make_event(empty=True), 1, EMOTIONS)
    assert "%" not in line
    assert "··········" in line


@pytest.mark.parametrize("plain", [False, True])
def test_colours_are_for_terminals_that_want_them(plain: bool) -> None:
    code = (
        "from tests.report.events import make_event; from emoje_edge.report import terminal, writers\n"
        "assert writers.choose_format(None, None) == 'table'\n"
        "print(terminal.row(make_event(), 1, ()), end='')"
    )
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    env |= {"TERM": "xterm", **({"NO_COLOR": "1"} if plain else {})}
    subprocess.run([sys.executable, "-c", code], stdout=theirs, env=env, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    joy = "\x1b[38;2;{};{};{}m".format(*rgb(EMOTION_COLOURS["joy"]))
    assert (joy in shown) is not plain
    assert "joy" in re.sub(r"\x1b\[[\d;]*m", "", shown)
