"""Backends: what turns a specialised network into engine files, and engine files into a session.

A backend is a module in this folder with these names (`interface.Backend` spells them out):

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

import importlib
from typing import cast

from emoje_edge.engine.interface import Backend
from emoje_edge.errors import UsageError, nearest

# name -> module, in the order in which `--fallback` tries them
BACKENDS: dict[str, str] = {
    "tensorrt": "emoje_edge.engine.backends.tensorrt",
    "aot": "emoje_edge.engine.backends.aot",
    "onnx": "emoje_edge.engine.backends.onnx",
}


def backend(name: str) -> Backend:
    """The backend of this name.

    Raises:
        UsageError: there is none, with the nearest right one.
    """
    if name not in BACKENDS:
        raise UsageError(f"unknown backend {name!r}", f"{nearest(name, BACKENDS)}allowed: {' | '.join(BACKENDS)}")
    return cast(Backend, importlib.import_module(BACKENDS[name]))
