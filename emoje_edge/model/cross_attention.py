"""The adaptive cross-attended network: each modality's tokens take in the other modalities' tokens.

g_m <- g_m + Attention(g_m; keys and values of all present modalities but m), then a feed-forward.
Source: AMuSE (arXiv 2401.15164), equation of layer l; here the softmax runs over the others jointly, so an
absent or short modality takes no share.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emoje_edge.modality import Mask, Modality
from emoje_edge.model.layers import Attention, FeedForward

Tokens = dict[Modality, tuple[Tensor, Tensor]]  # modality -> (tokens [B, L, D], there [B, L])


class CrossAttentionLayer(nn.Module):
    """One layer for all modalities of `mask`, each with weights of its own."""

    def __init__(self, mask: Mask, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.ModuleDict({m.value: nn.LayerNorm(width) for m in mask})
        self.attention = nn.ModuleDict(
            {m.value: Attention(width, heads, dropout) for m in mask} if len(mask) > 1 else {}
        )
        self.norm2 = nn.ModuleDict({m.value: nn.LayerNorm(width) for m in mask})
        self.feed_forward = nn.ModuleDict({m.value: FeedForward(width, dropout, ratio=2) for m in mask})
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: Tokens) -> Tokens:
        normed = {m: self.norm[m.value](x) for m, (x, _) in tokens.items()}
        out: Tokens = {}
        for m, (x, there) in tokens.items():
            others = [o for o in tokens if o != m]
            if others:
                context = torch.cat([normed[o] for o in others], 1)
                context_there = torch.cat([tokens[o][1] for o in others], 1)
                taken = self.attention[m.value](normed[m], context, context_there)
                # without any other modality's token, attention averages padding: nothing may come of it
                x = x + self.drop(taken * context_there.amax(1)[:, None, None].to(taken.dtype))
            out[m] = (x + self.drop(self.feed_forward[m.value](self.norm2[m.value](x))), there)
        return out
