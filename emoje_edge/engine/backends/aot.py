"""AOTInductor: the network compiled to a shared library, by g++ on a CPU, with our Triton kernels inside on a GPU.

The second GPU backend, which needs no TensorRT, and the one that any machine with torch can check.  INT8 is not among
its precisions: Inductor would compute the rounding in floating point and gain nothing.
Source: torch.export's "AOTInductor: Ahead-Of-Time Compilation for Torch.Export-ed Models".
"""

from __future__ import annotations

import importlib.util
import io
import os
import platform
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emoje_edge.engine.gpu import device_facts, first_gpu
from emoje_edge.engine.install import command
from emoje_edge.engine.interface import Arrays, BuildRequest, Built, CheckedSession
from emoje_edge.engine.manifest import Manifest
from emoje_edge.errors import UsageError, WorkError

if TYPE_CHECKING:
    import torch


PRECISIONS = ("fp16", "fp32")
ENTRY = "model.pt2"
TARGETS = ("cpu", "cuda")
# what the compiled code depends on; `isa` is the widest vector instruction set that it may use
DECISIVE = {"cpu": ("machine", "isa", "torch"), "cuda": ("name", "compute_capability", "sm_count", "torch")}


def unavailable(purpose: str) -> str | None:
    """What keeps this machine from building or opening a package, and the command for this very target."""
    missing = [] if importlib.util.find_spec("torch") else ["torch"]
    if purpose == "build" and shutil.which(os.environ.get("CXX", "g++")) is None:
        missing.append("g++")
    return f"{', '.join(missing)} not installed: {command('aot', purpose)}" if missing else None


