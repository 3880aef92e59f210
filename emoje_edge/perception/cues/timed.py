"""SRT and WebVTT, as people's programs write them.

Both are lines of text under a line with two times.  Our own reader, since pysubs2 wraps hours at 100, takes a number
that is a cue's last line for the next one's, takes two inline times for a range, and passes over what it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from emoje_edge.perception.cues.raw import Raw, broken

_STAMP = r"([-−]?)(?:(\d{1,6})\s?:\s?)?(\d{1,2})\s?:\s?(\d{1,2})(?:\s?[.,:]\s?(\d{1,3}))?"
_RANGE = re.compile(rf"\s*{_STAMP}\s*-{{1,2}}\s?>\s*{_STAMP}(?![\d:])", re.ASCII)
# what means to be a range: an arrow, and something of a time before it
_MEANT = re.compile(r"^\s*[-\d][\d:.,x\s-]*:?.*-->|^\s*-->")


def read_timed(lines: Sequence[str], path: Path | str) -> list[Raw]:
    """Cues of SRT or WebVTT, whatever the file is called, in the order of the file.

    Raises:
        WorkError: a time range that is none, or no cue at all; with the line.
    """
    first = next((line.strip() for line in lines if line.strip()), "")
    webvtt = first.upper().startswith("WEBVTT")
    ranges = list(_ranges(lines, path))
    if not ranges and not webvtt:
        raise broken(path, max(len(lines), 1), "not one cue of SRT, WebVTT or ASS up to here")
    cues = []
    for number, (at, start, end) in enumerate(ranges, 1):
        following = ranges[number][0] if number < len(ranges) else None
        text = lines[at + 1 : following]
        text = _of_webvtt(text) if webvtt else _of_srt(text, last=following is None)
        cues.append(Raw(start, end, "", "\n".join(text)))
    return cues


def _ranges(lines: Sequence[str], path: Path | str) -> Iterator[tuple[int, float, float]]:
    """Lines that hold a range: (index, start s, end s)."""
    for index, line in enumerate(lines):
        found = _RANGE.match(line)
        if found:
            times = found.groups()
            # minutes and seconds alone must be told from a score or a verse: they have their fraction
            if all(hours or fraction for hours, fraction in ((times[1], times[4]), (times[6], times[9]))):
                yield index, _seconds(*times[:5]), _seconds(*times[5:])
                continue
        if _MEANT.match(line):
            raise broken(path, index + 1, f"broken time range {line[:60]!r}")


def _seconds(sign: str, hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return (-1 if sign else 1) * (whole + int((fraction or "0").ljust(3, "0")) / 1000)


def _of_webvtt(lines: Sequence[str]) -> list[str]:
    """A cue ends with an empty line; what comes after it is a note, a style or the next cue's name."""
    text = []
    for line in lines:
        if not line.strip():
            break
        text.append(line)
    return text


def _of_srt(lines: Sequence[str], *, last: bool) -> list[str]:
    """Without the number of the next cue, which stands right above its times; an empty line may stand within a cue."""
    text = list(lines)
    if not last:
        while text and not text[-1].strip():
            text.pop()
        if text and text[-1].strip().isdecimal():
            text.pop()
    return [line for line in text if line.strip()]
