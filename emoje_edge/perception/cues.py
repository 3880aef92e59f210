"""Subtitle cues as utterances: SRT, WebVTT and ASS through pysubs2, beside the video or inside it.

Words that are not spoken ("[music]", "♪ … ♪") are dropped, tags stripped, speakers taken from "ROSS: …", "[ROSS] …",
`<v Ross>` and the Name field of ASS.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.media import MediaInfo, read_subtitles
from emoje_edge.perception.segmentation import SHORTEST, Utterance

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
_READING = 0.06  # s a character, for a cue that says when it starts but not when it ends

_STAMP = re.compile(r"\d{1,4}:\d{1,2}:\d{1,2}[.,]\d{1,3}|\d{1,2}:\d{2}\.\d{3}")
_DIALOGUE = re.compile(r"Dialogue:\s*[^,]*,\s*\d+:\d+:\d+[.,]\d+\s*,\s*\d+:\d+:\d+[.,]\d+\s*(,[^,]*){6},", re.ASCII)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_TAG = re.compile(r"<[^>]*>|\{[^}]*\}")
_BRACKET = re.compile(r"\[([^\]]*)\]|\(([^)]*)\)")
_NAME = r"[^\W\d_][\w.'’-]*(?: (?:[^\W\d_]|\d)[\w.'’-]*){0,3}"
_PREFIX = re.compile(rf"^({_NAME})\s*(?:[\[(][^\])]*[\])]\s*)?:\s+(?=\S)|^[\[(]({_NAME})[\])]:?\s+(?=\S)")
_DASH = re.compile(r"^(?:[-–—‐]\s*|>>\s*)(?=\S)")
_SOUND = re.compile(
    r"\b(?:\w+ing|laugh\w*|sigh\w*|gasp\w*|sob\w*|cr(?:y|ies)|scream\w*|cough\w*|music\w*|song|applause|noise\w*|"
    r"silence|pause\w*|inaudible|indistinct|chuckle\w*|groan\w*|grunt\w*|sniff\w*|whisper\w*|shout\w*|yell\w*|"
    r"door\w*|phone\w*|both|all|continue\w*|off\w*|v\.?o\.?)\b",
    re.IGNORECASE,
)
# What stands before a colon at a sentence's beginning and is nobody's name.
_WORDS = frozenset(
    (
        "also",
        "and",
        "answer",
        "but",
        "finally",
        "first",
        "listen",
        "look",
        "no",
        "note",
        "now",
        "ok",
        "okay",
        "question",
    )
) | {"remember", "second", "so", "wait", "warning", "well", "yes"}


@dataclass(frozen=True)
class _Raw:
    """A cue as it lies in the file: s, s, the Name field, lines of text with their tags."""

    start: float
    end: float
    name: str
    text: str


def sidecar(source: Path) -> Path | None:
    """The subtitle file beside a video: `clip.srt` for `clip.mp4`, else `clip.en.srt` and the like, else None."""
    for suffix in SUFFIXES:
        if (path := source.with_suffix(suffix)).is_file():
            return path
    marked = (path for path in source.parent.glob("*.*") if path.suffix.lower() in SUFFIXES)
    return min((path for path in marked if path.name.startswith(f"{source.stem}.")), default=None)


def read_cues(path: str | Path) -> list[Utterance]:
    """Cues of a subtitle file, in time order.

    Raises:
        UsageError: no such file.
        WorkError: not SRT, WebVTT or ASS, or broken; the message names the file and the line.
    """
    import pysubs2

    path = Path(path)
    lines = _lines(path)
    style = _check(path, lines)
    try:
        file = pysubs2.SSAFile.from_string("\n".join(lines) + "\n", format_=style, keep_html_tags=True)
    except Exception as error:  # pysubs2's own errors and bare ValueErrors of its parsers
        raise WorkError(f"{path}: broken subtitles: {error}", _HINT) from error
    raw = []
    for event in file:
        if not event.is_comment and not event.is_drawing:
            # after an empty line WebVTT continues with the next cue's name or a note
            text = event.plaintext.split("\n\n")[0] if style == "vtt" else event.plaintext
            raw.append(_Raw(event.start / 1000, event.end / 1000, event.name.strip(), text))
    return _utterances(raw)


def embedded_cues(source: str | Path, info: MediaInfo) -> list[Utterance]:
    """Cues of the preferred subtitle stream that has any, in time order; none where there is no such stream.

    Raises:
        WorkError: the file cannot be read.
    """
    for stream in info.subtitles:
        raw = []
        for packet in read_subtitles(source, stream.index):
            # ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text
            fields = packet.ass.split(",", 8)
            if len(fields) == 9:
                text = fields[8].replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
                raw.append(_Raw(packet.start, packet.end, fields[3].strip(), text))
        cues = _utterances(raw)
        if cues:
            return cues
    return []


_HINT = "correct that line, give other subtitles with --text, or leave text out with --mask audio,pose"


def _lines(path: Path) -> list[str]:
    """The file's lines, whatever its encoding."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"no file {path}", "give a subtitle file: SRT, WebVTT or ASS") from None
    except OSError as error:
        raise WorkError(f"{path} cannot be read: {error.strerror}", "is it a readable file?") from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").splitlines()
    if b"\0" in data:
        raise WorkError(f"{path}, line {data[: data.index(0)].count(10) + 1}: this is no text file", _HINT)
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").splitlines()


