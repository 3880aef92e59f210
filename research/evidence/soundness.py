"""Whether a set can tell one fusion from another at all: the first study could not (docs/evidence/fusion.md)."""

from __future__ import annotations

import torch

from emoje_edge.model import AmEmoje
from emoje_edge.training import losses
from emoje_edge.training.batching import Batch


def apart(network: AmEmoje, batch: Batch) -> float:
    """Mean distance between two modalities' attended descriptors, in lengths of one; 0 where attention has one key."""
    with torch.no_grad():
        found = network.encode(batch.inputs, batch.quality)
    distances = []
    for a in range(found.attended.shape[1]):
        for b in range(a):
            both = (found.here[:, a] * found.here[:, b]) > 0
            if both.any():
                x, y = found.attended[both, a], found.attended[both, b]
                distances.append((x - y).norm(dim=1).mean() / x.norm(dim=1).mean())
    return float(torch.stack(distances).min())


def gradient(network: AmEmoje, batch: Batch) -> float:
    """Length of the gradient of the cross-entropy in what the gate asks for (its query), over its weights' length."""
    network.zero_grad()
    found = network.encode(batch.inputs, batch.quality)
    speaker, state = batch.speaker, network.initial_state(len(batch.samples))
    losses.focal(network.decide(found, speaker, state)[0], batch.labels).backward()
    weight = network.fusion.gate.query.weight
    assert weight.grad is not None
    return float(weight.grad.norm() / weight.detach().norm())
