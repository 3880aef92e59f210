"""What `infer SOURCE …` means: files, folders, globs, cameras and lists of streams in, one list of sources out."""

from __future__ import annotations

import glob
import logging
from collections.abc import Sequence
from pathlib import Path

from emoje_edge.addresses import masked
from emoje_edge.errors import UsageError
from emoje_edge.perception.sources import MEDIA, SUBTITLES, is_live

log = logging.getLogger(__name__)
STREAMS = ".streams"  # a list of addresses, one a line


def expand(given: Sequence[str]) -> list[str]:
    """Sources in the order given; folders and globs by name; each once.

    Raises:
        UsageError: a file that is not there, a folder or glob without media.
    """
    sources: list[str] = []
    for name in given:
        if is_live(name):
            sources.append(name)
        elif name.isdecimal() and not Path(name).exists():
            sources.append(f"webcam:{name}")
        elif name.endswith(STREAMS):
            sources += _listed(Path(name))
        else:
            sources += _expand_path(name)
    return list(dict.fromkeys(sources))


def _listed(path: Path) -> list[str]:
    """The addresses in a list of streams, one a line; empty lines and those that begin with `#` are passed over.

    Raises:
        UsageError: it cannot be read, or a line is no live source.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "give a text file with one address a line") from error
    found = [line for line in lines if line and not line.startswith("#")]
    for number, line in enumerate(found, 1):
        if not is_live(line) or line == "-":
            raise UsageError(f"{path}, address {number}: {masked(line)} is no stream", "give rtsp://… or webcam:0")
    if not found:
        raise UsageError(f"{path} names no stream", "give one address a line")
    return found


def _expand_path(name: str) -> list[str]:
    path = Path(name)
    if path.is_dir():
        found = [p for p in path.iterdir() if p.suffix.lower() in MEDIA and p.is_file()]
        below = sum(p.suffix.lower() in MEDIA and p.parent != path for p in path.glob("*/**/*"))
        if not found:
            hint = f"for its subfolders: '{path / '**'}'" if below else f"searched for {' '.join(MEDIA)}"
            raise UsageError(f"{name}: no video or sound file in this folder", hint)
        if below:
            log.warning("%s: %d more in its subfolders are left out; for all: '%s'", name, below, path / "**")
        return [str(p) for p in sorted(found)]
    if path.exists():
        return [name]
    if glob.has_magic(name):
        found = [Path(p) for p in glob.glob(name, recursive=True)]
        media = [str(p) for p in sorted(found) if p.suffix.lower() in MEDIA and p.is_file()]
        if media:
            return media
        raise UsageError(f"{name}: no video or sound file matches", f"searched for {' '.join(MEDIA)}")
    raise UsageError(f"{name}: no such file", "give a video or sound file, a folder, or a glob such as 'clips/*.mp4'")


def guard(output: Path | None, sources: Sequence[str], text: Path | None) -> None:
    """Refuse an output that would overwrite what is read, or be read for a video's subtitles the next time.

    Raises:
        UsageError: it would.
    """
    if output is None:
        return
    files = [Path(s) for s in sources if not is_live(s)]
    for path in [*files, *([text] if text else [])]:
        if path.exists() and output.exists() and path.samefile(output):
            raise UsageError(f"{output} is read here, and would be overwritten", "give the output another name")
    for path in files:
        beside = output.parent.resolve() == path.parent.resolve()
        if beside and output.suffix.lower() in SUBTITLES and output.name.startswith(f"{path.stem}."):
            raise UsageError(
                f"{output} is where the words of {path.name} are looked for",
                f"give it another name: {output.with_name(f'{path.stem}-emotions{output.suffix}')}",
            )
