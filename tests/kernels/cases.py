"""Inputs shared by the kernel tests, and the operator written out longhand as their oracle."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MASKS = range(1, 8)
NAMES = {mask: "".join(c for i, c in enumerate("TAP") if mask >> i & 1) for mask in MASKS}


@dataclass(frozen=True)
class Case:
    """q, k, v [N, S, H, DH], gate [N, H, DH], lengths [N, 3] and the capacities."""

    q: Tensor
    k: Tensor
    v: Tensor
    gate: Tensor
    lengths: Tensor
    capacities: tuple[int, int, int]

    def inputs(self, dtype: torch.dtype | None = None) -> list[Tensor]:
        """Fresh leaves of q, k, v and the gate."""
        kept = (self.q, self.k, self.v, self.gate)
        return [x.detach().clone().to(dtype or x.dtype).requires_grad_() for x in kept]


def ragged(capacities: tuple[int, int, int], heads: int, head_dim: int, *, seed: int = 0, scale: float = 1.0) -> Case:
    """Three utterances: full, with nothing at all, and with one modality short, one absent, one of a single token."""
    generator = torch.Generator().manual_seed(seed)
    shape = (3, sum(capacities), heads, head_dim)
    q, k, v = (torch.randn(shape, generator=generator) * scale for _ in range(3))
    gate = torch.randn(3, heads, head_dim, generator=generator)
    lengths = torch.tensor([capacities, (0, 0, 0), (max(capacities[0] - 3, 0), 0, min(capacities[2], 1))])
    return Case(q, k, v, gate, lengths.to(torch.int32), capacities)


def longhand(case: Case, mask: int) -> tuple[Tensor, Tensor, Tensor]:
    """The definition, one utterance, head and query at a time, in fp64: the mean of P V, not (mean P) V."""
    q, k, v, gate = (x.double() for x in (case.q, case.k, case.v, case.gate))
    n, _, h, dh = q.shape
    desc = torch.zeros(n, 3, h, dh, dtype=torch.float64)
    weights = torch.zeros(n, 3, dtype=torch.float64)
    starts = [sum(case.capacities[:m]) for m in range(3)]
    for u in range(n):
        size = [int(case.lengths[u, m]) if mask >> m & 1 else 0 for m in range(3)]
        tokens = [list(range(starts[m], starts[m] + size[m])) for m in range(3)]
        for m in (m for m in range(3) if size[m]):
            others = [t for o in range(3) if o != m for t in tokens[o]]
            for head in range(h):
                rows = []
                for i in tokens[m]:
                    row = v[u, i, head].clone()
                    if others:
                        p = torch.softmax(k[u, others, head] @ q[u, i, head] / dh**0.5, 0)
                        row += p @ v[u, others, head]
                    rows.append(row)
                desc[u, m, head] = torch.stack(rows).mean(0)
        there = [m for m in range(3) if size[m]]
        if there:
            scores = torch.stack([(desc[u, m] * gate[u]).sum() / (h * dh) ** 0.5 for m in there])
            weights[u, there] = torch.softmax(scores, 0)
    return torch.einsum("nm,nmhd->nhd", weights, desc), weights, desc


def rms_ratio(found: Tensor, expected: Tensor) -> float:
    """Root mean square of the error over that of the expected values."""
    found, expected = found.detach().double(), expected.detach().double()
    error = (found - expected).square().mean().sqrt()
    return float(error / expected.square().mean().sqrt().clamp(min=1e-30))
