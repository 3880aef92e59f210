"""Whole files only: written beside, synced, then renamed into place, so that readers see the old one or the new one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it becomes `path` when the block ends well, and is removed when it does not.

    Raises:
        OSError: the disk or its rights; what was at `path` is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """As `atomic`, for a folder: the block fills an empty one, which then takes the place of `path`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        install_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def install_folder(temporary: Path, final: Path) -> None:
    """Sync a finished folder and rename it into place; what was there goes once the new one stands."""
    for file in temporary.rglob("*"):
        if file.is_file():
            sync(file)
    if not final.exists():
        temporary.rename(final)
        return
    aside = temporary.with_name(f"{temporary.name}-old")
    final.rename(aside)
    temporary.rename(final)
    shutil.rmtree(aside, ignore_errors=True)


def sync(path: Path) -> None:
    """What was written is on the disk, not only in memory."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
