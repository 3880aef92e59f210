"""A moving average of the weights: steadier than the last step's, on small corpora by a point or two.

Polyak and Juditsky (1992); the warm-up of the decay is Tarvainen and Valpola's (arXiv 1703.01780), so that the first,
random weights do not linger in short runs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """The network's averaged copy; `update_parameters(network)` after each step.  Buffers are averaged as well.

    Args:
        decay: share of the old average that stays; below it in the first steps: (1 + steps) / (10 + steps).
    """

    @torch.no_grad()
    def update(averaged: Tensors, current: Tensors, steps: Tensor | int) -> None:
        share = 1 - min(decay, (1 + int(steps)) / (10 + int(steps)))
        for old, new in zip(averaged, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new.to(old.dtype), share)
            else:  # counters of batch normalisation
                old.copy_(new)

    return AveragedModel(network, multi_avg_fn=update, use_buffers=True)
