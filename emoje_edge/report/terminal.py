"""Rows for somebody who reads along: time, speaker, emotion and how sure, what it rests on, the words."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from emoje_edge.modality import Modality
from emoje_edge.report.palette import emotion_colour, rgb

if TYPE_CHECKING:
    from emoje_edge.utterance_emotion import UtteranceEmotion

NAME = "table"
_BAR = 10  # characters
_NARROWEST = 60
_TIME, _SPEAKER, _EMOTION, _RESTS = 8, 10, 10, 12
_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"


def header(labels: Sequence[str]) -> str:
    """The names of the columns."""
    line = f"{'time':>{_TIME}}  {'speaker':<{_SPEAKER}}  {'emotion':<{_EMOTION + 2}}{'sure':>5} {'':<{_BAR}}  "
    return _paint(f"{line}{'text/audio/pose':<{_RESTS + 3}}  words", _DIM) + "\n"


def row(event: UtteranceEmotion, number: int, labels: Sequence[str]) -> str:
    """One line as wide as the terminal at most."""
    sure = event.probabilities[event.emotion] if event.emotion else 0.0
    confidence = getattr(event, "confidence", None)
    sure = sure if confidence is None else confidence
    found = event.emotion or getattr(event, "reason", None) or "–"
    colour = "\x1b[38;2;{};{};{}m".format(*rgb(emotion_colour(event.emotion)))
    filled = round(sure * _BAR)
    rests = "/".join(f"{event.weights[m]:.0%}".rstrip("%") if m in event.weights else "–" for m in Modality)
    percent = f"{sure:.0%}" if event.emotion else ""
    cells = [
        f"{_clock(event.start):>{_TIME}}",
        _fit(event.speaker or "", _SPEAKER),
        f"{_paint('■', colour)} {_paint(_fit(found.replace('_', ' '), _EMOTION), _BOLD)}{percent:>5} "
        + _paint("█" * filled, colour)
        + _paint("·" * (_BAR - filled), _DIM),
        _paint(_fit(rests, _RESTS + 3), _DIM),
    ]
    used = _TIME + _SPEAKER + _EMOTION + _BAR + _RESTS + 19
    room = max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST) - used
    return "  ".join([*cells, _fit(event.text or "", max(room, 0)).rstrip()]).rstrip() + "\n"


def _paint(words: str, style: str) -> str:
    """Coloured where standard output is a terminal that has colours, see https://no-color.org."""
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return words if plain or not words else f"{style}{words}{_RESET}"


def _fit(words: str, width: int) -> str:
    """Printable, on one line, exactly `width` columns wide."""
    from rich.cells import cell_len, set_cell_size

    plain = "".join(c if c.isprintable() else " " for c in " ".join(words.split()))
    if cell_len(plain) > width > 1:
        plain = set_cell_size(plain, width - 1) + "…"
    return set_cell_size(plain, width)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
