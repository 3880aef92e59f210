"""Weights that several engines share: one file a branch, named by its content, in a `weights` folder beside the masks.

    ENGINES/text/model.onnx  ENGINES/text+pose/model.onnx  …  ENGINES/weights/text-0123456789ab.bin

An engine is a small graph; its manifest lists the files that it needs with size and hash.  A device copies the graphs
and the files that their manifests name, and nothing else (`emoje-edge engines copy`).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoje_edge.engine.manifest import FILE_NAME, WEIGHTS, FileEntry, Manifest, read_files, read_manifest
from emoje_edge.engine.onnx_graph import LEAST
from emoje_edge.errors import UsageError

if TYPE_CHECKING:
    import onnx

COMMON = "common"  # what belongs to no modality alone: dialogue, head, gate, evidence
# what every mask with the branch needs; a gate reads a branch only where there are others, so it is no part of the file
_BRANCH = re.compile(r"\.(?:encoders|fusion\.norm|fusion\.project)\.(text|audio|pose)(?:\.|$)")
_ALIGNED = 64
_DIGITS = 12


def branch_of(parameter: str) -> str:
    """The modality that a parameter of the network belongs to, or `COMMON`."""
    found = _BRANCH.search(parameter)
    return found[1] if found else COMMON


def split(model: onnx.ModelProto, owners: Mapping[str, str]) -> tuple[bytes, dict[str, bytes]]:
    """The graph without its large initialisers, and those by file: ONNX external data.

    Args:
        owners: name of an initialiser -> branch; others stay in the graph, as do biases, which differ from mask to
            mask.
    """
    large: dict[str, list[Any]] = {}
    for tensor in model.graph.initializer:
        if tensor.name in owners and len(tensor.raw_data) >= LEAST:
            large.setdefault(owners[tensor.name], []).append(tensor)
    files = {}
    for branch, tensors in large.items():
        content, places = _joined([tensor.raw_data for tensor in tensors])
        name = f"{branch}-{hashlib.sha256(content).hexdigest()[:_DIGITS]}.bin"
        files[name] = content
        for tensor, (offset, size) in zip(tensors, places, strict=True):
            _point(tensor, name, offset, size)
    return model.SerializeToString(), files


def _joined(parts: Iterable[bytes]) -> tuple[bytes, list[tuple[int, int]]]:
    """One buffer with each part at an aligned offset, and (offset, size) of each."""
    content, places = bytearray(), []
    for part in parts:
        content += bytes(-len(content) % _ALIGNED)
        places.append((len(content), len(part)))
        content += part
    return bytes(content), places


def _point(tensor: Any, file: str, offset: int, size: int) -> None:
    import onnx

    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", file), ("offset", offset), ("length", size)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)


def store(files: Mapping[str, bytes], root: Path) -> None:
    """Write shared files into `root`/weights; what is there whole stays."""
    folder = root / WEIGHTS
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        final = folder / name
        if final.is_file() and final.read_bytes() == content:
            continue
        handle, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, final)


def copy(engines: Iterable[Path], out: Path, *, weights: Path | None = None) -> list[Manifest]:
    """Engines with the weights that they need, and no others, each checked: OUT/MASK and OUT/weights.

    Args:
        weights: the folder whose `weights` takes them instead, OUT or the one that it lies in.

    Raises:
        UsageError: `out` is there and not empty.
        WorkError: a file is missing or altered; named.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty", "give a new folder")
    copied = []
    for folder in engines:
        manifest = read_manifest(folder)
        content = read_files(folder, manifest)
        target = out / manifest.mask.folder
        target.mkdir(parents=True)
        store({entry.name: content[entry.name] for entry in manifest.weights}, weights or out)
        for entry in manifest.files:
            (target / entry.name).write_bytes(content[entry.name])
        shutil.copyfile(folder / FILE_NAME, target / FILE_NAME)
        copied.append(manifest)
    return copied


def unused(root: Path, manifests: Iterable[Manifest]) -> list[Path]:
    """Shared files under `root` that none of the manifests names."""
    wanted = {entry.name for manifest in manifests for entry in manifest.weights}
    return [path for path in sorted(root.rglob(f"{WEIGHTS}/*.bin")) if path.name not in wanted]


def entry_of(name: str, content: bytes) -> FileEntry:
    return FileEntry(name, hashlib.sha256(content).hexdigest(), len(content))
