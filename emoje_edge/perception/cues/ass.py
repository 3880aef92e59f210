"""ASS and SSA through pysubs2, without what is drawn, animated or sung: signs, effects and karaoke."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emoje_edge.perception.cues.raw_cue import RawCue, broken

_DIALOGUE = re.compile(r"Dialogue:\s*[^,]*,\s*\d+:\d+:\d+[.,]\d+\s*,\s*\d+:\d+:\d+[.,]\d+\s*(,[^,]*){6},", re.ASCII)
_OVERRIDE = re.compile(r"\{[^}]*\}")
_KARAOKE = re.compile(r"\\[kK][fo]?\d")
_PLACED = re.compile(r"\\(?:pos|move|org|clip|iclip|frx|fry|frz)\b|\\p[1-9]")
# names of styles in which nobody speaks; OP and ED are a series' opening and ending song
_UNSPOKEN = re.compile(
    r"(?:^|[^a-z])(?:signs?|songs?|karaoke|lyrics?|romaji|kanji|credits?|titles?|typeset\w*|ts|op\d*|ed\d*|insert)(?:[^a-z]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Event:
    """A line of ASS: s, and its fields."""

    start: float
    end: float
    style: str
    name: str
    effect: str
    text: str


def is_ass(lines: Sequence[str]) -> bool:
    """Whether these lines are ASS or SSA."""
    return any(line.startswith(("[Script Info]", "[V4")) for line in lines)


def read_ass(lines: Sequence[str], path: Path | str) -> list[RawCue]:
    """Spoken lines.

    Raises:
        WorkError: a line that is broken (pysubs2 would pass over it); with its number.
    """
    import pysubs2

    for number, line in enumerate(lines, 1):
        if line.startswith("Dialogue:") and not _DIALOGUE.match(line):
            raise broken(path, number, f"broken dialogue line {line[:60]!r}")
    kind = "ass" if any(line.startswith("[V4+") for line in lines) else "ssa"
    try:
        file = pysubs2.SSAFile.from_string("\n".join(lines) + "\n", format_=kind)
    except Exception as error:  # pysubs2's own errors and bare ValueErrors of its parsers
        raise broken(path, len(lines), f"broken subtitles: {error}") from error
    events = [
        Event(event.start / 1000, event.end / 1000, event.style, event.name.strip(), event.effect, event.text)
        for event in file
        if not event.is_comment
    ]
    return spoken_events(events)


def spoken_events(events: Iterable[Event]) -> list[RawCue]:
    """What is said of what is shown; all that is shown as plain text where otherwise nothing would be left."""
    shown = [event for event in events if not _is_drawn(event)]
    spoken = [event for event in shown if not _UNSPOKEN.search(event.style) and not _is_placed_aside(event, shown)]
    return [RawCue(event.start, event.end, event.name, _plain(event.text)) for event in spoken or shown]


def _is_drawn(event: Event) -> bool:
    """Karaoke, drawings, and effects, which repeat syllables of a line that is there anyway."""
    tags = "".join(_OVERRIDE.findall(event.text))
    effect = event.effect.strip().casefold()
    # what ASS itself knows is a way to show words
    scrolled = effect.startswith(("banner", "scroll"))
    return bool(effect and not scrolled) or bool(_KARAOKE.search(tags)) or bool(re.search(r"\\p[1-9]", tags))


def _is_placed_aside(event: Event, shown: Sequence[Event]) -> bool:
    """Put somewhere in the picture, in another style than most of what is shown: a sign."""
    if not _PLACED.search("".join(_OVERRIDE.findall(event.text))):
        return False
    time: dict[str, float] = {}
    for other in shown:
        time[other.style] = time.get(other.style, 0.0) + max(0.0, other.end - other.start)
    return event.style != max(time, key=time.__getitem__)


def _plain(text: str) -> str:
    return _OVERRIDE.sub("", text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
