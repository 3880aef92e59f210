"""ONNX Runtime on the CPU: the embedded default, without torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emoje_edge.engine.backends import BuildRequest, Built
from emoje_edge.engine.manifest import BATCH, Manifest
from emoje_edge.errors import WorkError
from emoje_edge.modality import Mask

if TYPE_CHECKING:
    from emoje_edge.engine.session import Arrays

PRECISIONS = ("int8", "fp32")
ENTRY = "model.onnx"


def unavailable(purpose: str) -> str | None:
    """None: ONNX Runtime comes with the package; building wants the `build` extra."""
    import importlib.util

    wanted = ("torch", "onnx", "onnxscript") if purpose == "build" else ("onnxruntime",)
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    return f"{', '.join(missing)} not installed: pip install 'emoje-edge[build]'" if missing else None


def target(name: str | None) -> dict[str, str | int]:
    """Any CPU: the graph is portable."""
    return {"kind": "cpu"}


def build(request: BuildRequest) -> Built:
    """Export to ONNX; see `emoje_edge.engine.export`."""
    from emoje_edge.engine.export import emit_request, export_versions

    (Path(request.folder) / ENTRY).write_bytes(emit_request(request))
    return Built(ENTRY, export_versions(), dynamic_batch=True)


def open(manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None) -> OnnxSession:
    """A session from verified bytes.

    Raises:
        WorkError: ONNX Runtime does not take the graph.
    """
    return OnnxSession(manifest, files[manifest.entry], threads=threads)


def default_threads() -> int:
    """Two cores are what a few million parameters can use; more only wait for each other."""
    return min(2, os.cpu_count() or 1)


def runtime() -> Any:
    """The onnxruntime module, imported so that it keeps to itself."""
    # before the import: some builds of ONNX Runtime report usage to their vendor
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


class OnnxSession:
    """One graph with its input and output buffers, allocated once a batch size and bound by address.

    Batch 1 has a session of its own, whose shapes ONNX Runtime knows and plans for; any other batch opens the graph
    a second time when it first comes.
    """

    def __init__(self, manifest: Manifest, graph: bytes, *, threads: int | None = None) -> None:
        self._manifest, self._graph, self._threads = manifest, graph, threads or default_threads()
        self._single: Any = self._open(single=True)
        self._several: Any = None
        given = {x.name for x in self._single.get_inputs()}, {x.name for x in self._single.get_outputs()}
        wanted = {x.name for x in manifest.inputs}, {x.name for x in manifest.outputs}
        if given != wanted:
            raise WorkError(f"{manifest.entry} is not the graph that its manifest describes", manifest.rebuild)
        self._inputs: dict[str, np.ndarray] = {}
        self._outputs: dict[str, np.ndarray] = {}
        self._binding: Any = None
        self._bind(1)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def mask(self) -> Mask:
        return self._manifest.mask

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        from emoje_edge.engine.session import check_inputs

        batch = check_inputs(self._manifest, inputs)
        if batch != len(next(iter(self._inputs.values()))):
            self._bind(batch)
        for name, buffer in self._inputs.items():
            np.copyto(buffer, inputs[name])
        (self._single if batch == 1 else self._several).run_with_iobinding(self._binding)
        return {name: buffer.copy() for name, buffer in self._outputs.items()}

    def _open(self, *, single: bool) -> Any:
        ort = runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if single:
            options.add_free_dimension_override_by_name(BATCH, 1)
        try:
            return ort.InferenceSession(self._graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no base but this one
            message = f"ONNX Runtime {ort.__version__} does not open it: {error}"
            raise WorkError(message, self._manifest.rebuild) from error

    def _bind(self, batch: int) -> None:
        def buffers(tensors: Any) -> dict[str, np.ndarray]:
            return {t.name: np.zeros([batch if n == BATCH else n for n in t.shape], t.dtype) for t in tensors}

        self._inputs, self._outputs = buffers(self._manifest.inputs), buffers(self._manifest.outputs)
        if batch != 1 and self._several is None:
            self._several = self._open(single=False)
        self._binding = (self._single if batch == 1 else self._several).io_binding()
        for bind, arrays in (
            (self._binding.bind_input, self._inputs),
            (self._binding.bind_output, self._outputs),
        ):
            for name, array in arrays.items():
                bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