def _check(path: Path, lines: list[str]) -> str:
    """pysubs2's name of the format; each line that tells a time is looked at, since pysubs2 passes over broken ones."""
    if any(line.startswith(("[Script Info]", "[V4")) for line in lines):
        for number, line in enumerate(lines, 1):
            if line.startswith("Dialogue:") and not _DIALOGUE.match(line):
                raise WorkError(f"{path}, line {number}: broken dialogue line {line[:60]!r}", _HINT)
        return "ass" if any(line.startswith("[V4+") for line in lines) else "ssa"
    ranges = 0
    for number, line in enumerate(lines, 1):
        if "-->" in line:
            ranges += 1
            if len(_STAMP.findall(line)) != 2:
                raise WorkError(f"{path}, line {number}: broken time range {line[:60]!r}", _HINT)
    if not ranges:
        raise WorkError(f"{path}, line {max(len(lines), 1)}: not one cue of SRT, WebVTT or ASS up to here", _HINT)
    return "vtt" if lines[0].startswith("WEBVTT") else "srt"


def _utterances(cues: list[_Raw]) -> list[Utterance]:
    """Cues to utterances: turns split, unspoken ones dropped, times made sound."""
    found: dict[Utterance, None] = {}  # a dictionary, since rolling captions repeat themselves
    names = _names(cues)
    for cue in sorted(cues, key=lambda cue: cue.start):
        turns = _turns(cue, names)
        start = max(cue.start, 0.0)
        letters = sum(len(text) for _, text in turns)
        end = cue.end if cue.end > start else start + max(SHORTEST, _READING * letters)
        for speaker, text in turns:
            # people who share a cue share its time, by how much they say
            stop = min(end, start + (end - max(cue.start, 0.0)) * len(text) / letters)
            found[Utterance(start, stop, speaker, text)] = None
            start = stop
    return sorted(found, key=lambda cue: (cue.start, cue.end))


def _turns(cue: _Raw, names: set[str]) -> list[tuple[str | None, str]]:
    """Who says what in one cue: a dash, a name or a voice tag at a line's beginning starts the next one's words."""
    text = html.unescape(_VOICE.sub(lambda voice: f"\n\0{voice[1].strip()}\0", cue.text))
    if text.lstrip().startswith(("♪", "♫", "#")):
        return []
    speaker: str | None = cue.name or None
    turns: list[tuple[str | None, list[str]]] = []
    for line in _TAG.sub("", text).split("\n"):
        line, begins = line.strip(), not turns
        if line.startswith("\0"):
            _, speaker, line = line.split("\0", 2)
            begins = True
        if dash := _DASH.match(line):
            line, begins, speaker = line[dash.end() :], True, cue.name or None
        prefix = _PREFIX.match(line)
        if prefix and _key(prefix) in names:
            line, begins, speaker = line[prefix.end() :], True, _key(prefix)
        if begins:
            turns.append((speaker, []))
        turns[-1][1].append(_spoken(line))
    joined = ((speaker, " ".join(" ".join(words).split())) for speaker, words in turns)
    return [(speaker, words) for speaker, words in joined if any(c.isalnum() for c in words)]


def _spoken(line: str) -> str:
    """The line without brackets, which describe sounds, and without the notes that frame songs."""
    return "" if "♪" in line or "♫" in line else _BRACKET.sub(" ", line)


def _names(cues: Iterable[_Raw]) -> set[str]:
    """What is a speaker's name before a colon.

    Capitals always are.  "Ross:" is where it comes twice, or where half of all cues begin so: "Listen: …" is not.
    """
    counts: Counter[str] = Counter()
    total = 0
    for cue in cues:
        total += 1
        for line in _TAG.sub("", cue.text).split("\n"):
            line = _DASH.sub("", line.strip())
            prefix = _PREFIX.match(line)
            if prefix and not _SOUND.search(_key(prefix)) and _key(prefix).lower() not in _WORDS:
                counts[_key(prefix)] += 1
    usual = 2 * sum(counts.values()) >= total
    return {name for name, n in counts.items() if name.isupper() or (_is_title(name) and (n > 1 or usual))}


def _key(prefix: re.Match[str]) -> str:
    return prefix[1] or prefix[2]


def _is_title(name: str) -> bool:
    return all(word[0].isupper() or word[0].isdigit() for word in name.split())
