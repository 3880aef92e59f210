"""Causal dialogue context: a gated recurrent state that joins the utterances of one conversation.

The state is an explicit input and output, so a device can stop and resume, and switch engines when a modality
stops.  It sees the past only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dialogue(nn.Module):
    """Utterance descriptor, speaker flag and state -> descriptor in context and the next state."""

    def __init__(self, width: int, state_width: int, dropout: float) -> None:
        super().__init__()
        self.input = nn.Linear(width + 1, 3 * state_width)
        self.memory = nn.Linear(state_width, 3 * state_width)
        self.out = nn.Linear(state_width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, fused: Tensor, speaker: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[B, D], [B, 1] (1 another speaker than before, 0 the same, 0.5 unknown), [B, S] -> [B, D], [B, S]."""
        x_reset, x_update, x_new = self.input(torch.cat([fused, speaker], 1)).chunk(3, 1)
        h_reset, h_update, h_new = self.memory(state).chunk(3, 1)
        update = torch.sigmoid(x_update + h_update)
        candidate = torch.tanh(x_new + torch.sigmoid(x_reset + h_reset) * h_new)
        following = update * state + (1 - update) * candidate
        return fused + self.out(self.drop(following)), following