def target(name: str | None) -> dict[str, str | int]:
    """This machine's GPU where torch sees one, else its CPU.

    Raises:
        UsageError: neither `cpu` nor `cuda`.
        WorkError: `cuda`, and torch sees none.
    """
    import torch

    if name not in (None, *TARGETS):
        raise UsageError(f"target {name!r}: AOTInductor compiles for this machine", f"allowed: {' | '.join(TARGETS)}")
    if name == "cuda" and not torch.cuda.is_available():
        raise WorkError("torch finds no CUDA GPU here", "emoje-edge doctor")
    return _here("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def build(request: BuildRequest) -> Built:
    """Export, compile, package; half a minute to a minute on two cores.

    Raises:
        UsageError: `int8`.
        WorkError: the compiler fails.
    """
    import torch

    if request.precision not in PRECISIONS:
        raise UsageError(
            f"precision {request.precision} with backend aot",
            f"allowed: {' | '.join(PRECISIONS)}; int8 comes with --backend onnx or tensorrt",
        )
    kind = str(request.target["kind"])
    path = Path(request.folder) / ENTRY
    try:
        program = torch.export.export(_network(request, kind), tuple(x.to(kind) for x in request.example))
        # one thread: a few million parameters are done before a second one has started
        torch._inductor.aoti_compile_and_package(program, package_path=str(path), inductor_configs={"cpp.threads": 1})
    except Exception as error:  # Inductor and the C++ compiler have no common error
        reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise WorkError(f"AOTInductor does not compile the network: {reason}", command("aot", "build")) from error
    return Built(ENTRY, {"torch": torch.__version__})


def open(manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None) -> AotSession:
    """A session from verified bytes.

    Raises:
        WorkError: no torch here, a package of another device or torch, or one that torch does not take.
    """
    problem = unavailable("open")
    if problem:
        raise WorkError(f"backend aot does not work here: {problem}", command("aot", "open"))
    kind = str(manifest.target.get("kind"))
    if kind == "cuda" and first_gpu() is None:
        raise WorkError(
            f"the {manifest.mask} package is for {manifest.target.get('name')}; no GPU here", manifest.rebuild
        )
    difference = foreign(manifest.target, _here(kind))
    if difference:
        raise WorkError(f"the {manifest.mask} package is of another device: {difference}", manifest.rebuild)
    session = CudaSession if kind == "cuda" else AotSession
    return session(manifest, files[manifest.entry], threads=threads)


def foreign(built_for: Mapping[str, str | int], here: Mapping[str, str | int]) -> str | None:
    """Why a package cannot run here, e.g. `built for isa AVX512, here AVX2`; None where it can."""
    kind = built_for.get("kind")
    if kind not in DECISIVE:
        return f"built for {kind!r}, known are {' and '.join(DECISIVE)}"
    for fact in DECISIVE[str(kind)]:
        if built_for.get(fact) != here.get(fact):
            return f"built for {fact} {built_for.get(fact, 'unknown')}, here {here.get(fact, 'none')}"
    return None


class AotSession(CheckedSession):
    """A package on the CPU.  Inputs are seen in place; nothing is copied but the outputs.  Threads take turns."""

    def __init__(self, manifest: Manifest, package: bytes, *, threads: int | None = None) -> None:
        import torch

        super().__init__(manifest)
        self._torch = torch
        self._turn = threading.Lock()  # the package is loaded single-threaded, and a GPU's buffers are one set
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            # torch unpacks into a private temporary folder of its own
            self._run = torch._inductor.aoti_load_package(io.BytesIO(package), run_single_threaded=True)
        except Exception as error:  # the loader raises whatever its C++ side does
            reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
            raise WorkError(
                f"torch {torch.__version__} does not take {manifest.entry}: {reason}", manifest.rebuild
            ) from error

    def _compute(self, inputs: Arrays, batch: int) -> list[np.ndarray]:
        arrays = [np.ascontiguousarray(inputs[tensor.name]) for tensor in self._manifest.inputs]
        with self._turn, self._torch.inference_mode():
            return self._outputs(arrays)

    def _outputs(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        outputs = self._run(*(self._torch.from_numpy(array) for array in arrays))
        return [out.numpy().copy() for out in outputs]


class CudaSession(AotSession):
    """A package on the GPU: buffers allocated once, copies and kernels recorded as one CUDA graph."""

    def __init__(self, manifest: Manifest, package: bytes, *, threads: int | None = None) -> None:
        super().__init__(manifest, package, threads=threads)
        torch = self._torch
        shapes = [([1 if isinstance(n, str) else n for n in t.shape], getattr(torch, t.dtype)) for t in manifest.inputs]
        self._pinned = [torch.zeros(shape, dtype=dtype).pin_memory() for shape, dtype in shapes]
        self._device = [host.cuda() for host in self._pinned]
        self._graph = torch.cuda.CUDAGraph()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.inference_mode(), torch.cuda.stream(side):
            for _ in range(2):  # Triton kernels load and libraries take their memory outside the recording
                first = self._run(*self._device)
            self._results = [torch.empty_like(out, device="cpu").pin_memory() for out in first]
        torch.cuda.current_stream().wait_stream(side)
        with torch.inference_mode(), torch.cuda.graph(self._graph):
            self._copy(self._device, self._pinned)
            self._copy(self._results, self._run(*self._device))

    def _outputs(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        for host, array in zip(self._pinned, arrays, strict=True):
            np.copyto(host.numpy(), array)
        self._graph.replay()
        self._torch.cuda.synchronize()
        return [out.numpy().copy() for out in self._results]

    @staticmethod
    def _copy(to: list[torch.Tensor], given: Any) -> None:
        for left, right in zip(to, given, strict=True):
            left.copy_(right, non_blocking=True)


def _network(request: BuildRequest, kind: str) -> torch.nn.Module:
    import copy

    network = copy.deepcopy(request.network).to(kind).eval()
    if request.precision == "fp32":
        return network
    from emoje_edge.engine.half import HalfPrecision

    return HalfPrecision(network)


def _here(kind: str) -> dict[str, str | int]:
    import torch

    version = torch.__version__.split("+")[0]
    if kind == "cuda":
        return device_facts() | {"torch": version}
    return {
        "kind": "cpu",
        "machine": platform.machine(),
        "isa": torch.backends.cpu.get_cpu_capability(),
        "torch": version,
    }
