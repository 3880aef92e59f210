"""Allocate outputs and launch the Triton kernels: on a CUDA device, or on the CPU under TRITON_INTERPRET=1.

Imported only where a kernel is about to run, so that the package works without triton.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from emoje_kernels import triton_backward, triton_forward, triton_weigh
from emoje_kernels.layout import Layout, narrow

# Buffers are written whole by the kernels and never cleared; a test replaces this by one that fills them with NaN.
allocate = torch.empty


@lru_cache
def _multiprocessors(device: torch.device) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 1


def as_rows(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
    """q, k, v as the kernels read them, and the elements from one token to the next.

    Contiguous tensors and slices of one packed projection [N, S, 3, H, DH] are read in place; anything else, which a
    compiler may hand over, is copied.
    """
    s, h, dh = q.shape[1:]
    for row in (h * dh, 3 * h * dh):
        if all(t.stride() == (s * row, row, dh, 1) for t in (q, k, v)):
            return q, k, v, row
    return q.contiguous(), k.contiguous(), v.contiguous(), h * dh


def forward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    gate: Tensor,
    lengths: Tensor,
    scales: Tensor | None,
    capacities: Sequence[int],
    mask: int,
    *,
    one_launch: bool | None = None,
    warps: int | None = None,
    stages: int = 1,
) -> tuple[Tensor, Tensor, Tensor]:
    """(fused [N, H, DH] like the gate, weights [N, 3] fp32, descriptors [N, 3, H, DH] fp32).

    Args:
        one_launch: one program an utterance, or (utterance, head, modality) and a weighing kernel; None takes what
            fills the device.
        warps, stages: of the attention kernel; None takes the layout's.
    """
    n, _, h, dh = q.shape
    q, k, v, row = as_rows(q, k, v)
    gate, lengths = gate.contiguous(), lengths.contiguous()
    layout = Layout((capacities[0], capacities[1], capacities[2]), h, dh, mask, row)
    fused = allocate(n, h, dh, dtype=gate.dtype, device=q.device)
    weights = allocate(n, 3, dtype=torch.float32, device=q.device)
    desc = allocate(n, 3, h, dh, dtype=torch.float32, device=q.device)
    if n == 0:
        return fused, weights, desc
    if one_launch is None:
        # in fp32 the one-launch kernel runs out of registers
        one_launch = q.element_size() <= 2 and narrow(n, _multiprocessors(q.device))
    options = {"num_warps": layout.warps if warps is None else warps, "num_stages": stages}
    if one_launch:
        triton_forward.fuse[(n,)](q, k, v, gate, lengths, scales, fused, weights, desc, **layout.fused(), **options)
    else:
        grid = (n * h * layout.targets,)
        triton_forward.describe[grid](q, k, v, lengths, scales, desc, **layout.attention(), **options)
        triton_weigh.weigh[(n,)](desc, gate, lengths, fused, weights, **layout.weighing(), num_warps=1)
    return fused, weights, desc


def backward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    gate: Tensor,
    lengths: Tensor,
    weights: Tensor,
    desc: Tensor,
    dfused: Tensor,
    dweights: Tensor | None,
    ddesc: Tensor | None,
    capacities: Sequence[int],
    mask: int,
    *,
    warps: int | None = None,
) -> tuple[Tensor, Tensor]:
    """(gradient of q, k and v packed as [N, S, 3, H, DH], gradient of the gate [N, H, DH])."""
    n, s, h, dh = q.shape
    q, k, v, row = as_rows(q, k, v)
    layout = Layout((capacities[0], capacities[1], capacities[2]), h, dh, mask, row)
    dqkv = allocate(n, s, 3, h, dh, dtype=q.dtype, device=q.device)
    dgate = allocate(n, h, dh, dtype=gate.dtype, device=q.device)
    if n:
        gate, lengths, dfused = gate.contiguous(), lengths.contiguous(), dfused.contiguous()
        dweights = None if dweights is None else dweights.contiguous()
        ddesc = None if ddesc is None else ddesc.contiguous()
        triton_backward.fuse_backward[(n * h,)](
            q, k, v, gate, lengths, weights, desc, dfused, dweights, ddesc, dqkv, dgate, **layout.fused(),
            num_warps=layout.warps if warps is None else warps, num_stages=1,
        )  # fmt: skip
    return dqkv, dgate


def weigh(desc: Tensor, gate: Tensor, lengths: Tensor, mask: int) -> tuple[Tensor, Tensor]:
    """(fused [N, H, DH] like the gate, weights [N, 3] fp32)."""
    n, _, h, dh = desc.shape
    fused = allocate(n, h, dh, dtype=gate.dtype, device=desc.device)
    weights = allocate(n, 3, dtype=torch.float32, device=desc.device)
    if n:
        constants = Layout((1, 1, 1), h, dh, mask, h * dh).weighing()
        tensors = (desc.contiguous(), gate.contiguous(), lengths.contiguous(), fused, weights)
        triton_weigh.weigh[(n,)](*tensors, **constants, num_warps=1)
    return fused, weights


def weigh_backward(
    desc: Tensor, gate: Tensor, weights: Tensor, dfused: Tensor, dweights: Tensor | None, mask: int
) -> tuple[Tensor, Tensor]:
    """(gradient of the descriptors, gradient of the gate)."""
    n, _, h, dh = desc.shape
    ddesc = allocate(n, 3, h, dh, dtype=desc.dtype, device=desc.device)
    dgate = allocate(n, h, dh, dtype=gate.dtype, device=desc.device)
    if n:
        constants = Layout((1, 1, 1), h, dh, mask, h * dh).weighing()
        dweights = None if dweights is None else dweights.contiguous()
        tensors = (desc.contiguous(), gate.contiguous(), weights, dfused.contiguous(), dweights, ddesc, dgate)
        triton_weigh.weigh_backward[(n,)](*tensors, **constants, num_warps=1)
    return ddesc, dgate
