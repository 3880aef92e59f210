"""Compile the kernels for a GPU that need not be here, and read what the assembler made of them.

No driver and no GPU: `triton.compile` with an explicit target runs the whole pipeline, and the wheel brings ptxas and
cuobjdump.  Figures depend on the exact triton version, which the report names.
"""

import collections
import contextlib
import io
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from emoje_kernels.layout import Layout

POINTERS = {"float16": "*fp16", "bfloat16": "*bf16", "float32": "*fp32", "int8": "*i8"}
# shape of the published figures: width 256, 8 heads, 24 text, 48 audio and 30 pose tokens
DEFAULT_CAPACITIES = (24, 48, 30)
DEFAULT_HEADS, DEFAULT_HEAD_DIM = 8, 32
_ACTIVATIONS = ("q", "k", "v", "dqkv")
_HALF = ("gate", "fused", "dfused", "dgate")  # in the network's type, also where q, k and v are integers


@dataclass(frozen=True)
class Report:
    """What one kernel costs on one architecture.

    Attributes:
        kernel, arch, mask, dtype: what was compiled; `mask` as bits, text 1, audio 2, pose 4.
        warps: of a program.
        registers: of a thread.
        spills: instructions that load or store spilled registers.
        shared: bytes of a program.
        instructions: of the machine code, padding left out.
        mma: tensor-core instructions.
        fp64: whether double precision appears in the PTX.
        triton: the exact version.
    """

    kernel: str
    arch: str
    mask: int
    dtype: str
    warps: int
    registers: int
    spills: int
    shared: int
    instructions: int
    mma: int
    fp64: bool
    triton: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def kernels() -> dict[str, Any]:
    """Every kernel by name.

    Raises:
        RuntimeError: triton is not installed, or its interpreter is on, which compiles nothing.
    """
    if os.environ.get("TRITON_INTERPRET") == "1":
        raise RuntimeError("TRITON_INTERPRET=1 replaces the compiler: unset it to compile kernels")
    try:
        from emoje_kernels import triton_backward, triton_forward, triton_weigh
    except ImportError as error:
        raise RuntimeError(f"triton is not installed ({error}): pip install 'triton>=3.4,<3.8'") from error
    return {
        "fuse": triton_forward.fuse,
        "describe": triton_forward.describe,
        "fuse_backward": triton_backward.fuse_backward,
        "weigh": triton_weigh.weigh,
        "weigh_backward": triton_weigh.weigh_backward,
    }


def triton_version() -> str:
    """Version of the triton that compiles, e.g. `3.7.1`."""
    import triton

    return triton.__version__


def parse_arch(arch: str) -> int:
    """`sm_87` -> 87.

    Raises:
        ValueError: anything else, or older than tensor cores with bf16.
    """
    found = re.fullmatch(r"sm_(\d{2,3})a?", arch.strip())
    if not found or int(found[1]) < 80:
        raise ValueError(
            f"architecture {arch!r}: give sm_80 or later, e.g. sm_87 (Orin), sm_90 (H100/H200), sm_110 (Thor)"
        )
    return int(found[1])


def signature(kernel: Any, dtype: str, constants: Mapping[str, object], *, gate: str | None = None) -> dict[str, str]:
    """Triton types of every parameter: pointers by name, the rest compile-time constants."""
    # as in training: only INT8 has scales, and no loss looks at the weights themselves
    constant = {*constants, "dweights"} | (set() if dtype == "int8" else {"scales"})
    pointers = dict.fromkeys(_ACTIVATIONS, POINTERS[dtype])
    pointers |= dict.fromkeys(_HALF, POINTERS[gate or ("float16" if dtype == "int8" else dtype)])
    pointers["lengths"] = "*i32"
    return {name: "constexpr" if name in constant else pointers.get(name, "*fp32") for name in kernel.arg_names}


