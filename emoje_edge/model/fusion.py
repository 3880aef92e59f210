"""Query-adaptive fusion: the last cross-attention, pooled, and the modalities weighed per utterance.

The utterance itself is the query: its gate scores each modality's descriptor, a softmax over the present ones
gives the weights, and users see them.  The core runs as one fused operator (`emoje_kernels.cross_modal_fuse_packed`).
`static`, `mean` and `concat` are the baselines of the evidence.
"""

from __future__ import annotations

import torch
from emoje_kernels import cross_modal_fuse_packed
from torch import Tensor, nn

from emoje_edge.modality import Mask, Modality
from emoje_edge.model.cross_attention import Tokens
from emoje_edge.model.layers import masked_mean


class Fusion(nn.Module):
    """Tokens of the present modalities -> one descriptor, the weights and each modality's descriptor.

    Args:
        mask: modalities the model has a branch for.
        width, heads: as in `ModelConfig`.
        kind: adaptive, static, mean or concat.
    """

    def __init__(self, mask: Mask, width: int, heads: int, kind: str) -> None:
        super().__init__()
        self.heads, self.kind, self.width = heads, kind, width
        self.norm = nn.ModuleDict({m.value: nn.LayerNorm(width) for m in mask})
        # one matmul a modality for query, key and value
        self.project = nn.ModuleDict({m.value: nn.Linear(width, 3 * width) for m in mask})
        if kind == "adaptive":
            self.gate = nn.Linear(width, width)
        elif kind == "static":
            self.score = nn.Parameter(torch.zeros(len(Modality)))
        elif kind == "concat":
            self.join = nn.Linear(width * len(Modality), width)
        self.norm_out = nn.LayerNorm(width)
        self.impl = "auto"  # of the operator: the Triton kernels on CUDA, the reference elsewhere

    def forward(self, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor]:
        """Return (fused [B, D], weights [B, 3], descriptors [B, 3, D])."""
        normed = {m: self.norm[m.value](x) for m, (x, _) in tokens.items()}
        packed = torch.cat([self.project[m.value](x) for m, x in normed.items()], 1)
        b, s, _ = packed.shape
        qkv = packed.reshape(b, s, 3, self.heads, -1)
        capacities = tuple(tokens[m][0].shape[1] if m in tokens else 0 for m in Modality)
        absent = torch.zeros(b, dtype=torch.int32, device=packed.device)
        lengths = torch.stack([tokens[m][1].sum(1).int() if m in tokens else absent for m in Modality], 1)
        query = self._query(normed, tokens)
        gate = query.reshape(b, self.heads, -1).to(qkv.dtype)
        fused, weights, descriptors = cross_modal_fuse_packed(
            qkv, gate, lengths, capacities, mask=Mask.of(tokens).bits, impl=self.impl
        )
        descriptors = descriptors.flatten(2).to(fused.dtype)
        fused = fused.flatten(1)
        if self.kind in ("static", "concat"):
            fused, weights = self._baseline(descriptors, (lengths > 0).to(descriptors.dtype))
        return self.norm_out(fused), weights, descriptors

    def _query(self, normed: dict[Modality, Tensor], tokens: Tokens) -> Tensor:
        """What the utterance asks for: the mean over its present modalities, [B, D]."""
        pooled = [masked_mean(normed[m], tokens[m][1]) for m in tokens]
        if self.kind != "adaptive":
            return torch.zeros_like(pooled[0])  # equal scores: the plain mean over present modalities
        here = torch.stack([tokens[m][1].amax(1) for m in tokens], 1)
        share = here / here.sum(1, keepdim=True).clamp(min=1)
        return self.gate((share.to(pooled[0].dtype)[:, None] @ torch.stack(pooled, 1)).squeeze(1))

    def _baseline(self, descriptors: Tensor, here: Tensor) -> tuple[Tensor, Tensor]:
        equal = here / here.sum(1, keepdim=True).clamp(min=1)
        if self.kind == "concat":
            return self.join((descriptors * here[..., None]).flatten(1)), equal
        weights = self.score.expand_as(here).exp() * here
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-9)
        return torch.einsum("bm,bmd->bd", weights, descriptors), weights
