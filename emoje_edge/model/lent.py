"""Eight-bit weights that a model's engines hold already are not stored a second time for building them.

A file in `compact`'s form then lacks those tensors; its metadata tells in which of the engines' weight files each
lies.  The integers are the same; most matrices lie transposed there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emoje_edge.errors import WorkError

KEY = "lent"  # of the metadata

# file, offset, shape, whether the matrix lies transposed
Place = tuple[str, int, list[int], bool]


def lend(stored: Mapping[str, Tensor], files: Mapping[str, bytes]) -> tuple[dict[str, Tensor], dict[str, Place]]:
    """What is left to store, and where the rest lies: the int8 tensors that the engines' `files` hold."""
    rest: dict[str, Tensor] = {}
    places: dict[str, Place] = {}
    for name, x in stored.items():
        place = _find(x, files) if x.dtype == torch.int8 else None
        if place is None:
            rest[name] = x
        else:
            places[name] = place
    return rest, places


def borrow(places: Mapping[str, Place], read: Callable[[str], bytes]) -> dict[str, Tensor]:
    """The tensors that are not stored, from the files that `read` gives."""
    files = {name: read(name) for name in {place[0] for place in places.values()}}
    found = {}
    for name, (file, offset, shape, transposed) in places.items():
        lies = shape[::-1] if transposed else shape
        raw = np.frombuffer(files[file], np.int8, int(np.prod(shape)), offset).reshape(lies)
        found[name] = torch.from_numpy(np.array(raw.T if transposed else raw, order="C"))
    return found


def places_in(path: Path) -> dict[str, Place]:
    """What a safetensors file says of the tensors that it lacks."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        found: dict[str, Place] = json.loads((file.metadata() or {}).get(KEY, "{}"))
    return found


def verified(folder: Path, name: str) -> bytes:
    """A weight file of the engines, whose name carries the beginning of its SHA-256.

    Raises:
        WorkError: missing or altered.
    """
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WorkError(f"{path}, which holds weights of this model, cannot be read: {error}", _REMEDY) from error
    digest = path.stem.rpartition("-")[2]
    if not digest or not hashlib.sha256(content).hexdigest().startswith(digest):
        raise WorkError(f"{path} was altered", _REMEDY)
    return content


_REMEDY = "reinstall emoje-edge"


def _find(x: Tensor, files: Mapping[str, bytes]) -> Place | None:
    for transposed in (True, False) if x.dim() == 2 else (False,):
        raw = (x.T if transposed else x).numpy().tobytes()
        for name, content in files.items():
            if (offset := content.find(raw)) >= 0:
                return name, offset, list(x.shape), transposed
    return None
