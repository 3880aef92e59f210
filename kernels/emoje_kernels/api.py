"""The public operators: one name each, an implementation chosen by device or by the caller.

`impl="auto"` takes the Triton kernels on CUDA and the reference elsewhere; an explicit choice is never replaced.
"""

import importlib.util
from collections.abc import Sequence

import torch
from torch import Tensor

from emoje_kernels import checks, reference, registration
from emoje_kernels.layout import LARGEST_CAPACITY


def missing_for_triton(device: torch.device | str) -> str | None:
    """What keeps the Triton kernels from running on `device`, in words; None where nothing does."""
    device = torch.device(device)
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed: pip install 'triton>=3.4,<3.8' (Linux)"
    if registration.interpreted():
        return None
    if device.type != "cuda":
        return (
            f"the tensors are on {device.type}, and the kernels need a CUDA GPU: move them there, or set "
            "TRITON_INTERPRET=1 before torch is imported to run the kernels, slowly, on the CPU"
        )
    if not torch.cuda.is_available():
        return "torch finds no CUDA GPU: it needs a driver and a CUDA build of torch"
    major, minor = torch.cuda.get_device_capability(device)
    return None if major >= 8 else f"compute capability {major}.{minor}: the kernels need 8.0 or later"


def implementation_for(device: torch.device | str, dtype: torch.dtype = torch.float32) -> str:
    """`"triton"` or `"reference"`: what `impl="auto"` takes on this device for this type."""
    device = torch.device(device)
    usable = device.type == "cuda" and dtype in checks.TRITON_TYPES and missing_for_triton(device) is None
    return "triton" if usable else "reference"


def _choose(impl: str, x: Tensor, capacities: Sequence[int]) -> str:
    """Resolve `auto`; refuse what the choice cannot do."""
    if impl == "auto":
        fits = max(capacities, default=0) <= LARGEST_CAPACITY
        impl = implementation_for(x.device, x.dtype) if fits else "reference"
    elif impl == "triton":
        missing = missing_for_triton(x.device)
        if missing is not None:
            raise ValueError(f"impl 'triton': {missing}")
        checks.check_tiles(capacities)
    checks.check_float("q", x, impl)
    return impl


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
    """Cross-attend, pool and weigh the modalities of each utterance (the formula: `emoje_kernels.reference`).

    Args:
        q, k, v: [N, S, H, DH] of one floating type, contiguous, or slices of one contiguous [N, S, 3, H, DH].
            DH is a power of two, 16 or more.
        gate: [N, H, DH], the query of the weighting, of q's type.
        lengths: [N, 3] int32 or int64, valid tokens of each modality; 0 where it is absent.
        capacities: segment sizes of text, audio and pose on the S axis.
        mask: bit m set where modality m may be present, 1 to 7; the kernels are compiled for it.
        impl: auto, triton or reference.

    Returns:
        fused [N, H, DH] of q's type; weights [N, 3] and descriptors [N, 3, H, DH] in fp32 (fp64 for fp64).
        Zeros for an utterance with nothing present.

    Raises:
        ValueError: shapes, types, devices or sizes that break a rule above, or what `impl` lacks.
    """
    checks.check_choice(impl, mask)
    checks.check_fuse(q, k, v, gate, lengths)
    checks.check_capacities(capacities, mask, q.shape[1])
    if _choose(impl, q, capacities) == "reference":
        return reference.cross_modal_fuse_reference(q, k, v, gate, lengths, capacities, mask=mask)
    return registration.Fuse.apply(q, k, v, gate, lengths, list(capacities), mask)


def cross_modal_fuse_packed(
    qkv: Tensor, gate: Tensor, lengths: Tensor, capacities: Sequence[int], *, mask: int, impl: str = "auto"
) -> tuple[Tensor, Tensor, Tensor]:
    """`cross_modal_fuse` on one projection [N, S, 3, H, DH]: read in place, and its gradient written as one tensor."""
    if qkv.dim() != 5 or qkv.shape[2] != 3 or not qkv.is_contiguous():
        raise ValueError(
            f"qkv is {tuple(qkv.shape)} with strides {qkv.stride()}: must be [N, S, 3, heads, head_dim], contiguous"
        )
    q, k, v = qkv.unbind(2)
    checks.check_choice(impl, mask)
    checks.check_fuse(q, k, v, gate, lengths)
    checks.check_capacities(capacities, mask, q.shape[1])
    if _choose(impl, q, capacities) == "reference":
        return reference.cross_modal_fuse_reference(q, k, v, gate, lengths, capacities, mask=mask)
    return registration.FusePacked.apply(qkv, gate, lengths, list(capacities), mask)


