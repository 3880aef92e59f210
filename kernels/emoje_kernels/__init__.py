"""Fused cross-attention and query-adaptive modality weighting."""

from emoje_kernels.api import cross_modal_fuse

__all__ = ["cross_modal_fuse"]
