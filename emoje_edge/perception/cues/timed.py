"""SRT and WebVTT, as people's programs write them.

Both are lines of text under a line with two times.  Our own reader, since pysubs2 wraps hours at 100, takes a number
that is a cue's last line for the next one's, takes two inline times for a range, and passes over what it does not know.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from emoje_edge.perception.cues.raw_cue import RawCue, broken

_STAMP = r"([-−]?)(?:(\d{1,6})\s?:\s?)?(\d{1,2})\s?:\s?(\d{1,2})(?:\s?([.,:;'])\s?(\d{1,9}))?"
_ARROW = r"(?:[-–—−=]{1,3}\s?(?:>|&gt;|›)|[→⇒➔➜])"
# in brackets as Whisper prints them
_RANGE = re.compile(rf"\s*\[?{_STAMP}\s*{_ARROW}\s*{_STAMP}(?![\d:]|[.,;']\d)\]?", re.ASCII)
# a line of two whole times and nothing else, as SubViewer and YouTube's SBV have them, or an arrow that was lost
_PAIR = re.compile(rf"\s*{_STAMP}\s*[-–—−,;|/~\s]\s*{_STAMP}\s*$", re.ASCII)
# what means to be a range: an arrow, and something of a time before it
_MEANT = re.compile(r"^\s*[-\d][\d:.,x\s-]*:?.*-->|^\s*-->")
# what may follow a range on its line: places in the picture, and settings of WebVTT
_SETTINGS = re.compile(r"(?:\s+(?:[XxYy][12]|[a-z]+):\S*)*\s*", re.ASCII)
_FRAMES = 25  # a second, of times whose last part is a picture's number: nothing in the file tells the rate


def read_timed(lines: Sequence[str], path: Path | str) -> list[RawCue]:
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
    for number, (at, start, end, beside) in enumerate(ranges, 1):
        following = ranges[number][0] if number < len(ranges) else None
        text = [*beside, *lines[at + 1 : following]]
        text = _of_webvtt(text) if webvtt else _of_srt(text, last=following is None)
        cues.append(RawCue(start, end, "", "\n".join(text)))
    return cues


def language_of(lines: Sequence[str]) -> str | None:
    """What the head of a WebVTT file says of its language."""
    head = "\n".join(itertools.takewhile(str.strip, itertools.dropwhile(lambda line: not line.strip(), lines)))
    found = re.match(r"\s*WEBVTT.*\n(?:.*\n)*?Language:\s*([\w-]+)", head, re.IGNORECASE)
    return found[1] if found else None


def _ranges(lines: Sequence[str], path: Path | str) -> Iterator[tuple[int, float, float, list[str]]]:
    """Lines that hold a range: (index, start s, end s, words that follow it on its line)."""
    for index, line in enumerate(lines):
        arrow = _RANGE.match(line)
        found = arrow or _PAIR.match(line)
        if found:
            times = found.groups()
            told = [(times[1] is not None, times[5] is not None), (times[7] is not None, times[11] is not None)]
            # minutes and seconds alone must be told from a score or a verse: they have their fraction
            if all(any(parts) if arrow else all(parts) for parts in told):
                rest = line[found.end() :]
                words = [] if _SETTINGS.fullmatch(rest) else [rest.strip()]
                yield index, _seconds(*times[:6]), _seconds(*times[6:]), words
                continue
        if _MEANT.match(line):
            raise broken(path, index + 1, f"broken time range {line[:60]!r}")


def _seconds(
    sign: str, hours: str | None, minutes: str, seconds: str, point: str | None, fraction: str | None
) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    part = 0.0
    if fraction:
        frames = point in (":", ";") and len(fraction) < 3
        part = min(int(fraction) / _FRAMES, 0.99) if frames else int(fraction) / 10 ** len(fraction)
    return (-1 if sign else 1) * (whole + part)


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
