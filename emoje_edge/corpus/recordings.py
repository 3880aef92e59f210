"""What there is to label: media files of a folder and its subfolders, or of a list; longest first."""

from __future__ import annotations

import codecs
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from emoje_edge.addresses import printable
from emoje_edge.errors import EmojeError, UsageError
from emoje_edge.perception.cues.found import SUFFIXES
from emoje_edge.perception.sources import MEDIA

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """One file, and the words that are read with it.

    Attributes:
        name: as it stands in the rows: relative to the folder with `/` between, or as the list has it; bytes that are
            no UTF-8 written out.
        path: where it is.
        state: size and time of change of the file and of the subtitles beside it; a change makes it another one.
        text: the subtitles of `--text-dir`, None where it has none for this file.
        seconds: length by its header, None where it does not tell.
        size: bytes.
    """

    name: str
    path: Path
    state: str
    text: Path | None = None
    seconds: float | None = None
    size: int = 0


def in_folder(folder: Path, text_dir: Path | None = None) -> list[Recording]:
    """All media files below `folder`, hidden ones left out, by name.

    Raises:
        UsageError: no folder, or nothing in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "give a folder of recordings, or --list FILE with one path a line")
    found = sorted((path.relative_to(folder).as_posix(), path) for path in _media(folder))
    if not found:
        raise UsageError(f"{folder}: no video or sound file in it or below", f"searched for {' '.join(MEDIA)}")
    return [_recording(name, path, _text(name, text_dir)) for name, path in found]


def in_list(file: Path, text_dir: Path | None = None) -> list[Recording]:
    """The files that a list names, one path a line; empty lines and lines that begin with `#` are passed over.

    A file that is not there stays in the list: it becomes a row of the errors.

    Raises:
        UsageError: the list cannot be read, names nothing, or names a file twice.
    """
    try:
        lines = [os.fsdecode(line.strip()) for line in file.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")]
    except OSError as error:
        raise UsageError(f"--list {file} cannot be read: {error}", "give a text file, one path a line") from error
    names = [line for line in lines if line and not line.startswith("#")]
    if not names:
        raise UsageError(f"--list {file} names no file", "give one path a line")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise UsageError(f"--list {file} names {name} {times} times", "give each recording once")
    return [_recording(name, Path(name), _text(Path(name).name, text_dir)) for name in names]


def longest_first(recordings: Iterable[Recording]) -> list[Recording]:
    """So that no worker begins the longest one last: by length where the header tells it, else by bytes."""
    found = list(recordings)
    with ThreadPoolExecutor(4) as threads:
        measured = list(threads.map(_measured, found))
    known = [r for r in measured if r.seconds and r.size]
    rate = sum(r.size for r in known) / sum(r.seconds or 0.0 for r in known) if known else 100_000.0

    def expected(r: Recording) -> float:
        return r.seconds if r.seconds is not None else r.size / rate

    return sorted(measured, key=lambda r: (-expected(r), r.name))


def _measured(recording: Recording) -> Recording:
    from emoje_edge.perception.media import probe

    if not recording.path.is_file():  # a pipe would keep us waiting
        return recording
    try:
        return replace(recording, seconds=probe(recording.path).duration)
    except EmojeError:
        return recording  # the labelling says what is wrong with it


def _media(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, onerror=_warn_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in MEDIA:
                yield Path(place, name)


def _warn_unreadable(error: OSError) -> None:
    log.warning("%s cannot be looked into, and what lies in it is left out: %s", error.filename, error.strerror)


def _recording(name: str, path: Path, text: Path | None) -> Recording:
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    beside = [path, *([text] if text else _subtitles(path.parent).get(path.stem.partition(".")[0], ()))]
    return Recording(printable(name), path, " ".join(_state(p) for p in beside), text, size=size)


def _state(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"{path.name} missing"
    return f"{path.name} {found.st_size} {found.st_mtime_ns}"


@lru_cache(maxsize=256)
def _subtitles(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Subtitle files of a folder by the first part of their names: what a recording's words may come from."""
    found: dict[str, list[Path]] = {}
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return {}
    for path in entries:
        if path.suffix.lower() in SUFFIXES:
            found.setdefault(path.stem.partition(".")[0], []).append(path)
    return {stem: tuple(paths) for stem, paths in found.items()}


def _text(name: str, text_dir: Path | None) -> Path | None:
    """`--text-dir`'s file for a recording: the same relative path with the ending of a subtitle file."""
    if text_dir is None:
        return None
    for ending in SUFFIXES:
        path = (text_dir / name).with_suffix(ending)
        if path.is_file():
            return path
    return None