def modality_weights(
    descriptors: Tensor, gate: Tensor, lengths: Tensor, *, mask: int, impl: str = "auto"
) -> tuple[Tensor, Tensor]:
    """Weigh descriptors by the utterance's own query: softmax over present modalities of <d, gate> / sqrt(D).

    Args:
        descriptors: [N, 3, H, DH], contiguous, floating.
        gate: [N, H, DH].
        lengths: [N, 3] int32 or int64; a modality of length 0 gets weight 0.
        mask, impl: as for `cross_modal_fuse`.

    Returns:
        (fused [N, H, DH] of the gate's type, weights [N, 3] fp32 or fp64).

    Raises:
        ValueError: as `cross_modal_fuse`.
    """
    checks.check_choice(impl, mask)
    if descriptors.dim() != 4 or descriptors.shape[1] != 3:
        raise ValueError(f"descriptors are {tuple(descriptors.shape)}: must be [N, 3, heads, head_dim]")
    n, _, h, dh = descriptors.shape
    checks.check_heads(h, dh)
    checks.check_same("descriptors", descriptors, shape=descriptors.shape, like=descriptors)
    checks.check_same("gate", gate, shape=(n, h, dh), like=descriptors)
    checks.check_lengths(lengths, descriptors)
    chosen = _choose(impl, descriptors, ())
    checks.check_float("gate", gate, chosen)
    if chosen == "reference":
        return reference.modality_weights_reference(descriptors, gate, lengths, mask=mask)
    return registration.Weigh.apply(descriptors, gate, lengths, mask)


def cross_modal_fuse_int8(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    gate: Tensor,
    lengths: Tensor,
    capacities: Sequence[int],
    *,
    scales: Tensor,
    mask: int,
    impl: str = "auto",
) -> tuple[Tensor, Tensor, Tensor]:
    """The forward on quantized tokens: q k^T in integers, everything after it in fp32.  Inference only.

    Args:
        q, k, v: [N, S, H, DH] int8, symmetric: value = integer * scale.  DH is 32 or more.
        gate: [N, H, DH], floating.
        scales: [3, H] fp32, the scales of q, k and v for each head (`per_head_scales`).
        lengths, capacities, mask, impl, returns and raises: as for `cross_modal_fuse`.
    """
    checks.check_choice(impl, mask)
    if q.dtype != torch.int8:
        raise ValueError(f"q is {q.dtype}: must be int8 (`quantize` makes it so)")
    checks.check_fuse(q, k, v, gate, lengths)
    checks.check_capacities(capacities, mask, q.shape[1])
    h, dh = q.shape[2:]
    if dh < 32:
        raise ValueError(f"head_dim {dh}: INT8 products need 32 or more")
    checks.check_same("scales", scales, shape=(3, h), like=q)
    if scales.dtype != torch.float32:
        raise ValueError(f"scales are {scales.dtype}: must be float32")
    if _choose(impl, gate, capacities) == "reference":
        q, k, v = (reference.dequantize(x, scale) for x, scale in zip((q, k, v), scales, strict=True))
        return reference.cross_modal_fuse_reference(q, k, v, gate, lengths, capacities, mask=mask)
    return torch.ops.emoje.fuse(q, k, v, gate, lengths, scales, list(capacities), mask)


def per_head_scales(amax: Tensor) -> Tensor:
    """Scales [3, H] from the largest magnitudes of q, k and v a head, [3, H]: amax / 127, the specification's rule."""
    return (amax.float() / 127).clamp(min=torch.finfo(torch.float32).tiny).contiguous()


def quantize(x: Tensor, scale: Tensor) -> Tensor:
    """[N, S, H, DH] floating -> int8 with one scale a head [H]; rounds half to even, saturates at +-127."""
    return (x.float() / scale[None, None, :, None]).round().clamp(-127, 127).to(torch.int8).contiguous()
