"""Engine folders on disk: written beside, checked, renamed into place; one builder a key; found, verified, pruned."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emoje_edge.engine.manifest import FILE_NAME, Manifest, read_files, read_manifest
from emoje_edge.engine.weights import unused
from emoje_edge.errors import WorkError
from emoje_edge.files import install_folder
from emoje_edge.modality import Mask

UNFINISHED = ".building-"
LOCK = ".lock-"
KEY_DIGITS = 12
_SPARE_BYTES = 16 << 20  # left free on the disk after a build


def engine_folder(root: Path, model: str, mask: Mask, backend: str, key: str) -> Path:
    """ROOT/<model>/<mask>/<backend>-<first digits of the key>."""
    return root / model / mask.folder / f"{backend}-{key[:KEY_DIGITS]}"


@contextlib.contextmanager
def building(final: Path, expected_bytes: int) -> Iterator[Path]:
    """A temporary folder beside `final` that becomes `final` when the block ends well, and vanishes when it does not.

    Args:
        expected_bytes: what the build may write, for the check of free space.

    Raises:
        WorkError: another process builds the same engine, no space, or a folder that cannot be written.
    """
    parent = final.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(parent).free
        if free < expected_bytes + _SPARE_BYTES:
            raise WorkError(
                f"no space for the engine in {parent}: {free >> 20} MiB free, about {expected_bytes >> 20} MiB needed",
                "free some (emoje-edge engines prune), or give another --out",
            )
        with _locked(parent / f"{LOCK}{final.name}", final):
            _remove_unfinished(parent, final.name)
            temporary = Path(tempfile.mkdtemp(prefix=f"{UNFINISHED}{final.name}-", dir=parent))
            try:
                yield temporary
                temporary.chmod(0o755)  # mkdtemp's are private
                install_folder(temporary, final)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise WorkError(
            f"cannot write {error.filename or parent}: {error.strerror}", "check the disk and its rights, or --out"
        ) from error


def engines(root: Path) -> Iterator[Path]:
    """Folders with a manifest under `root`, in the order of their paths."""
    for path in sorted(root.rglob(FILE_NAME)):
        if not any(part.startswith(UNFINISHED) for part in path.relative_to(root).parts):
            yield path.parent


def verify(folder: Path) -> Manifest:
    """The manifest of an engine whose every file is what it says.

    Raises:
        WorkError: the first file that is not; named, with the rebuild command.
    """
    manifest = read_manifest(folder)
    read_files(folder, manifest)
    return manifest


def prunable(root: Path) -> list[tuple[Path, str]]:
    """What may go, with the reason: unfinished builds, and engines that a newer one of the same mask replaces."""
    found = [(path, "an unfinished build") for path in sorted(root.rglob(f"{UNFINISHED}*")) if path.is_dir()]
    newest: dict[tuple[Path, str], Path] = {}
    for folder in sorted(engines(root), key=lambda folder: (folder / FILE_NAME).stat().st_mtime_ns):
        slot = (folder.parent, folder.name.rpartition("-")[0])
        if slot[1] and slot in newest:
            found.append((newest[slot], f"replaced by {folder.name}"))
        newest[slot] = folder
    gone = {path for path, _ in found}
    kept = [read_manifest(folder) for folder in engines(root) if folder not in gone]
    return found + [(path, "weights of no engine here") for path in unused(root, kept)]


def _remove_unfinished(parent: Path, name: str) -> None:
    """What a killed build of this engine left; the lock says that nobody else is at it."""
    for path in parent.glob(f"{UNFINISHED}{name}-*"):
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _locked(path: Path, final: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # not POSIX: the rename alone keeps readers safe
        yield
        return
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise WorkError(
                f"process {file.read().strip() or '?'} is building {final} right now",
                "wait for it, then run this again",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
