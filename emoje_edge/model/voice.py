"""A speaker's own baseline: what a voice always sounds like says nothing of what it feels now.

    b = (2 u + sum of the speaker's past descriptors) / (2 + their number)        tokens - b

u is the descriptor of the usual voice, a running mean of training; two clips' worth of it stand for a speaker of whom
little or nothing was heard.  The sum and the number are an input and an output of the engines, `voice` and `next_voice`
[B, D + 1]: zeros at a speaker's start, kept by the caller for each speaker.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emoje_edge.model.layers import masked_mean

USUAL = 2.0  # clips that the usual voice counts for
_MOMENTUM = 0.02


class Baseline(nn.Module):
    """Tokens of a voice less the speaker's own baseline."""

    usual: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(width))

    def forward(
        self, tokens: Tensor, there: Tensor, voice: Tensor, past: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """One step of each speaker.

        Args:
            tokens, there: [B, L, D], [B, L], as the encoder gives them.
            voice: [B, D + 1], the sum of past descriptors and their number.
            past: [B, B], 1 where row j is an earlier utterance of row i's speaker, which then counts as well.

        Returns:
            (tokens [B, L, D], `voice` with this utterance in it [B, D + 1]; unchanged where nothing is heard).
        """
        own = masked_mean(tokens, there)
        heard = torch.cat([own, torch.ones_like(own[:, :1])], 1) * there.amax(1, keepdim=True).to(own.dtype)
        if self.training:
            with torch.no_grad():
                mean = heard.sum(0) / heard[:, -1].sum().clamp(min=1)
                self.usual.lerp_(mean[:-1].to(self.usual.dtype), _MOMENTUM)
        voice = voice.to(own.dtype)
        if past is not None:
            voice = voice + past.to(own.dtype) @ heard
        baseline = (USUAL * self.usual + voice[:, :-1]) / (USUAL + voice[:, -1:])
        return tokens - baseline[:, None], voice + heard
