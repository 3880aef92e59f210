"""Which subtitle file belongs to a video: by its name, language and kind, and no other video's."""

from __future__ import annotations

import re
from pathlib import Path

from emoje_edge.perception.cues import transcripts
from emoje_edge.perception.sources import MEDIA

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa", *transcripts.SUFFIXES)
ENGLISH = frozenset({"en", "eng", "english"})
# a language as in BCP 47 (en, pt-BR, zh-Hans, es-419), or its English name
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_](?:[a-z]{2}|[a-z]{4}|\d{3}))*", re.IGNORECASE)
_NAMES = frozenset(
    (
        *("english", "german", "deutsch", "french", "francais", "français", "spanish", "espanol", "español", "italian"),
        *("italiano", "portuguese", "dutch", "polish", "russian", "chinese", "japanese", "korean", "arabic", "hindi"),
        *("turkish", "swedish", "danish", "norwegian", "finnish", "greek", "czech", "hungarian", "hebrew"),
    )
)
_KINDS = frozenset({"sdh", "cc", "full", "default", "auto", "orig", "original", "subs", "sub", "subtitles", "captions"})
_PARTIAL = frozenset({"forced", "signs", "songs", "commentary", "foreign"})


def sidecar(source: Path) -> Path | None:
    """The subtitle file beside a video, None where there is none.

    `clip.srt` for `clip.mp4`, else `clip.en.srt` and the like: English first, forced ones last.  `clip.2.srt` is
    another video's, and so is `clip.en.srt` where there is a `clip.en.mp4`.  Of `.json` and `.tsv` those count that
    hold a transcript.
    """
    try:
        beside = [path for path in source.parent.iterdir() if path.suffix.lower() in SUFFIXES]
        videos = {path.stem.casefold() for path in source.parent.iterdir() if path.suffix.lower() in MEDIA}
    except OSError:  # the source itself tells what is wrong with its folder
        return None
    ranked = []
    for path in beside:
        tags = _tags(path, source.stem)
        if tags is not None and _owner(path, videos) in (None, source.stem.casefold()) and _is_text(path):
            ranked.append((*_rank(tags), SUFFIXES.index(path.suffix.lower()), path))
    return min(ranked)[-1] if ranked else None


def language_tag(path: Path) -> str | None:
    """The language that a file's name says, in small letters; None where it says none."""
    for tag in reversed(path.stem.casefold().split(".")[1:]):
        if tag in _NAMES or (_LANGUAGE.fullmatch(tag) and tag not in _KINDS | _PARTIAL):
            return tag
    return None


def _tags(path: Path, stem: str) -> list[str] | None:
    """What stands between a video's name and the ending; None where it is no subtitle's."""
    name, own = path.stem.casefold(), stem.casefold()
    if name == own:
        return []
    if not name.startswith(f"{own}."):
        return None
    tags = name[len(own) + 1 :].split(".")
    known = all(tag in _KINDS | _PARTIAL | _NAMES or _LANGUAGE.fullmatch(tag) for tag in tags)
    return tags if known else None


def _owner(path: Path, videos: set[str]) -> str | None:
    """The video with the longest name that this file's begins with."""
    name = path.stem.casefold()
    return max((stem for stem in videos if name == stem or name.startswith(f"{stem}.")), key=len, default=None)


def _rank(tags: list[str]) -> tuple[bool, bool, int, int]:
    partial = bool(_PARTIAL & set(tags))
    language = next((tag for tag in tags if tag not in _KINDS | _PARTIAL), None)
    english = language is not None and re.split("[-_]", language)[0] in ENGLISH
    return partial, bool(tags), 0 if english else 1 if language is None else 2, len(tags)


def _is_text(path: Path) -> bool:
    """A file; of the endings that anything may have, one with a transcript in it."""
    if not path.is_file():
        return False
    if path.suffix.lower() not in transcripts.SUFFIXES:
        return True
    with path.open("rb") as file:
        return transcripts.looks_like_one(file.read(4096))
