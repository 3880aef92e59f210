"""Transcripts that Whisper and its relatives write: `.json` (with speakers, as WhisperX) and tables.

OpenAI's Whisper, faster-whisper, WhisperX: `{"segments": [{"start": s, "end": s, "text": …, "speaker": …}]}`, as one
JSON, one a line, or `[s, s, text]`; whisper.cpp: `{"transcription": [{"offsets": {"from": ms, "to": ms}, "text": …}]}`;
Transformers: `{"chunks": [{"timestamp": [s, s], "text": …}]}`; podcasts: `startTime`, `endTime`, `body`; the largest
video site: `{"events": [{"tStartMs": ms, "dDurationMs": ms, "segs": [{"utf8": …}]}]}`; tables of milliseconds, or of
seconds where they have a point.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emoje_edge.perception.cues.raw_cue import RawCue, broken

SUFFIXES = (".json", ".tsv")
_COLUMNS = ["start", "end", "text"]
_LISTS = "segments", "transcription", "chunks", "events"


def read_json(text: str, path: Path | str) -> list[RawCue]:
    """Segments of a transcript; one in which the speaker changes becomes several.

    Raises:
        WorkError: no JSON, or not a transcript's.
    """
    try:
        found = _parsed(text)
    except ValueError as error:
        raise broken(path, getattr(error, "lineno", 1), f"no JSON: {error}") from error
    except RecursionError:
        raise broken(path, 1, "JSON that is nested too deeply") from None
    segments = found if isinstance(found, list) else _of(found, *_LISTS)
    if not isinstance(segments, list) or not all(isinstance(segment, (dict, list)) for segment in segments):
        raise broken(path, 1, f"JSON, but not a transcript's: no list of {', '.join(_LISTS)}")
    try:
        return [raw for segment in segments for raw in _segment(segment)]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise broken(path, 1, f"a segment without its start, end or text: {error}") from error


def _parsed(text: str) -> Any:
    """JSON, or one JSON a line."""
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].rstrip().endswith("}"):
            raise
        return [json.loads(line) for line in lines]


def language_of(text: str) -> str | None:
    """The language that a transcript in JSON says it is in."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    told = found.get("language") or (found["result"].get("language") if isinstance(found.get("result"), dict) else None)
    return told if isinstance(told, str) else None


def read_table(lines: Sequence[str], path: Path | str) -> list[RawCue]:
    """Rows of `start`, `end` (ms, or s where one has a point) and `text`, between tabs or commas.

    Raises:
        WorkError: other columns, or a row that is broken; with its line.
    """
    if "\t" in lines[0]:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader(lines, skipinitialspace=True)
    names = [name.strip().lower() for name in next(rows, [])]
    if not set(_COLUMNS) <= set(names):
        raise broken(path, 1, f"the columns {', '.join(names) or 'none'}, not {', '.join(_COLUMNS)}")
    found, unit = [], 1000.0
    for row in rows:
        if not any(row):
            continue
        cell = dict(zip(names, row, strict=False))
        try:
            start, end = (_finite(float(cell[name])) for name in ("start", "end"))
            found.append(RawCue(start, end, cell.get("speaker", "").strip(), cell["text"].strip()))
        except (KeyError, ValueError):
            raise broken(path, rows.line_num, f"broken row {row!r:.80}") from None
        if "." in cell["start"] + cell["end"]:
            unit = 1.0
    return [replace(raw, start=raw.start / unit, end=raw.end / unit) for raw in found]


def _segment(segment: dict[str, Any] | list[Any]) -> Iterator[RawCue]:
    if isinstance(segment, list):
        start, end, text = segment
        yield RawCue(*_span(start, end), "", str(text).strip())
        return
    if "tStartMs" in segment:
        said = "".join(str(part.get("utf8", "")) for part in segment.get("segs") or () if isinstance(part, dict))
        start = segment["tStartMs"]
        yield RawCue(*_span(start, start + segment.get("dDurationMs", 0), 1000), "", said.strip())
        return
    if "offsets" in segment:
        start, end = _span(segment["offsets"]["from"], segment["offsets"]["to"], 1000)
    elif "timestamp" in segment:
        start, end = _span(*segment["timestamp"])
    else:
        start, end = _span(_of(segment, "start", "startTime"), _of(segment, "end", "endTime"))
    text = str(segment["body"] if "body" in segment else segment["text"]).strip()
    name, words = str(segment.get("speaker") or ""), segment.get("words")
    dicts = [word for word in words if isinstance(word, dict)] if isinstance(words, list) else []
    turns = list(_turns(dicts, name))
    if len(turns) < 2:
        yield RawCue(start, end, name or (turns[0][0] if turns else ""), text)
        return
    for (speaker, at, said), following in zip(turns, [*(turn[1] for turn in turns[1:]), end], strict=True):
        yield RawCue(start if at is None else at, end if following is None else following, speaker, said)


def _span(start: Any, end: Any, unit: float = 1.0) -> tuple[float, float]:
    """Both in s; a segment that was going on when the transcript ended has none, and then its length is reckoned."""
    begin = _finite(float(start) / unit)
    return begin, begin if end is None else _finite(float(end) / unit)


def _turns(words: list[Any], name: str) -> Iterator[tuple[str, float | None, str]]:
    """Runs of words of one speaker: (who, start s, text)."""
    who, at = name, None
    said: list[str] = []
    for word in words:
        speaker = str(word.get("speaker") or who)
        if speaker != who and said:
            yield who, at, " ".join(said)
            at, said = None, []
        who = speaker
        at = _finite(float(word["start"])) if at is None and "start" in word else at
        said.append(str(word.get("word", "")).strip())
    if said:
        yield who, at, " ".join(said)


def _finite(seconds: float) -> float:
    if not math.isfinite(seconds):
        raise ValueError(f"{seconds} s")
    return seconds


def _of(found: Any, *names: str) -> Any:
    return next((found[name] for name in names if isinstance(found, dict) and name in found), None)


def looks_like_one(head: bytes) -> bool:
    """Whether a file that begins so is a transcript: many other things are JSON or a table, our own rows among them."""
    if b'"probabilities"' in head:
        return False
    if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"["):
        texts = all(key in head for key in (b'"start"', b'"end"', b'"text"'))
        return texts or any(
            f'"{name}"'.encode() in head for name in ("segments", "transcription", "chunks", "tStartMs")
        )
    return is_table(head.decode("utf-8", "replace").splitlines())


def is_table(lines: Sequence[str]) -> bool:
    """Whether the first line names the columns of a transcript's table."""
    first = lines[0].removeprefix("\ufeff") if lines else ""
    return set(_COLUMNS) <= {name.strip(' "').lower() for name in first.split("\t" if "\t" in first else ",")}
