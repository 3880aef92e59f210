"""Which subtitle file belongs to a video: by its name, language and kind, and no other video's."""

from __future__ import annotations

import logging
import unicodedata
from pathlib import Path

from emoje_edge.perception.cues import transcripts, unsupported
from emoje_edge.perception.cues.languages import is_english, is_language
from emoje_edge.perception.cues.raw_cue import words
from emoje_edge.perception.sources import MEDIA

log = logging.getLogger(__name__)

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa", ".sbv", *transcripts.SUFFIXES)
_LOOKED_AT = 4 << 20  # bytes: Whisper writes the whole text before its segments
_KINDS = words("sdh cc hoh full default auto orig original asr subs sub subtitle subtitles caption captions transcript")
_PARTIAL = frozenset({"forced", "signs", "songs", "commentary", "foreign", "lyrics", "karaoke"})


def sidecar(source: Path) -> Path | None:
    """The subtitle file beside a video, None where there is none.

    `clip.srt` for `clip.mp4`, else `clip.en.srt` and the like: English first, forced ones last.  `clip.2.srt` is
    another video's, and so is `clip.en.srt` where there is a `clip.en.mp4`.  Of `.json` and `.tsv` those count that
    hold a transcript.
    """
    try:
        there = list(source.parent.iterdir())
    except OSError:  # the source itself tells what is wrong with its folder
        return None
    videos = {_folded(path.stem) for path in there if path.suffix.lower() in MEDIA}
    ranked = []
    for path in there:
        if path.suffix.lower() not in SUFFIXES or (tags := _tags(path, source)) is None:
            continue
        if _owner(path, videos) in (None, _folded(source.stem)) and _is_text(path):
            ranked.append((*_rank(tags), SUFFIXES.index(path.suffix.lower()), path))
    if not ranked and (
        unread := [p for p in there if p.suffix.lower() in unsupported.SUFFIXES and _tags(p, source) == []]
    ):
        log.warning("%s lies beside %s and is not read: make it SRT or WebVTT", min(unread), source.name)
    return min(ranked)[-1] if ranked else None


def language_tag(path: Path) -> str | None:
    """The language that a file's name says, in small letters; None where it says none."""
    tags = path.stem.casefold().split(".")[1:]
    return next((tag for tag in reversed(tags) if is_language(tag) and tag not in _KINDS | _PARTIAL), None)


def _tags(path: Path, source: Path) -> list[str] | None:
    """What stands between a video's name and the ending; None where it is no subtitle's of this video.

    `talk.mp4.srt` is `talk.mp4`'s as well: so some programs name what they make of it.
    """
    name = _folded(path.stem)
    for own in (_folded(source.name), _folded(source.stem)):
        if name == own:
            return []
        if name.startswith(f"{own}."):
            tags = name[len(own) + 1 :].split(".")
            if all(tag in _KINDS | _PARTIAL or is_language(tag) for tag in tags):
                return tags
    return None


def _folded(name: str) -> str:
    """Names that look the same are: `é` may be one character or two, as on a Mac."""
    return unicodedata.normalize("NFC", name).casefold()


def _owner(path: Path, videos: set[str]) -> str | None:
    """The video with the longest name that this file's begins with."""
    name = _folded(path.stem)
    return max((stem for stem in videos if name == stem or name.startswith(f"{stem}.")), key=len, default=None)


def _rank(tags: list[str]) -> tuple[bool, bool, int, int]:
    partial = bool(_PARTIAL & set(tags))
    language = next((tag for tag in tags if tag not in _KINDS | _PARTIAL), None)
    english = language is not None and is_english(language)
    return partial, bool(tags), 0 if english else 1 if language is None else 2, len(tags)


def _is_text(path: Path) -> bool:
    """A file; of the endings that anything may have, one with a transcript in it."""
    if not path.is_file():
        return False
    if path.suffix.lower() not in transcripts.SUFFIXES:
        return True
    with path.open("rb") as file:
        return transcripts.looks_like_one(file.read(_LOOKED_AT))
