"""The first layers of a Whisper encoder (Radford et al., 2022) as ears: frozen, and what they hear summed up over time.

    log-mel -> two convolutions, positions -> K transformer layers -> mean and deviation over time of every layer

Whisper pads to 30 s; here the positions are cut to the input, and padding is masked.  What the middle layers know of a
voice was learned from far more speakers than any corpus of emotions has; the last layers have turned it into words.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emoje_edge.model import config as cfg
from emoje_edge.model.layers import TransformerLayer, masked_mean, token_mask


class WhisperLayers(nn.Module):
    """Log-mel [B, T, bands] -> mean and deviation over time of each layer, [B, 2 K hidden]."""

    def __init__(self, c: cfg.WhisperEncoder) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(c.bands, c.hidden, 3, padding=1)
        self.conv2 = nn.Conv1d(c.hidden, c.hidden, 3, stride=2, padding=1)
        self.position = nn.Parameter(torch.zeros(c.frames // 2, c.hidden))
        self.layers = nn.ModuleList(TransformerLayer(c.hidden, c.heads, 0.0) for _ in range(c.layers))

    def forward(self, x: Tensor, length: Tensor) -> Tensor:
        x = F.gelu(self.conv1((x * token_mask(length, x.shape[1])[..., None]).transpose(1, 2)))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.position[: x.shape[1]]
        there = token_mask((length + 1) // 2, x.shape[1])
        found = []
        for layer in self.layers:
            x = layer(x, there)
            mean = masked_mean(x, there)
            found += [mean, (masked_mean((x - mean[:, None]) ** 2, there) + 1e-6).sqrt()]
        return torch.cat(found, 1)
