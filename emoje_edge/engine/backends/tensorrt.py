"""TensorRT: one plan for exactly this GPU, JetPack and TensorRT; built with Torch-TensorRT or TensorRT's own parser.

A plan is a program for one device: what else it would be run on is refused with the command that rebuilds it, not with
TensorRT's own "serialization version" message.  The target `portable` is no plan but our ONNX with signed INT8, made on
any machine: TensorRT's parser compiles it when it is opened, or `trtexec` beforehand.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from emoje_edge.engine.gpu import device_facts, first_gpu
from emoje_edge.engine.install import command
from emoje_edge.engine.interface import BuildRequest, Built
from emoje_edge.engine.manifest import Manifest
from emoje_edge.errors import UsageError, WorkError

if TYPE_CHECKING:
    from emoje_edge.engine.tensorrt.runtime import TensorRTSession

ENTRY = "model.plan"
PORTABLE, PORTABLE_ENTRY = "portable", "model.onnx"
# a plan of another driver or JetPack has another key, but opens; these decide whether it can
DECISIVE = ("name", "compute_capability", "sm_count", "tensorrt")


def unavailable(purpose: str) -> str | None:
    """What keeps this machine from building or opening a plan, and the command for this very target."""
    if purpose == "build":  # the portable target needs no more, and `target` refuses the others
        missing = [name for name in ("torch", "onnx") if not _installed(name)]
    elif first_gpu() is None:
        return "no CUDA GPU or no driver here; TensorRT runs on the device that an engine is for"
    else:
        missing = [name for name in ("tensorrt", "cuda.bindings") if not _installed(name)]
    return f"{', '.join(missing)} not installed: {command('tensorrt', purpose)}" if missing else None


def target(name: str | None) -> dict[str, str | int]:
    """This machine's GPU, or `portable`; there is no building a plan for another.

    Raises:
        UsageError: `name` is neither `portable` nor `cuda`, nor this GPU's name or architecture.
        WorkError: no GPU here, or no TensorRT.
    """
    if name == PORTABLE:
        return {"kind": PORTABLE}
    gpu = first_gpu()
    if gpu is None:
        hint = "run the build on the device, or take --target portable and copy the engine there"
        raise WorkError("no CUDA GPU or no driver here, and a plan is built on the GPU that it is for", hint)
    if name not in (None, "cuda", gpu.name, gpu.architecture):
        raise UsageError(
            f"target {name!r}: TensorRT builds a plan on the GPU that it is for, here {gpu.name} ({gpu.architecture})",
            "run this command on the target device",
        )
    if not _installed("tensorrt"):
        raise WorkError("tensorrt is not installed", command("tensorrt", "build"))
    return device_facts() | {"tensorrt": _version()}


def build(request: BuildRequest) -> Built:
    """Write the plan: through Torch-TensorRT where it is installed, else through TensorRT's parser and our ONNX.

    Raises:
        WorkError: an operator has no converter, or TensorRT does not take the network.
    """
    if request.target["kind"] == PORTABLE:
        from emoje_edge.engine.export import export_versions
        from emoje_edge.engine.tensorrt.onnx_parser import signed_onnx

        (Path(request.folder) / PORTABLE_ENTRY).write_bytes(signed_onnx(request))
        return Built(PORTABLE_ENTRY, export_versions(), runnable=unavailable("open") is None)
    path = Path(request.folder) / ENTRY
    versions = {"tensorrt": _version()}
    if _installed("torch_tensorrt"):
        from emoje_edge.engine.tensorrt.lowering import convert

        plan = convert(request.network, request.example, input_names=request.input_names, precision=request.precision)
        versions |= {name: version(name) for name in ("torch", "torch-tensorrt")}
    else:
        from emoje_edge.engine.tensorrt.onnx_parser import plan_from_onnx, signed_onnx

        plan = plan_from_onnx(signed_onnx(request))
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
    from emoje_edge.engine.tensorrt.runtime import TensorRTSession

    if manifest.target.get("kind") == PORTABLE:
        from emoje_edge.engine.tensorrt.onnx_parser import plan_from_onnx

        return TensorRTSession(manifest, plan_from_onnx(files[manifest.entry]))
    difference = foreign(manifest.target, device_facts() | {"tensorrt": _version()})
    if difference:
        raise WorkError(f"the {manifest.mask} plan is of another device: {difference}", manifest.rebuild)
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


# TensorRT's parser takes our ONNX in INT8 and single precision; half precision comes with Torch-TensorRT
PRECISIONS = ("int8", "fp16", "fp32") if _installed("torch_tensorrt") else ("int8", "fp32")
