"""Fused cross-attention and query-adaptive modality weighting: Triton kernels, their reference, one public operator."""

from emoje_kernels.api import (
    cross_modal_fuse,
    cross_modal_fuse_int8,
    cross_modal_fuse_packed,
    implementation_for,
    missing_for_triton,
    modality_weights,
    per_head_scales,
    quantize,
)

__all__ = [
    "cross_modal_fuse",
    "cross_modal_fuse_int8",
    "cross_modal_fuse_packed",
    "implementation_for",
    "missing_for_triton",
    "modality_weights",
    "per_head_scales",
    "quantize",
]
