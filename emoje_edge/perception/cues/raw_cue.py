"""A cue as it lies in a file, and the error that every reader of them raises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from emoje_edge.errors import WorkError

_HINT = "correct that line, give other subtitles with --text, or leave text out with --mask audio,pose"


@dataclass(frozen=True)
class RawCue:
    """A cue as it lies in the file.

    Attributes:
        start, end: s; as they are, so negative, or the wrong way round.
        name: who speaks, where a field says so; else empty.
        text: lines with their tags.
    """

    start: float
    end: float
    name: str
    text: str

    def with_text(self, text: str) -> RawCue:
        """The same with other text."""
        return replace(self, text=text)


def words(text: str) -> frozenset[str]:
    """A list of words as a set."""
    return frozenset(text.split())


def broken(path: Path | str, line: int, problem: str) -> WorkError:
    """The error of a file that is none, or broken, with the line (from 1)."""
    return WorkError(f"{path}, line {line}: {problem}", _HINT)
