"""Subtitles of kinds that are not read: told by name, with what makes them ones that are."""

from __future__ import annotations

import re
from pathlib import Path

from emoje_edge.errors import WorkError

SUFFIXES = (".sub", ".ttml", ".dfxp", ".smi", ".sami", ".lrc", ".stl", ".sup", ".scc")
_FFMPEG = "convert it: ffmpeg -i {path} {stem}.srt"
_EXPORT = "export it as SRT or WebVTT from the program that made it"
_KINDS = (
    ("MicroDVD", re.compile(r"\{\d+\}\{\d+\}"), _FFMPEG),
    ("MPL2", re.compile(r"\[\d+\]\[\d+\]"), _FFMPEG),
    ("LRC lyrics", re.compile(r"\[(?:ar|ti|al|by|offset|length|re|ve):|\[\d+:\d+[.:]\d+\](?!\s*-)", re.I), _FFMPEG),
    ("SAMI", re.compile(r"<sami\b", re.I), _FFMPEG),
    ("TTML", re.compile(r"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:\w+:)?tt\b", re.S), _EXPORT),
    ("XML captions", re.compile(r"<\?xml|<transcript\b|<timedtext\b", re.I), _EXPORT),
    ("Scenarist captions", re.compile(r"Scenarist_SCC", re.I), _FFMPEG),
)


def refuse_unsupported(text: str, path: Path) -> None:
    """Raises WorkError where the text is of one of these kinds."""
    begin = text.lstrip()
    for name, pattern, hint in _KINDS:
        if pattern.match(begin):
            message = f"{path}: {name}, which is not read; SRT, WebVTT, ASS and Whisper's JSON and TSV are"
            raise WorkError(message, hint.format(path=path, stem=path.stem))
