"""Transcripts that Whisper and its relatives write: `.json` (with speakers, as WhisperX) and `.tsv`.

OpenAI's Whisper, faster-whisper, WhisperX: `{"segments": [{"start": s, "end": s, "text": …, "speaker": …}]}`;
whisper.cpp: `{"transcription": [{"offsets": {"from": ms, "to": ms}, "text": …}]}`; all: a table of milliseconds.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from emoje_edge.perception.cues.raw import Raw, broken

SUFFIXES = (".json", ".tsv")
_COLUMNS = ["start", "end", "text"]


def read_json(text: str, path: Path | str) -> list[Raw]:
    """Segments of a transcript; one in which the speaker changes becomes several.

    Raises:
        WorkError: no JSON, or not a transcript's.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise broken(path, getattr(error, "lineno", 1), f"no JSON: {error}") from error
    except RecursionError:
        raise broken(path, 1, "JSON that is nested too deeply") from None
    segments = found if isinstance(found, list) else _of(found, "segments", "transcription")
    if not isinstance(segments, list) or not all(isinstance(segment, dict) for segment in segments):
        raise broken(path, 1, "JSON, but not a transcript's: no list of segments")
    try:
        return [raw for segment in segments for raw in _segment(segment)]
    except (KeyError, TypeError, ValueError) as error:
        raise broken(path, 1, f"a segment without its start, end or text: {error}") from error


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


def read_tsv(lines: Sequence[str], path: Path | str) -> list[Raw]:
    """Rows of `start`, `end` (ms) and `text`.

    Raises:
        WorkError: other columns, or a row that is broken; with its line.
    """
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    names = [name.strip().lower() for name in next(rows, [])]
    if not set(_COLUMNS) <= set(names):
        raise broken(path, 1, f"the columns {', '.join(names) or 'none'}, not {', '.join(_COLUMNS)}")
    cues = []
    for row in rows:
        if not any(row):
            continue
        cell = dict(zip(names, row, strict=False))
        try:
            start, end = (_finite(float(cell[name]) / 1000) for name in ("start", "end"))
            cues.append(Raw(start, end, cell.get("speaker", "").strip(), cell["text"].strip()))
        except (KeyError, ValueError):
            raise broken(path, rows.line_num, f"broken row {row!r:.80}") from None
    return cues


def _segment(segment: dict[str, Any]) -> Iterator[Raw]:
    if "offsets" in segment:
        offsets = segment["offsets"]
        start, end = _finite(offsets["from"] / 1000), _finite(offsets["to"] / 1000)
    else:
        start, end = _finite(float(segment["start"])), _finite(float(segment["end"]))
    name, words = str(segment.get("speaker") or ""), segment.get("words")
    dicts = [word for word in words if isinstance(word, dict)] if isinstance(words, list) else []
    turns = list(_turns(dicts, name))
    if len(turns) < 2:
        yield Raw(start, end, name or (turns[0][0] if turns else ""), str(segment["text"]).strip())
        return
    for (speaker, at, said), following in zip(turns, [*(turn[1] for turn in turns[1:]), end], strict=True):
        yield Raw(start if at is None else at, end if following is None else following, speaker, said)


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
        return b'"start"' in head or b'"segments"' in head or b'"transcription"' in head
    return is_table(head.decode("utf-8", "replace").splitlines())


def is_table(lines: Sequence[str]) -> bool:
    """Whether the first line names the columns of a transcript's table."""
    names = [name.strip().lower() for name in lines[0].removeprefix("\ufeff").split("\t")] if lines else []
    return set(_COLUMNS) <= set(names)
