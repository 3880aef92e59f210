"""Quality that varies: each utterance's modality has noise mixed in at a signal-to-noise ratio drawn for it alone.

    x' = √a x + √(1 − a) ε,    a = s / (1 + s),    10 log10 s uniform between the lowest and 20 dB

x has mean 0 and deviation 1 a feature, and so has x'.  `white` noise is one random vector an utterance, in all of its
tokens, as hiss and hum are; `other` noise is another utterance's tokens, which look like any.  The gate is given a as
the modality's quality, in the place in which the product has its signal-to-noise ratio (times that, where it is known).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.model.layers import token_mask
from emoje_edge.training.batching import Batch

HIGHEST = 20.0  # dB
NOISES = ("white", "other")


@dataclass(frozen=True)
class Degrade:
    """How much an utterance may be spoilt.

    Attributes:
        lowest: signal-to-noise ratio in dB; 20 spoils nothing worth the name.
        noise: white or other.
        told: whether the gate is told of the noise.
    """

    lowest: float
    noise: str = "white"
    told: bool = True

    def __post_init__(self) -> None:
        if self.noise not in NOISES or not -60 <= self.lowest < HIGHEST:
            raise UsageError(
                f"noise {self.noise!r} from {self.lowest} dB", f"{' or '.join(NOISES)}, from -60 to below {HIGHEST} dB"
            )

    def batch(self, batch: Batch, generator: torch.Generator) -> tuple[Batch, Tensor]:
        """The batch with noise, and the share of the signal in each modality's power, [N, M], 0 where absent."""
        share = self.shares(len(batch.samples), generator)
        inputs = {}
        for i, m in enumerate(Modality):
            if m in batch.inputs:
                x, length = batch.inputs[m]
                inputs[m] = (self.mix(x, length, share[:, i], generator), length)
        share = share * batch.present
        quality = batch.quality.clone()
        if self.told:
            quality[..., -1] = quality[..., -1] * share
        return replace(batch, inputs=inputs, quality=quality), share

    def shares(self, count: int, generator: torch.Generator) -> Tensor:
        """[count, M], the signal's share in the power."""
        decibels = self.lowest + (HIGHEST - self.lowest) * torch.rand(count, len(Modality), generator=generator)
        return torch.sigmoid(decibels * 0.23025851)  # s / (1 + s) with s = 10^(dB / 10)

    def mix(self, x: Tensor, length: Tensor, share: Tensor, generator: torch.Generator) -> Tensor:
        """Noise into tokens [N, L, F] with `length` [N] of them there; what a token does not hold stays zero."""
        if self.noise == "white":
            noise = torch.randn(len(x), 1, x.shape[2], generator=generator).expand_as(x)
        else:
            noise = x[torch.randperm(len(x), generator=generator)]
        there = token_mask(length, x.shape[1])[..., None] * (x.abs().amax(0, keepdim=True) > 0)
        a = share[:, None, None]
        return (a.sqrt() * x + (1 - a).sqrt() * noise) * there
