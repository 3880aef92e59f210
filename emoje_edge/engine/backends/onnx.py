"""ONNX Runtime on the CPU: the embedded default, without torch."""

from __future__ import annotations

import os
import platform
import tempfile
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.engine.interface import Arrays, BuildRequest, Built, CheckedSession
from emoje_edge.engine.manifest import BATCH, Manifest
from emoje_edge.errors import WorkError
from emoje_edge.extras import install
from emoje_edge.runtime import runtime

PRECISIONS = ("int8", "fp32")
ENTRY = "model.onnx"


def unavailable(purpose: str) -> str | None:
    """None: ONNX Runtime comes with the package; building wants the `build` extra."""
    import importlib.util

    wanted = ("torch", "onnx") if purpose == "build" else ("onnxruntime",)
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    return f"{', '.join(missing)} not installed: {install('build')}" if missing else None


def target(name: str | None) -> dict[str, str | int]:
    """Any CPU: the graph is portable."""
    return {"kind": "cpu"}


def build(request: BuildRequest) -> Built:
    """Export to ONNX; see `emoje_edge.engine.export`."""
    from emoje_edge.engine.export import emit_request, export_versions

    graph, weights = emit_request(request)
    (Path(request.folder) / ENTRY).write_bytes(graph)
    return Built(ENTRY, export_versions(), weights, dynamic_batch=True)


def open(manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None) -> OnnxSession:
    """A session from verified bytes.

    Raises:
        WorkError: ONNX Runtime does not take the graph.
    """
    weights = {entry.name: files[entry.name] for entry in manifest.weights}
    return OnnxSession(manifest, files[manifest.entry], weights, threads=threads)


def default_threads() -> int:
    """Two cores are what a few million parameters can use; more only wait for each other."""
    return min(2, os.cpu_count() or 1)


@lru_cache(maxsize=1)
def multiplies_bytes() -> bool:
    """Whether this processor multiplies signed bytes without saturating: x86 with VNNI, or no x86.

    False where it cannot be told (x86 beside Linux).
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("flags")[2]
    except OSError:
        return False
    return bool({"avx512_vnni", "avx_vnni"} & set(flags.partition("\n")[0].split()))


def session_options(threads: int) -> Any:
    """ONNX Runtime's options for a graph with INT8: exact on any processor."""
    options = runtime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not multiplies_bytes():  # there ONNX Runtime makes signed weights unsigned, which is slower and exact
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


class OnnxSession(CheckedSession):
    """One graph, for any number of threads: a run holds its inputs and outputs itself, nothing is shared.

    Batch 1 has a session of its own, whose shapes ONNX Runtime knows and plans for; any other batch opens the graph
    a second time when it first comes.
    """

    def __init__(
        self, manifest: Manifest, graph: bytes, weights: Mapping[str, bytes], *, threads: int | None = None
    ) -> None:
        super().__init__(manifest)
        self._graph, self._weights = graph, weights
        self._threads = threads or default_threads()
        self._single: Any = self._open(single=True)
        self._several: Any = None
        self._opening = threading.Lock()
        given = {x.name for x in self._single.get_inputs()}, {x.name for x in self._single.get_outputs()}
        wanted = {x.name for x in manifest.inputs}, set(self._names)
        if given != wanted:
            raise WorkError(f"{manifest.entry} is not the graph that its manifest describes", manifest.rebuild)

    def _compute(self, inputs: Arrays, batch: int) -> list[np.ndarray]:
        session = self._single if batch == 1 else self._batched()
        # buffers bound once would save nothing (measured), and would be shared by the threads that call
        return session.run(self._names, inputs)  # type: ignore[no-any-return]

    def _batched(self) -> Any:
        with self._opening:
            if self._several is None:
                self._several = self._open(single=False)
            return self._several

    def _open(self, *, single: bool) -> Any:
        ort = runtime()
        options = session_options(self._threads)
        if single:
            options.add_free_dimension_override_by_name(BATCH, 1)
        try:
            return _session(ort, self._graph, self._weights, options)
        except Exception as error:  # ONNX Runtime's errors share no base but this one
            message = f"ONNX Runtime {ort.__version__} does not open it: {error}"
            raise WorkError(message, self._manifest.rebuild) from error


def _session(ort: Any, graph: bytes, weights: Mapping[str, bytes], options: Any) -> Any:
    """A session over a graph whose large tensors lie in other files, here verified bytes."""
    providers = ["CPUExecutionProvider"]
    if not weights:
        return ort.InferenceSession(graph, options, providers=providers)
    if hasattr(options, "add_external_initializers_from_files_in_memory"):
        sizes = [len(content) for content in weights.values()]
        options.add_external_initializers_from_files_in_memory(list(weights), list(weights.values()), sizes)
        return ort.InferenceSession(graph, options, providers=providers)
    # an older ONNX Runtime reads them from a folder: one of our own, with these bytes
    with tempfile.TemporaryDirectory(prefix="emoje-edge-") as folder:
        for name, content in {ENTRY: graph, **weights}.items():
            Path(folder, name).write_bytes(content)
        return ort.InferenceSession(str(Path(folder, ENTRY)), options, providers=providers)
