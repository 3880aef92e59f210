"""Ahead-of-time budgets: what the kernels cost on GPUs that this machine does not have, by exact triton version.

Shape: width 256, 8 heads, 24 text, 48 audio and 30 pose tokens.  A figure above its budget is a regression of ours or
of the compiler; a new triton has no budgets until someone records them here.
"""

import os

import pytest
from emoje_kernels import aot

triton = pytest.importorskip("triton", reason="compiling needs triton (Linux only)")

# triton -> (kernel, arch, dtype) -> mask -> registers measured
BUDGETS: dict[str, dict[tuple[str, str, str], dict[int, int]]] = {
    "3.7.1": {
        ("fuse", "sm_87", "float16"): {7: 168, 6: 105, 5: 79, 3: 112, 4: 51, 2: 62, 1: 53},
        ("fuse", "sm_90", "float16"): {7: 184, 6: 115, 5: 106, 3: 128, 4: 51, 2: 55, 1: 56},
        ("describe", "sm_87", "float16"): {7: 105},
        ("describe", "sm_90", "float16"): {7: 105},
        ("describe", "sm_87", "float32"): {7: 214},
        ("fuse", "sm_87", "int8"): {7: 188},
        ("fuse", "sm_110", "float16"): {3: 136},
        ("fuse_backward", "sm_90", "float16"): {3: 212},
        ("weigh", "sm_87", "float16"): {7: 48},
        ("weigh_backward", "sm_87", "float16"): {7: 62},
    },
    # cannot compile for sm_110
    "3.6.0": {
        ("fuse", "sm_87", "float16"): {7: 168, 6: 128, 5: 106, 3: 138, 4: 51, 2: 62, 1: 53},
        ("fuse", "sm_90", "float16"): {7: 193, 6: 141, 5: 119, 3: 128, 4: 51, 2: 55, 1: 56},
        ("describe", "sm_87", "float16"): {7: 120},
        ("describe", "sm_90", "float16"): {7: 108},
        ("describe", "sm_87", "float32"): {7: 222},
        ("fuse", "sm_87", "int8"): {7: 196},
        ("fuse_backward", "sm_90", "float16"): {3: 210},
        ("weigh", "sm_87", "float16"): {7: 48},
        ("weigh_backward", "sm_87", "float16"): {7: 62},
    },
}
SLACK = 8  # registers are given out eight at a time
SHARED = 20 * 1024  # bytes a program, so that several fit a multiprocessor
CASES = [(*key, mask) for key, masks in BUDGETS.get(triton.__version__, {}).items() for mask in masks]

pytestmark = [
    pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter replaces the compiler"),
    pytest.mark.skipif(
        not CASES, reason=f"no budget recorded for triton {triton.__version__}, only for {', '.join(BUDGETS)}"
    ),
]


@pytest.mark.parametrize(("kernel", "arch", "dtype", "mask"), CASES)
def test_budget(kernel: str, arch: str, dtype: str, mask: int) -> None:
    found = aot.report(kernel, arch, mask=mask, dtype=dtype)
    assert found.registers <= BUDGETS[triton.__version__][kernel, arch, dtype][mask] + SLACK
    assert found.spills == 0
    assert found.shared <= SHARED
    assert not found.fp64
    attends = mask.bit_count() > 1 and not kernel.startswith("weigh")
    assert (found.mma > 0) == attends, "tensor cores where two modalities meet, and nowhere else"


def test_one_modality_is_small() -> None:
    """The mask is compiled in: a text-only kernel holds no attention at all."""
    assert aot.report("fuse", "sm_87", mask=1).instructions < 400


def test_production_shape() -> None:
    """Width 128, 4 heads, 32 text, 48 audio and 24 pose tokens."""
    found = aot.report("describe", "sm_87", capacities=(32, 48, 24), heads=4, head_dim=32)
    assert (found.spills, found.fp64) == (0, False)


@pytest.mark.parametrize("arch", ["87", "sm_", "sm_75", "gfx90a", ""])
def test_unknown_architecture(arch: str) -> None:
    with pytest.raises(ValueError, match="sm_80 or later"):
        aot.report("weigh", arch)


def test_unknown_kernel_and_type() -> None:
    with pytest.raises(ValueError, match="fuse_backward"):
        aot.report("nonsense", "sm_87")
    with pytest.raises(ValueError, match="int8"):
        aot.report("fuse_backward", "sm_87", dtype="int8")
