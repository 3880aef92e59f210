"""The public operator: one name, an implementation chosen by device or by the caller."""

from collections.abc import Sequence

from torch import Tensor

from emoje_kernels.reference import cross_modal_fuse_reference


def cross_modal_fuse(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    gate: Tensor,
    lengths: Tensor,
    capacities: Sequence[int],
    *,
    mask: int,
    impl: str = "auto",
) -> tuple[Tensor, Tensor, Tensor]:
    """Cross-attend, pool and weigh the modalities of each utterance; see `cross_modal_fuse_reference`."""
    if impl not in ("auto", "reference"):
        raise ValueError(f"impl {impl!r} is not one of auto, reference")
    return cross_modal_fuse_reference(q, k, v, gate, lengths, capacities, mask=mask)
