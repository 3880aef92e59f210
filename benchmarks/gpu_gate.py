"""The correctness gate of the GPU benchmarks: numerics of the very kernels whose speed would be reported."""

from __future__ import annotations

from dataclasses import dataclass

import emoje_kernels as ek
import torch
from emoje_kernels.reference import cross_modal_fuse_reference
from torch import Tensor

# largest root-mean-square error, as a share of the values': fp32 and INT8 products are exact but for rounding
LIMITS = {torch.float32: 2e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
GRADIENT_LIMITS = {torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}
CAPACITIES = (24, 48, 30)


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        error: what was found.
        limit: what is allowed.
    """

    name: str
    error: float
    limit: float

    @property
    def passed(self) -> bool:
        # NaN compares false, so a NaN is red
        return self.error <= self.limit


def ratio(found: Tensor, exact: Tensor) -> float:
    """Root mean square of the error over that of the exact values."""
    found, exact = found.detach().double(), exact.detach().double()
    size = exact.square().mean().sqrt()
    return float((found - exact).square().mean().sqrt() / size.clamp(min=1e-12))


def example(device: torch.device, utterances: int, dtype: torch.dtype, heads: int, head_dim: int) -> list[Tensor]:
    """q, k, v, gate and ragged lengths; the second utterance is empty."""
    generator = torch.Generator().manual_seed(utterances)
    shape = (utterances, sum(CAPACITIES), heads, head_dim)
    tensors = [torch.randn(shape, generator=generator) for _ in range(3)]
    tensors.append(torch.randn(utterances, heads, head_dim, generator=generator))
    limit = torch.tensor(CAPACITIES) + 1
    lengths = (torch.rand(utterances, 3, generator=generator) * limit).to(torch.int32)
    lengths[1:2] = 0
    return [*(t.to(device, dtype) for t in tensors), lengths.to(device)]


def check_types(device: torch.device, impl: str, utterances: int, heads: int, head_dim: int) -> list[Check]:
    """Outputs and gradients of every mask in every type against fp64 of the same rounded inputs."""
    checks = []
    # the interpreter computes bf16 wrongly, and a CPU is here only to test this script
    types = [t for t in LIMITS if device.type == "cuda" or t != torch.bfloat16]
    for dtype in types:
        worst = {"outputs": 0.0, "gradients": 0.0}
        for mask in range(1, 8):
            *tensors, lengths = example(device, utterances, dtype, heads, head_dim)
            leaves = [t.requires_grad_() for t in tensors]
            exact = [t.detach().double().requires_grad_() for t in tensors]
            found = ek.cross_modal_fuse(*leaves, lengths, CAPACITIES, mask=mask, impl=impl)
            expected = cross_modal_fuse_reference(*exact, lengths, CAPACITIES, mask=mask)
            dy = torch.randn(expected[0].shape, dtype=torch.float64, device=device).to(dtype)
            back = torch.autograd.grad(found[0], leaves, dy, allow_unused=True)
            wanted = torch.autograd.grad(expected[0], exact, dy.double(), allow_unused=True)
            outputs = [ratio(a, b) for a, b in zip(found, expected)]  # noqa: B905 - as long as each other
            # together: one that nearly cancels has no scale of its own; unused ones are zero
            pairs = [(_or_zeros(a, x), _or_zeros(b, x)) for a, b, x in zip(back, wanted, leaves)]  # noqa: B905
            a, b = (torch.cat([t.double().flatten() for t in side]) for side in zip(*pairs))  # noqa: B905
            gradients = [ratio(a, b)]
            worst["outputs"] = _worst(worst["outputs"], outputs)
            worst["gradients"] = _worst(worst["gradients"], gradients)
        name = str(dtype).removeprefix("torch.")
        checks.append(Check(f"{name} outputs, all masks", worst["outputs"], LIMITS[dtype]))
        checks.append(Check(f"{name} gradients, all masks", worst["gradients"], GRADIENT_LIMITS[dtype]))
    return checks


def _or_zeros(gradient: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if gradient is None else gradient


def _worst(so_far: float, errors: list[float]) -> float:
    """The largest, where a NaN is larger than all."""
    return next((e for e in (so_far, *errors) if e != e), max(so_far, *errors))


def check_int8(device: torch.device, impl: str, utterances: int, heads: int) -> Check:
    """INT8 against the reference on the same integers."""
    *tensors, lengths = example(device, utterances, torch.float32, heads, 32)
    scales = ek.per_head_scales(torch.stack([t.abs().amax((0, 1, 3)) for t in tensors[:3]]))
    q, k, v = (ek.quantize(t, s) for t, s in zip(tensors, scales))  # noqa: B905 - the gate stays as it is
    results = [
        ek.cross_modal_fuse_int8(q, k, v, tensors[3], lengths, CAPACITIES, scales=scales, mask=7, impl=name)
        for name in (impl, "reference")
    ]
    return Check("int8 outputs", _worst(0.0, [ratio(a, b) for a, b in zip(*results)]), 1e-5)  # noqa: B905


def check_repeatable(device: torch.device, impl: str, utterances: int, heads: int, head_dim: int) -> Check:
    """Two runs, equal to the bit: outputs and gradients."""
    runs = []
    for _ in range(2):
        *tensors, lengths = example(device, utterances, torch.float32, heads, head_dim)
        leaves = [t.requires_grad_() for t in tensors]
        found = ek.cross_modal_fuse(*leaves, lengths, CAPACITIES, mask=7, impl=impl)
        runs.append([*found, *torch.autograd.grad(found[0].square().sum(), leaves)])
    different = sum(int(not torch.equal(a, b)) for a, b in zip(*runs))  # noqa: B905 - as long as each other
    return Check("repeatable to the bit (tensors that differ)", float(different), 0.0)


def run_gate(
    device: torch.device, *, impl: str = "triton", utterances: int = 5, heads: int = 8, head_dim: int = 32
) -> list[Check]:
    """Every check on `device`; a tiny size and impl="reference" let a CPU test this code."""
    return [
        *check_types(device, impl, utterances, heads, head_dim),
        check_int8(device, impl, utterances, heads),
        check_repeatable(device, impl, utterances, heads, head_dim),
    ]
