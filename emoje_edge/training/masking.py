"""Which modalities an utterance may use: sampled in training, dropped at fixed rates in evaluation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from emoje_edge.modality import Mask

MISSING_RATES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def sample_masks(present: Tensor, generator: np.random.Generator, *, full_share: float = 0.5) -> Tensor:
    """What each utterance may use: present [N, M] booleans -> a subset of it, never empty where there was one.

    With probability `full_share` all that is present, else one of the seven masks at random; a mask that has nothing
    in common with what is present is drawn again as "all of it".
    """
    n = present.shape[0]
    masks = np.array([[bool(mask.bits >> m & 1) for m in range(3)] for mask in Mask.all()])
    drawn = masks[generator.integers(len(masks), size=n)]
    drawn[generator.random(n) < full_share] = True
    kept = present & torch.from_numpy(drawn).to(present.device)
    return torch.where(kept.any(1, keepdim=True), kept, present)


def drop_at_rate(present: Tensor, rate: float, seed: int) -> Tensor:
    """Each present modality goes with probability `rate`; an utterance keeps at least one, chosen at random.

    The protocol of GCNet (arXiv 2203.02177): the same seed gives the same pattern.

    Args:
        present: [N, M] booleans.  rate: 0 to 1.
    """
    generator = np.random.default_rng(seed)
    draws = generator.random(tuple(present.shape))
    here = present.cpu().numpy()
    kept = here & (draws >= rate)
    lost = ~kept.any(1) & here.any(1)
    # the modality with the largest draw among the present ones: a random one
    best = np.where(here, draws, -1).argmax(1)
    kept[lost, best[lost]] = True
    return torch.from_numpy(kept).to(present.device)


def restrict(present: Tensor, mask: Mask) -> Tensor:
    """What is left of present [N, M] under one mask."""
    bits = torch.tensor([bool(mask.bits >> m & 1) for m in range(3)], device=present.device)
    return present & bits
