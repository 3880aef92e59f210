"""The definition of the operators in plain torch: any device, differentiable, exportable to ONNX.

Tokens of the three modalities lie one after another on one axis, each modality in a segment of fixed
capacity: text | audio | pose (an absent one has capacity 0).  For utterance n, head by head, modality m:

    d[n, m]  = mean_i v[n, m, i] + mean_i sum_j P[n, m, i, j] v[n, others, j]
    w[n]     = softmax over present m of <d[n, m], gate[n]> / sqrt(D)
    fused[n] = sum_m w[n, m] d[n, m]

P is the softmax of q k^T / sqrt(head_dim) over the valid tokens of the other present modalities.  The mean
over i is linear, so (mean P) V replaces mean (P V): exact, and half the arithmetic.
Source: AM2-EmoJE (arXiv 2402.10921), cross-attention of AMuSE (arXiv 2401.15164).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from emoje_kernels.layout import MODALITIES, present

# Finite, so that a fully masked row is uniform and not NaN; exp(-1e4) is zero in every float type.
MASKED = -1e4


def accumulator(dtype: torch.dtype) -> torch.dtype:
    """The type sums are kept in: fp64 for fp64, fp32 for all others."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def cross_modal_fuse_reference(
    q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor, capacities: Sequence[int], *, mask: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (fused [N, H, DH] like the gate, weights [N, 3], descriptors [N, 3, H, DH]).

    Args:
        q, k, v: [N, S, H, DH], S the sum of `capacities`.
        gate: [N, H, DH], the query of the modality weighting.
        lengths: [N, 3] integers, valid tokens of each modality; beyond its capacity counts as full.
        capacities: segment sizes of text, audio, pose.
        mask: bit m set where modality m may be present.

    Weights and descriptors are fp32, or fp64 where q is.
    """
    wide = accumulator(q.dtype)
    # [N, H, S, DH], as matrix products want them
    q, k, v = (t.to(wide).transpose(1, 2) for t in (q, k, v))
    held = present(mask)
    # member: [N, T, S], T the modalities of the mask; 1 where a valid token belongs to the modality
    member = membership(lengths, capacities, mask).to(wide)
    share = member / member.sum(-1, keepdim=True).clamp(min=1)
    rows = share[:, None]
    if len(held) > 1:
        allowed = member.sum(1, keepdim=True) - member
        # bias: [N, S, S], each query token has its modality's row
        bias = segments(lengths, capacities, mask).to(wide).transpose(0, 1) @ ((1 - allowed) * MASKED)
        logits = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2) + bias[:, None]
        # without any key the softmax is uniform over what is masked: nothing may come of it
        rows = rows + (share[:, None] @ logits.softmax(-1)) * allowed[:, None]
    # [N, H, T, S] x [N, H, S, DH]: the own mean and the mean of P in one product
    found = dict(zip(held, (rows @ v).unbind(2), strict=True))
    zero = torch.zeros_like(gate, dtype=wide)
    desc = torch.stack([found.get(m, zero) for m in range(MODALITIES)], 1)
    fused, weights = modality_weights_reference(desc, gate, lengths, mask=mask)
    return fused, weights, desc


def segments(lengths: Tensor, capacities: Sequence[int], mask: int) -> Tensor:
    """[T, S]: whether a place of the packed axis belongs to each of the mask's T modalities; a constant."""
    owner = torch.tensor([m for m in range(MODALITIES) for _ in range(capacities[m])], device=lengths.device)
    return owner[None] == torch.tensor(present(mask), device=lengths.device)[:, None]


def membership(lengths: Tensor, capacities: Sequence[int], mask: int) -> Tensor:
    """[N, T, S]: whether a token of the packed axis is a valid one of each of the mask's T modalities."""
    held = present(mask)
    device, dtype = lengths.device, lengths.dtype
    # position: [T, S], counted from each modality's own start
    starts = torch.tensor([sum(capacities[:m]) for m in held], device=device, dtype=dtype)
    position = torch.arange(sum(capacities), device=device, dtype=dtype)[None] - starts[:, None]
    given = lengths if len(held) == MODALITIES else torch.stack([lengths[:, m] for m in held], 1)
    return segments(lengths, capacities, mask) & (position < given[:, :, None])


def modality_weights_reference(desc: Tensor, gate: Tensor, lengths: Tensor, *, mask: int) -> tuple[Tensor, Tensor]:
    """Weigh descriptors [N, 3, H, DH] against the gate [N, H, DH]: (fused like the gate, weights [N, 3])."""
    wide = accumulator(desc.dtype)
    h, dh = gate.shape[1:]
    d = desc.to(wide)
    nobody = torch.zeros_like(lengths[:, 0], dtype=wide)
    here = torch.stack([(lengths[:, m] > 0).to(wide) if mask >> m & 1 else nobody for m in range(MODALITIES)], 1)
    score = torch.einsum("nmhd,nhd->nm", d, gate.to(wide)) / math.sqrt(h * dh) + (1 - here) * MASKED
    weights = score.softmax(-1) * here
    return torch.einsum("nm,nmhd->nhd", weights, d).to(gate.dtype), weights


def dequantize(x: Tensor, scale: Tensor) -> Tensor:
    """int8 [N, S, H, DH] times its head's scale [H], as fp32."""
    return x.float() * scale[None, None, :, None]
