"""TensorRT: one plan for exactly this GPU, JetPack and TensorRT; built with Torch-TensorRT or TensorRT's own parser.

A plan is a program for one device: what else it would be run on is refused with the command that rebuilds it, not with
TensorRT's own "serialization version" message.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from emoje_edge.engine.backends import BuildRequest, Built
from emoje_edge.engine.gpu import device_facts, first_gpu
from emoje_edge.engine.install import command
from emoje_edge.engine.manifest import Manifest
from emoje_edge.errors import UsageError, WorkError

if TYPE_CHECKING:
    from emoje_edge.engine.tensorrt.runtime import TensorRTSession

PRECISIONS = ("int8", "fp16", "fp32")
ENTRY = "model.plan"
# a plan of another driver or JetPack has another key, but opens; these decide whether it can
DECISIVE = ("name", "compute_capability", "sm_count", "tensorrt")


def unavailable(purpose: str) -> str | None:
    """What keeps this machine from building or opening a plan, and the command for this very target."""
    if first_gpu() is None:
        return "no CUDA GPU or no driver here; TensorRT plans are built and run on the device they are for"
    if purpose == "build":
        missing = [name for name in ("torch", "tensorrt") if not _installed(name)]
        if not _installed("torch_tensorrt") and not _installed("onnx"):
            missing += ["torch_tensorrt"]
    else:
        missing = [name for name in ("tensorrt", "cuda.bindings") if not _installed(name)]
    return f"{', '.join(missing)} not installed: {command('tensorrt', purpose)}" if missing else None


def target(name: str | None) -> dict[str, str | int]:
    """This machine's GPU; there is no building for another.

    Raises:
        UsageError: `name` is neither `cuda`, nor this GPU's name or architecture.
        WorkError: no GPU here.
    """
    gpu = first_gpu()
    if gpu is None:
        raise WorkError("no CUDA GPU or no driver here", "run the build on the device; emoje-edge doctor shows it")
    if name not in (None, "cuda", gpu.name, gpu.architecture):
        raise UsageError(
            f"target {name!r}: TensorRT builds a plan on the GPU that it is for, here {gpu.name} ({gpu.architecture})",
            "run this command on the target device",
        )
    return device_facts() | {"tensorrt": _version()}


def build(request: BuildRequest) -> Built:
    """Write the plan: through Torch-TensorRT where it is installed, else through TensorRT's parser and our ONNX.

    Raises:
        WorkError: an operator has no converter, or TensorRT does not take the network.
    """
    path = Path(request.folder) / ENTRY
    versions = {"tensorrt": _version()}
    if _installed("torch_tensorrt"):
        from emoje_edge.engine.tensorrt.lowering import convert

        plan = convert(request.network, request.example, input_names=request.input_names, precision=request.precision)
        versions |= {name: version(name) for name in ("torch", "torch-tensorrt")}
    else:
        from emoje_edge.engine.tensorrt.onnx_parser import plan_from_request

        plan = plan_from_request(request)
    path.write_bytes(plan)
    return Built(ENTRY, versions)


def open(manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None) -> TensorRTSession:
    """A session from verified bytes; `threads` means nothing to a GPU.

    Raises:
        WorkError: no TensorRT here, a plan of another device, or one that TensorRT does not take.
    """
    problem = unavailable("open")
    if problem:
        raise WorkError(f"backend tensorrt does not work here: {problem}", command("tensorrt", "open"))
    difference = foreign(manifest.target, device_facts() | {"tensorrt": _version()})
    if difference:
        raise WorkError(f"the {manifest.mask} plan is of another device: {difference}", manifest.rebuild)
    from emoje_edge.engine.tensorrt.runtime import TensorRTSession

    return TensorRTSession(manifest, files[manifest.entry])


def foreign(built_for: Mapping[str, str | int], here: Mapping[str, str | int]) -> str | None:
    """Why a plan cannot run here, e.g. `sm_count 16, here 8`; None where it can."""
    for fact in DECISIVE:
        if built_for.get(fact) != here.get(fact):
            return f"built for {fact} {built_for.get(fact, 'unknown')}, here {here.get(fact, 'none')}"
    return None


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _version() -> str:
    import tensorrt

    return str(tensorrt.__version__)
