"""The key of an engine: SHA-256 over everything that the result of a build depends on.

Weights, spec, the source of the network and of the emitters (the graph with its arguments), mask, shapes, precision,
calibration set, backend, target device and library versions.  Another of any of them is another engine.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

# what decides the graph: their text is part of the key
SOURCES = ("emoje_edge.model", "emoje_edge.engine", "emoje_kernels", "emoje_calibration")


@lru_cache(maxsize=1)  # one answer a process: a build that takes minutes must not change its key on the way
def source_sha256() -> str:
    """Hash of the packages that decide an engine's graph."""
    digest = hashlib.sha256()
    for package in SOURCES:
        root = Path(str(importlib.import_module(package).__file__)).parent
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{package}/{path.relative_to(root).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def engine_key(material: Mapping[str, Any]) -> str:
    """SHA-256 of the material as canonical JSON."""
    return hashlib.sha256(json.dumps(material, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
