"""Gradients of the operators in plain torch, written out (the formulas: `triton_backward`, `triton_weigh`).

A registered operator's implementation runs below autograd, so it cannot ask autograd for them; the reference itself,
called directly, needs none of this.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from emoje_kernels.layout import present
from emoje_kernels.reference import MASKED, accumulator, membership


def modality_weights_backward_reference(
    desc: Tensor, gate: Tensor, weights: Tensor, dfused: Tensor, dweights: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Gradients of the descriptors [N, 3, H, DH] and the gate [N, H, DH], in the accumulating type."""
    wide = accumulator(desc.dtype)
    d, g, dy = desc.to(wide), gate.to(wide), dfused.to(wide)
    r = torch.einsum("nmhd,nhd->nm", d, dy)
    r = r if dweights is None else r + dweights.to(wide)
    scores = weights * (r - (weights * r).sum(1, keepdim=True)) / math.sqrt(gate.shape[1] * gate.shape[2])
    ddesc = weights[:, :, None, None] * dy[:, None] + scores[:, :, None, None] * g[:, None]
    return ddesc, torch.einsum("nm,nmhd->nhd", scores, d)


def cross_modal_fuse_backward_reference(
    q: Tensor, k: Tensor, v: Tensor, lengths: Tensor, ddesc: Tensor, capacities: Sequence[int], *, mask: int
) -> Tensor:
    """Gradient of q, k and v packed as [N, S, 3, H, DH] from that of the descriptors, in the accumulating type."""
    wide = accumulator(q.dtype)
    q, k, v = (t.to(wide).transpose(1, 2) for t in (q, k, v))
    held, scale = present(mask), q.shape[-1] ** -0.5
    member = membership(lengths, capacities, mask).to(wide)
    share = member / member.sum(-1, keepdim=True).clamp(min=1)
    allowed = member.sum(1, keepdim=True) - member
    dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
    for i, m in enumerate(held):
        own = slice(sum(capacities[:m]), sum(capacities[: m + 1]))
        # u: [N, H, 1, DH]   p: [N, H, C, S]   t: [N, H, 1, S]
        u = ddesc.to(wide)[:, m, :, None]
        logits = (q[:, :, own] * scale) @ k.transpose(-1, -2) + (1 - allowed[:, None, i : i + 1]) * MASKED
        p = logits.softmax(-1) * allowed[:, None, i : i + 1]
        t = u @ v.transpose(-1, -2)
        a = share[:, None, i, own, None]
        ds = a * p * (t - (p * t).sum(-1, keepdim=True)) * scale
        dq[:, :, own] = ds @ k
        dk = dk + ds.transpose(-1, -2) @ q[:, :, own]
        dv = dv + ((a * p).sum(2) + share[:, i, None])[..., None] * u
    return torch.stack([dq, dk, dv], 2).permute(0, 3, 2, 1, 4)
