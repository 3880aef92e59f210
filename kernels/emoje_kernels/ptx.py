"""Make Triton's PTX fit a launcher that knows only the kernel's own arguments, as TensorRT's plugins do.

Triton appends hidden pointers (global and profiling scratch) to every kernel.  A launcher that does not pass them
reads stale memory, so they are removed from the signature, after a check that the body never touches them; and the
PTX version is capped to what the reader's driver knows.
"""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from emoje_kernels import aot

# TensorRT 10.9 came with CUDA 12.8, whose assembler reads PTX up to 8.7
NEWEST_PTX = (8, 7)


@dataclass(frozen=True)
class Parameter:
    """One `.param` of a kernel's signature, e.g. type `.u64`, name `fuse_param_0`."""

    text: str

    @property
    def pointer(self) -> bool:
        return ".u64" in self.text

    @property
    def name(self) -> str:
        return re.sub(r"\[.*", "", self.text).split()[-1]


def _signature(ptx: str, kernel: str) -> re.Match[str]:
    found = re.search(rf"(\.entry\s+{re.escape(kernel)}\s*\()([^)]*)(\))", ptx)
    if found is None:
        raise ValueError(f"PTX holds no kernel {kernel!r}")
    return found


def parameters(ptx: str, kernel: str) -> list[Parameter]:
    """The kernel's parameters in order."""
    listed = _signature(ptx, kernel)[2]
    return [Parameter(" ".join(text.split())) for text in listed.split(",") if text.strip()]


def strip_hidden(ptx: str, kernel: str, keep: int) -> str:
    """Drop all parameters after the first `keep`.

    Raises:
        ValueError: fewer than `keep` parameters, or one to be dropped is read.
    """
    found = parameters(ptx, kernel)
    if len(found) < keep:
        raise ValueError(f"kernel {kernel!r} has {len(found)} parameters, fewer than the {keep} to keep")
    signature = _signature(ptx, kernel)
    body = ptx[signature.end() :]
    for parameter in found[keep:]:
        if re.search(rf"\b{re.escape(parameter.name)}\b", body):
            raise ValueError(f"kernel {kernel!r} reads {parameter.name}, a hidden parameter: it needs scratch memory")
    kept = ",\n\t".join(parameter.text for parameter in found[:keep])
    return f"{ptx[: signature.start()]}{signature[1]}\n\t{kept}\n{signature[3]}{body}"


def version(ptx: str) -> tuple[int, int]:
    """PTX version, e.g. (8, 7)."""
    found = re.search(r"^\.version (\d+)\.(\d+)", ptx, re.MULTILINE)
    if found is None:
        raise ValueError("PTX without a .version line")
    return int(found[1]), int(found[2])


def target(ptx: str) -> str:
    """Architecture that the PTX is for, e.g. `sm_87`."""
    found = re.search(r"^\.target (\w+)", ptx, re.MULTILINE)
    if found is None:
        raise ValueError("PTX without a .target line")
    return found[1]


def reassemble(ptx: str) -> bytes:
    """Assemble PTX with the ptxas of the triton wheel: proof that an edited kernel is still one.

    Raises:
        ValueError: ptxas refuses it, with its reason.
    """
    assembler = aot.tool("ptxas-blackwell" if int(re.sub(r"\D", "", target(ptx))) >= 100 else "ptxas")
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder) / "kernel.ptx", Path(folder) / "kernel.cubin"
        source.write_text(ptx)
        run = subprocess.run(
            [assembler, f"--gpu-name={target(ptx)}", source, "-o", built], capture_output=True, text=True
        )
        if run.returncode:
            raise ValueError(f"ptxas refuses the kernel: {run.stderr.strip()[:300]}")
        return built.read_bytes()


def version_option(newest: tuple[int, int] = NEWEST_PTX) -> dict[str, int]:
    """The compiler's option that caps the PTX version, e.g. {"ptx_version": 87}."""
    return {"ptx_version": newest[0] * 10 + newest[1]}