def compile_kernel(
    name: str,
    layout: Layout,
    arch: str,
    *,
    dtype: str = "float16",
    gate: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Compile one kernel; the result has `.asm` ("ptx", "cubin") and `.metadata`.

    Args:
        name: a key of `kernels()`.
        dtype: of q, k and v: float32, float16, bfloat16 or int8.
        gate: of the gate and the fused output; q's own, float16 for int8.
        options: of the compiler, over the layout's warps and one stage.

    Raises:
        ValueError: a kernel, dtype or architecture that there is none of.
        RuntimeError: this triton cannot compile for the architecture.
    """
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    known = kernels()
    if name not in known or dtype not in POINTERS or (dtype == "int8" and "backward" in name):
        raise ValueError(
            f"kernel {name!r} in {dtype!r}: kernels are {', '.join(known)}; types {', '.join(POINTERS)} (int8: forward)"
        )
    kernel = known[name]
    constants: dict[str, Any] = dict(layout.weighing() if name.startswith("weigh") else layout.fused())
    constants = {key: value for key, value in constants.items() if key in kernel.arg_names}
    types = signature(kernel, dtype, constants, gate=gate)
    constants |= {key: None for key, kind in types.items() if kind == "constexpr" and key not in constants}
    aligned = {(i,): [["tt.divisibility", 16]] for i, key in enumerate(kernel.arg_names) if types[key].startswith("*")}
    source = ASTSource(fn=kernel, signature=types, constexprs=constants, attrs=aligned)
    warps = 1 if name.startswith("weigh") else layout.warps
    settings = {"num_warps": warps, "num_stages": 1, **(options or {})}
    try:
        # a failed compilation prints the whole PTX
        with contextlib.redirect_stdout(io.StringIO()):
            return triton.compile(source, target=GPUTarget("cuda", parse_arch(arch), 32), options=settings)
    except ValueError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reason = next((line for line in lines if "fatal" in line), lines[-1]).strip()[:200]
        raise RuntimeError(f"triton {triton.__version__} cannot compile {name} for {arch}: {reason}") from error


def tool(name: str) -> Path:
    """A program of the CUDA toolkit as the triton wheel brings it."""
    import triton

    return Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / name


@lru_cache(maxsize=1)
def _opcode() -> Callable[[str], list[str]]:
    return re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+ )?([A-Z][A-Z0-9_.]+)").findall


def measure(cubin: bytes) -> tuple[dict[str, int], collections.Counter[str]]:
    """(REG, STACK, SHARED and LOCAL in registers and bytes; how often each machine instruction occurs)."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        usage, code = (
            subprocess.run([tool("cuobjdump"), flag, file.name], capture_output=True, text=True, check=True).stdout
            for flag in ("--dump-resource-usage", "-sass")
        )
    resources = {key: int(value) for key, value in re.findall(r"(REG|STACK|SHARED|LOCAL):(\d+)", usage)}
    return resources, collections.Counter(opcode.split(".")[0] for opcode in _opcode()(code))


def report(
    name: str,
    arch: str,
    *,
    mask: int = 7,
    dtype: str = "float16",
    capacities: tuple[int, int, int] = DEFAULT_CAPACITIES,
    heads: int = DEFAULT_HEADS,
    head_dim: int = DEFAULT_HEAD_DIM,
    options: Mapping[str, Any] | None = None,
) -> Report:
    """Compile one kernel for one architecture and count; raises as `compile_kernel` does."""
    held = tuple(c if mask >> m & 1 else 0 for m, c in enumerate(capacities))
    layout = Layout((held[0], held[1], held[2]), heads, head_dim, mask, heads * head_dim)
    built = compile_kernel(name, layout, arch, dtype=dtype, options=options)
    resources, opcodes = measure(built.asm["cubin"])
    return Report(
        kernel=name,
        arch=arch,
        mask=mask,
        dtype=dtype,
        warps=built.metadata.num_warps,
        registers=resources.get("REG", 0),
        spills=opcodes["LDL"] + opcodes["STL"],
        shared=built.metadata.shared,
        instructions=sum(opcodes.values()) - opcodes["NOP"],
        mma=sum(count for opcode, count in opcodes.items() if "MMA" in opcode),
        fp64=".f64" in built.asm["ptx"],
        triton=triton_version(),
    )
