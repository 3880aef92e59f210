"""Sessions: an engine opened for running, found and verified; never another one than was asked for, unless told.

session = open_engine(Mask.parse("text,pose"))
out = session.run({"text": ids, "text_length": n, "pose": xyv, "pose_length": m, "speaker": s, "state": h})
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from emoje_edge.engine.backends import BACKENDS, backend
from emoje_edge.engine.family import choose, engine_home
from emoje_edge.engine.interface import Session
from emoje_edge.engine.manifest import (
    FILE_NAME,
    REINSTALL,
    read_files,
    read_manifest,
    rebuild_command,
)
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask
from emoje_edge.shipped import ENGINES, engines_of

log = logging.getLogger("emoje_edge")


def open_engine(
    mask: Mask | str,
    *,
    model: str | None = None,
    engine_dir: str | Path | None = None,
    backend: str = "onnx",
    fallback: bool = False,
    threads: int | None = None,
) -> Session:
    """Find, verify and open the engine of exactly this mask.

    Args:
        mask: the modalities.
        model: `small`, `medium` or the name of one whose engines were built here; None: `small`.
        engine_dir: a folder that `build --out` filled, or one engine's own folder; None: the model's engines that were
            built on this machine, then the ones that came with the package.
        backend: `onnx`, `tensorrt` or `aot`.
        fallback: where that backend has no engine that works here, take another one's, and log which and why.
        threads: of a CPU backend; None leaves it the backend's own choice.

    Raises:
        UsageError: unknown mask, model or backend, or both a model and a folder.
        WorkError: no such engine, or a damaged or foreign one; with the command that builds it.
    """
    mask, model = Mask.parse(mask), choose(model, engine_dir)
    try:
        return _open(mask, model, engine_dir, backend, threads)
    except WorkError as error:
        if not fallback:
            raise
        first = error
    for other in BACKENDS:
        if other == backend:
            continue
        try:
            session = _open(mask, model, engine_dir, other, threads)
        except WorkError:
            continue
        log.warning("engine %s for mask %s: using %s instead, because %s", backend, mask, other, first.message)
        return session
    raise first


def find_engine(
    mask: Mask, backend: str, engine_dir: str | Path | None = None, *, model: str | None = None
) -> Path | None:
    """Folder of the engine of this mask and backend, the newest where there are several; None where there is none.

    Raises:
        UsageError: an unknown model, one beside `engine_dir`, or engines of several models in it.
        WorkError: `engine_dir` is no folder.
    """
    name = choose(model, engine_dir)
    if name is not None:
        return _built_here(mask, backend, name) or _newest(engines_of(name), mask, backend)
    assert engine_dir is not None
    folder = Path(engine_dir)
    if not folder.is_dir():
        raise WorkError(
            f"no engine folder {folder}", f"make it: emoje-edge build --mask {mask} --backend {backend} --out {folder}"
        )
    if (folder / FILE_NAME).exists():
        return folder
    models = sorted({path.parents[2].name for path in folder.glob(f"*/*/{backend}-*/{FILE_NAME}")})
    if len(models) > 1:
        raise UsageError(f"{folder} holds engines of {' and '.join(models)}", f"give one: {folder / models[0]}")
    return _newest(folder, mask, backend)


def _built_here(mask: Mask, backend: str, model: str) -> Path | None:
    home = engine_home()
    try:
        return _newest(home / model, mask, backend)
    except OSError as error:  # another user's home, as in a container or a service
        _tell_once(f"no engine is looked for in {home}: {error.strerror}; EMOJE_ENGINES names another folder")
        return None


@cache
def _tell_once(words: str) -> None:
    log.warning("%s", words)


def _newest(root: Path, mask: Mask, backend: str) -> Path | None:
    # <mask>/ (shipped or copied), <mask>/<backend>-<key>/ and <model>/<mask>/<backend>-<key>/ (built)
    name = mask.folder
    patterns = (name, f"{name}/{backend}-*", f"*/{name}/{backend}-*")
    found = [path for pattern in patterns for path in root.glob(f"{pattern}/{FILE_NAME}")]
    found = [path for path in found if path.parent.name != name or backend == "onnx"]
    return max(found, key=lambda path: (path.stat().st_mtime_ns, str(path))).parent if found else None


def _open(mask: Mask, model: str | None, engine_dir: str | Path | None, name: str, threads: int | None) -> Session:
    module = backend(name)
    folder = find_engine(mask, name, engine_dir, model=model)
    rebuild = rebuild_command(mask, name, model)
    if folder is None:
        raise WorkError(f"no {name} engine for mask {mask} in {engine_dir or engine_home() / str(model)}", rebuild)
    if folder.is_relative_to(ENGINES):
        rebuild = f"{REINSTALL}, or {rebuild}"
    manifest = read_manifest(folder, rebuild=rebuild)
    if manifest.mask != mask or manifest.backend != name:
        raise WorkError(
            f"{folder} holds a {manifest.backend} engine for {manifest.mask}, not {name} for {mask}", rebuild
        )
    return module.open(manifest, read_files(folder, manifest, rebuild=rebuild), threads=threads)
