"""Which of the supported targets this machine is, and the commands that make a backend work on exactly it.

`doctor`, `build` and every "not installed" message take their commands from this one table (docs/jetson.md explains
them).  On a Jetson TensorRT comes with JetPack, and CPU torch is enough to build: TensorRT's parser takes our ONNX.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass

from emoje_edge.engine.gpu import first_gpu, jetpack, l4t_release
from emoje_edge.extras import install, target

_VENV = "python3 -m venv --system-site-packages ~/emoje && . ~/emoje/bin/activate"  # sees JetPack's tensorrt module
_JETPACK = f"sudo apt install nvidia-jetpack python3-libnvinfer && {_VENV}"


@dataclass(frozen=True)
class Target:
    """One row of the support table.

    Attributes:
        name: for people.
        commands: (backend, purpose) -> command; a pair that is not there cannot work on this target.
        tested: this project has run it on such a machine.
    """

    name: str
    commands: dict[tuple[str, str], str]
    tested: bool


_ONNX = {
    ("onnx", "open"): install(),
    ("onnx", "build"): install("build"),
}
CPU = Target(
    "CPU",
    _ONNX | {("aot", use): f"{install('build')} && sudo apt install g++" for use in ("open", "build")},
    tested=True,
)
X86_GPU = Target(
    "x86-64 with an NVIDIA GPU",
    _ONNX
    | {
        ("tensorrt", "open"): install("tensorrt"),
        ("tensorrt", "build"): install("build,tensorrt"),
        ("aot", "open"): install("build,gpu"),
        ("aot", "build"): f"{install('build,gpu')} && sudo apt install g++",
    },
    tested=False,
)
JETPACK_6 = Target(
    "Jetson Orin, JetPack 6",
    _ONNX
    | {
        ("tensorrt", "open"): f"{_JETPACK} && pip install {target()} 'cuda-bindings==12.*'",
        ("tensorrt", "build"): f"{_JETPACK} && pip install {target('build')} 'cuda-bindings==12.*'",
    },
    tested=False,
)
JETPACK_7 = Target(
    "Jetson, JetPack 7",
    _ONNX
    | {
        ("tensorrt", "open"): f"{_JETPACK} && pip install {target()} 'cuda-bindings==13.*'",
        ("tensorrt", "build"): f"{_JETPACK} && pip install {target('build')} 'cuda-bindings==13.*'",
    },
    tested=False,
)


def this_target() -> Target:
    """The row for this machine; a Jetson of another JetPack gets the nearest."""
    release = jetpack(l4t_release())
    if release is not None:
        return JETPACK_7 if release.startswith("7") else JETPACK_6
    if first_gpu() is not None and platform.machine() == "x86_64":
        return X86_GPU
    return CPU


def command(backend: str, purpose: str, machine: Target | None = None) -> str:
    """What to run so that `backend` can `open` or `build` here; where it never will, which backend does."""
    machine = machine or this_target()
    never = f"not possible on this machine ({machine.name}): take --backend onnx"
    return machine.commands.get((backend, purpose), never)
