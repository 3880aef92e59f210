"""The definition of the operator in plain torch: any device, differentiable, exportable to ONNX.

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

# Finite, so that a fully masked row is uniform and not NaN; exp(-1e4) is zero in every float type.
MASKED = -1e4


def cross_modal_fuse_reference(
    q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor, capacities: Sequence[int], *, mask: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return (fused [N, H, DH], weights [N, 3], descriptors [N, 3, H, DH]).

    Args:
        q, k, v: [N, S, H, DH], S the sum of `capacities`.
        gate: [N, H, DH], the query of the modality weighting.
        lengths: [N, 3] integers, valid tokens of each modality, at most its capacity.
        capacities: segment sizes of text, audio, pose.
        mask: bit m set where modality m may be present.
    """
    n, _, h, dh = q.shape
    present = [m for m in range(3) if mask >> m & 1]
    starts = [sum(capacities[:m]) for m in range(3)]
    segment = {m: slice(starts[m], starts[m] + capacities[m]) for m in present}
    # valid[m]: [N, capacity], 1 for a token, 0 for padding
    valid = {
        m: (torch.arange(capacities[m], device=q.device)[None] < lengths[:, m : m + 1]).to(q.dtype) for m in present
    }
    share = {m: valid[m] / valid[m].sum(1, keepdim=True).clamp(min=1) for m in present}
    zero = torch.zeros(n, h, dh, dtype=q.dtype, device=q.device)
    descriptors = [zero, zero, zero]
    for m in present:
        descriptors[m] = torch.einsum("ns,nshd->nhd", share[m], v[:, segment[m]])
        others = [o for o in present if o != m]
        if others:
            keys, values, there = (
                torch.cat([x[o] for o in others], 1)
                for x in ({o: k[:, segment[o]] for o in others}, {o: v[:, segment[o]] for o in others}, valid)
            )
            logits = torch.einsum("nihd,njhd->nhij", q[:, segment[m]], keys) * dh**-0.5
            logits = logits + (1 - there)[:, None, None, :] * MASKED
            # rows: [N, H, J], the mean of P over the valid queries; nothing where there is no key
            rows = torch.einsum("ni,nhij->nhj", share[m], logits.softmax(-1)) * there.amax(1)[:, None, None]
            descriptors[m] = descriptors[m] + torch.einsum("nhj,njhd->nhd", rows, values)
    desc = torch.stack(descriptors, 1)
    here = torch.stack([valid[m].amax(1) if m in valid else torch.zeros_like(zero[:, 0, 0]) for m in range(3)], 1)
    score = torch.einsum("nmhd,nhd->nm", desc, gate) / math.sqrt(h * dh) + (1 - here) * MASKED
    weights = score.softmax(-1) * here
    return torch.einsum("nm,nmhd->nhd", weights, desc), weights, desc
