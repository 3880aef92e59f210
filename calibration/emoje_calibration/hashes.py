"""Hashes of weights and data by content, so that a file's name, date or container does not matter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from torch import nn


def arrays_sha256(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def weights_sha256(network: nn.Module) -> str:
    """SHA-256 of a network's parameters and buffers."""
    return arrays_sha256({name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()})
