"""Building blocks shared by the encoders and the cross-attention: padded attention and its feed-forward."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from emoje_kernels.reference import MASKED
from torch import Tensor, nn


def token_mask(lengths: Tensor, tokens: int) -> Tensor:
    """1 for a token, 0 for padding: [B] integers -> [B, tokens] float32."""
    return (torch.arange(tokens, device=lengths.device, dtype=lengths.dtype)[None] < lengths[:, None]).float()


def masked_mean(x: Tensor, there: Tensor) -> Tensor:
    """Mean over valid tokens: [B, L, D], [B, L] -> [B, D]; zeros where there are none."""
    weight = there / there.sum(1, keepdim=True).clamp(min=1)
    return (weight.to(x.dtype)[:, None] @ x).squeeze(1)


class Attention(nn.Module):
    """Multi-head attention of `x` over `context` with an additive, finite padding bias."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor, there: Tensor) -> Tensor:
        """[B, L, D], [B, S, D], [B, S] -> [B, L, D]; without any valid key, the mean over padding."""
        b, n, d = x.shape
        # q: [B, H, L, d/H]    k, v: [B, H, S, d/H]
        q = self.query(x).view(b, n, self.heads, -1).transpose(1, 2)
        k, v = (
            t.reshape(b, -1, self.heads, d // self.heads).transpose(1, 2) for t in self.key_value(context).chunk(2, -1)
        )
        bias = ((1 - there) * MASKED).to(q.dtype)[:, None, None, :]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=self.dropout if self.training else 0.0)
        return self.out(y.transpose(1, 2).reshape(b, n, d))


class FeedForward(nn.Module):
    def __init__(self, width: int, dropout: float, ratio: int = 4) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, ratio * width), nn.Linear(ratio * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.drop(F.gelu(self.up(x))))


class TransformerLayer(nn.Module):
    """Self-attention and feed-forward over one modality's tokens, normalised before each part or, as in BERT, after."""

    def __init__(self, width: int, heads: int, dropout: float, *, ratio: int = 4, post_norm: bool = False) -> None:
        super().__init__()
        self.post_norm = post_norm
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.feed_forward = FeedForward(width, dropout, ratio=ratio)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        if self.post_norm:
            x = self.norm1(x + self.drop(self.attention(x, x, there)))
            return self.norm2(x + self.drop(self.feed_forward(x)))
        h = self.norm1(x)
        x = x + self.drop(self.attention(h, h, there))
        return x + self.drop(self.feed_forward(self.norm2(x)))
