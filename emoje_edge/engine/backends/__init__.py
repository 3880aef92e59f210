"""Backends: what turns a specialised network into engine files, and engine files into a session.

A backend is a module in this folder with these names (`Backend` below spells them out):

- `unavailable(purpose)`: None where `"build"` or `"open"` works here, else why not and the command that mends it.
- `target(name)`: the device that an engine is built for, as a flat dict of text and numbers that goes into the key
  and the manifest: `{"kind": "cpu"}`, or `{"kind": "cuda", "name": "Orin", "compute_capability": "8.7", ...}`.
- `build(request)`: writes the engine's files into `request.folder` and says which one is opened.  It neither hashes
  nor renames: the caller (`engine.build`) checks parity, measures, writes the manifest and moves the folder into place.
- `open(manifest, files, threads=...)`: a session made from the verified bytes in `files` (name -> bytes).  A library
  that wants a path gets those bytes in a private temporary folder, never the engine folder.  An engine of another
  device (`manifest.target`) or of a library that cannot read it is refused with `manifest.rebuild`.

Importing a backend module imports neither torch nor the backend's library: those load inside the functions.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask

if TYPE_CHECKING:
    from torch import Tensor, nn

    from emoje_edge.engine.manifest import Manifest
    from emoje_edge.engine.session import Session

# name -> module, in the order in which `--fallback` tries them
BACKENDS: dict[str, str] = {
    "tensorrt": "emoje_edge.engine.backends.tensorrt",
    "aot": "emoje_edge.engine.backends.aot",
    "onnx": "emoje_edge.engine.backends.onnx",
}


@dataclass(frozen=True)
class BuildRequest:
    """What a backend builds from.

    Attributes:
        mask: the modalities.
        precision: `int8`, `fp16` or `fp32`.
        network: `MaskedNetwork` in fp32, eval mode; or, for `int8`, the quantised eager reference, a module of the
            same inputs and outputs whose linears and convolutions hold `emoje_edge::qdq(x, amax)`
            (`emoje_calibration.quantize`).
        example: inputs of `network`, in the order of `input_names`, batch 1.
        input_names, output_names: of docs/decisions/0001-engine-inputs.md.
        folder: an empty folder for the files.
        target: what `Backend.target` returned.
        floating: the same network in fp32, where `network` is quantised.
        shared: the backend's own, kept from one precision of a mask to the next (`int8` comes first).
    """

    mask: Mask
    precision: str
    network: nn.Module
    example: tuple[Tensor, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    folder: Path
    target: Mapping[str, str | int]
    floating: nn.Module | None = None
    shared: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """What `build` left in the folder.

    Attributes:
        entry: the file that `open` starts from; all files in the folder belong to the engine.
        versions: of the libraries that wrote it.
        dynamic_batch: the batch may vary at run time; else it is that of the example.
        runnable: this machine can open the engine (False where it was compiled for a device that is not here; then
            parity and latency stay unmeasured and the manifest says so).
    """

    entry: str
    versions: Mapping[str, str] = field(default_factory=dict)
    dynamic_batch: bool = False
    runnable: bool = True


class Backend(Protocol):
    """The names that a backend module has."""

    PRECISIONS: tuple[str, ...]

    def unavailable(self, purpose: str) -> str | None: ...

    def target(self, name: str | None) -> dict[str, str | int]: ...

    def build(self, request: BuildRequest) -> Built: ...

    def open(self, manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None) -> Session: ...


def backend(name: str) -> Backend:
    """The backend of this name.

    Raises:
        UsageError: there is none, with the nearest right one.
    """
    if name not in BACKENDS:
        near = difflib.get_close_matches(name, BACKENDS, n=1)
        hint = f"did you mean {near[0]!r}?  " if near else ""
        raise UsageError(f"unknown backend {name!r}", f"{hint}allowed: {' | '.join(BACKENDS)}")
    return cast(Backend, importlib.import_module(BACKENDS[name]))
