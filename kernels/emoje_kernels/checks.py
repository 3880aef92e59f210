"""What the operators accept, checked before anything is launched.

Every refusal is a ValueError with the values given and the rule they break.  No check reads a tensor's contents, so
none waits for a device and all of them trace under torch.compile and torch.export; the kernels clamp lengths.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from emoje_kernels.layout import LARGEST_CAPACITY, LARGEST_WIDTH, MODALITIES, SMALLEST_TILE, present

IMPLEMENTATIONS = ("auto", "triton", "reference")
TRITON_TYPES = (torch.float32, torch.float16, torch.bfloat16)
_FLOATS = (*TRITON_TYPES, torch.float64)


def check_choice(impl: str, mask: int) -> None:
    """`impl` and `mask` name something that there is."""
    if impl not in IMPLEMENTATIONS:
        raise ValueError(f"impl {impl!r}: must be one of {', '.join(IMPLEMENTATIONS)}")
    if isinstance(mask, bool) or not isinstance(mask, int) or not 1 <= mask <= 7:
        raise ValueError(f"mask {mask!r}: must be an int from 1 to 7 (text 1, audio 2, pose 4, added up)")


def check_heads(heads: int, head_dim: int) -> None:
    """Heads that a tile can hold."""
    if head_dim < SMALLEST_TILE or head_dim & (head_dim - 1):
        raise ValueError(f"head_dim {head_dim}: must be a power of two, {SMALLEST_TILE} or more")
    if heads < 1 or heads * head_dim > LARGEST_WIDTH:
        raise ValueError(f"{heads} heads of {head_dim}: heads * head_dim must be from 1 to {LARGEST_WIDTH}")


def check_capacities(capacities: Sequence[int], mask: int, tokens: int) -> None:
    """One segment a modality, together the token axis; every modality of the mask has room."""
    sizes = tuple(capacities)
    if len(sizes) != MODALITIES or any(c < 0 for c in sizes):
        raise ValueError(f"capacities {sizes}: must be three sizes (text, audio, pose), 0 or more")
    if sum(sizes) != tokens:
        raise ValueError(f"capacities {sizes} add up to {sum(sizes)}, but q, k and v hold {tokens} tokens")
    empty = [m for m in present(mask) if sizes[m] == 0]
    if empty:
        raise ValueError(f"capacities {sizes} with mask {mask}: modality {empty[0]} is in the mask and must have room")


def check_same(
    name: str, tensor: Tensor, *, shape: Sequence[int], like: Tensor, dtype: torch.dtype | None = None
) -> None:
    """`tensor` has this shape and type, is contiguous and lies where `like` lies."""
    if tuple(tensor.shape) != tuple(shape):
        raise ValueError(f"{name} is {tuple(tensor.shape)}: must be {tuple(shape)}")
    if dtype is not None and tensor.dtype != dtype:
        raise ValueError(f"{name} is {tensor.dtype}: must be {dtype}, as q is")
    if tensor.device != like.device:
        raise ValueError(f"{name} is on {tensor.device}: must be on {like.device}, as q is")
    if not tensor.is_contiguous():
        raise ValueError(f"{name} has strides {tensor.stride()}: must be contiguous")


def check_lengths(lengths: Tensor, like: Tensor) -> None:
    """[N, 3] integers."""
    if lengths.dtype not in (torch.int32, torch.int64):
        raise ValueError(f"lengths are {lengths.dtype}: must be int32 or int64")
    check_same("lengths", lengths, shape=(like.shape[0], MODALITIES), like=like)


def check_fuse(q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> None:
    """q, k, v [N, S, H, DH] of one type, contiguous or slices of one packed projection; gate and lengths to match."""
    if q.dim() != 4:
        raise ValueError(f"q is {tuple(q.shape)}: must be [N, S, heads, head_dim]")
    n, s, h, dh = q.shape
    check_heads(h, dh)
    packed = _packed(q, s, h, dh)
    for name, tensor in (("q", q), ("k", k), ("v", v)):
        if packed and tensor.shape == q.shape and tensor.stride() == q.stride():
            continue
        check_same(name, tensor, shape=(n, s, h, dh), like=q, dtype=q.dtype)
    for name, tensor in (("k", k), ("v", v)):
        if tensor.dtype != q.dtype or tensor.device != q.device:
            raise ValueError(f"{name} is {tensor.dtype} on {tensor.device}: must be {q.dtype} on {q.device}, as q is")
    check_same("gate", gate, shape=(n, h, dh), like=q, dtype=None if q.dtype == torch.int8 else q.dtype)
    check_lengths(lengths, q)


def _packed(q: Tensor, s: int, h: int, dh: int) -> bool:
    """Whether q lies as one third of a contiguous [N, S, 3, H, DH]."""
    row = 3 * h * dh
    return q.stride() == (s * row, row, dh, 1)


def check_float(name: str, tensor: Tensor, impl: str) -> None:
    """A floating type that the implementation has."""
    allowed = TRITON_TYPES if impl == "triton" else _FLOATS
    if tensor.dtype not in allowed:
        names = ", ".join(str(dtype).removeprefix("torch.") for dtype in allowed)
        raise ValueError(f"{name} is {tensor.dtype}: impl {impl!r} takes {names}")


def check_tiles(capacities: Sequence[int]) -> None:
    """Segments that a Triton program can hold in registers."""
    if max(capacities, default=0) > LARGEST_CAPACITY:
        raise ValueError(
            f"capacities {tuple(capacities)}: impl 'triton' takes at most {LARGEST_CAPACITY} tokens a modality; "
            "use impl 'reference'"
        )
