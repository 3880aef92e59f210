"""The operators as torch sees them: schemas, implementations for each device, shapes without data, gradients.

`define` + `impl` + `register_fake` + `autograd.Function` passes opcheck, traces under compile(fullgraph=True) and
export, and costs half of what `custom_op` does a call.  On a CPU an operator is the reference, so that a graph which
holds it runs anywhere; under TRITON_INTERPRET=1 it is the kernel itself, interpreted.
"""

# mypy: disable-error-code="no-untyped-def"
# (the functions that torch calls are typed by the schemas below)
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from emoje_kernels import reference, reference_backward

_DEFINITIONS = {
    "fuse": "(Tensor q, Tensor k, Tensor v, Tensor gate, Tensor lengths, Tensor? scales, int[] capacities, int mask)"
    " -> (Tensor, Tensor, Tensor)",
    "fuse_backward": "(Tensor q, Tensor k, Tensor v, Tensor gate, Tensor lengths, Tensor weights, Tensor desc,"
    " Tensor dfused, Tensor? dweights, Tensor? ddesc, int[] capacities, int mask) -> (Tensor, Tensor)",
    "weigh": "(Tensor desc, Tensor gate, Tensor lengths, int mask) -> (Tensor, Tensor)",
    "weigh_backward": "(Tensor desc, Tensor gate, Tensor lengths, Tensor weights, Tensor dfused, Tensor? dweights,"
    " int mask) -> (Tensor, Tensor)",
}
for _name, _schema in _DEFINITIONS.items():
    torch.library.define(f"emoje::{_name}", _schema)


def interpreted() -> bool:
    """Whether kernels run in Triton's interpreter, on CPU tensors."""
    return os.environ.get("TRITON_INTERPRET") == "1"


# ------------------------------------------------------------------ Triton
def _fuse_triton(q, k, v, gate, lengths, scales, capacities, mask):
    from emoje_kernels import launch

    return launch.forward(q, k, v, gate, lengths, scales, capacities, mask)


def _fuse_backward_triton(q, k, v, gate, lengths, weights, desc, dfused, dweights, ddesc, capacities, mask):
    from emoje_kernels import launch

    given = (q, k, v, gate, lengths, weights, desc, dfused, dweights, ddesc, capacities, mask)
    if q.is_cuda and q.dtype == torch.float32 and mask.bit_count() == 3:
        # compiling this one kernel did not end in any time that was waited (docs/decisions/0002-kernel-shape.md)
        return _fuse_backward_reference(*given)
    return launch.backward(*given)


def _weigh_triton(desc, gate, lengths, mask):
    from emoje_kernels import launch

    return launch.weigh(desc, gate, lengths, mask)


def _weigh_backward_triton(desc, gate, lengths, weights, dfused, dweights, mask):
    from emoje_kernels import launch

    return launch.weigh_backward(desc, gate, weights, dfused, dweights, mask)


# --------------------------------------------------------------- reference
def _fuse_reference(q, k, v, gate, lengths, scales, capacities, mask):
    if scales is not None:
        q, k, v = (reference.dequantize(x, scale) for x, scale in zip((q, k, v), scales, strict=True))
    return reference.cross_modal_fuse_reference(q, k, v, gate, lengths, capacities, mask=mask)


def _fuse_backward_reference(q, k, v, gate, lengths, weights, desc, dfused, dweights, ddesc, capacities, mask):
    own, dgate = reference_backward.modality_weights_backward_reference(desc, gate, weights, dfused, dweights)
    own = own if ddesc is None else own + ddesc
    dqkv = reference_backward.cross_modal_fuse_backward_reference(q, k, v, lengths, own, capacities, mask=mask)
    return dqkv.to(q.dtype).contiguous(), dgate.to(gate.dtype).contiguous()


def _weigh_backward_reference(desc, gate, lengths, weights, dfused, dweights, mask):
    ddesc, dgate = reference_backward.modality_weights_backward_reference(desc, gate, weights, dfused, dweights)
    return ddesc.to(desc.dtype).contiguous(), dgate.to(gate.dtype).contiguous()


def _weigh_reference(desc, gate, lengths, mask):
    return reference.modality_weights_reference(desc, gate, lengths, mask=mask)


_TRITON: dict[str, Callable[..., object]] = {
    "fuse": _fuse_triton,
    "fuse_backward": _fuse_backward_triton,
    "weigh": _weigh_triton,
    "weigh_backward": _weigh_backward_triton,
}
_REFERENCE: dict[str, Callable[..., object]] = {
    "fuse": _fuse_reference,
    "fuse_backward": _fuse_backward_reference,
    "weigh": _weigh_reference,
    "weigh_backward": _weigh_backward_reference,
}
for _name in _DEFINITIONS:
    torch.library.impl(f"emoje::{_name}", "CUDA", _TRITON[_name])
    torch.library.impl(f"emoje::{_name}", "CPU", (_TRITON if interpreted() else _REFERENCE)[_name])


# ------------------------------------------------------ shapes without data
@torch.library.register_fake("emoje::fuse")
def _(q, k, v, gate, lengths, scales, capacities, mask):
    n, _, h, dh = q.shape
    wide = reference.accumulator(q.dtype)
    return gate.new_empty(n, h, dh), q.new_empty(n, 3, dtype=wide), q.new_empty(n, 3, h, dh, dtype=wide)


@torch.library.register_fake("emoje::fuse_backward")
def _(q, k, v, gate, *rest):
    n, s, h, dh = q.shape
    return q.new_empty(n, s, 3, h, dh), gate.new_empty(n, h, dh)


@torch.library.register_fake("emoje::weigh")
def _(desc, gate, lengths, mask):
    n, _, h, dh = desc.shape
    return gate.new_empty(n, h, dh), desc.new_empty(n, 3, dtype=reference.accumulator(desc.dtype))


@torch.library.register_fake("emoje::weigh_backward")
def _(desc, gate, *rest):
    return desc.new_empty(desc.shape), gate.new_empty(gate.shape)


# --------------------------------------------------------------- gradients
class Fuse(torch.autograd.Function):
    """q, k, v apart; their gradients come back as slices of one packed tensor."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor, capacities: list[int], mask: int
    ) -> Any:
        fused, weights, desc = torch.ops.emoje.fuse(q, k, v, gate, lengths, None, capacities, mask)
        ctx.save_for_backward(q, k, v, gate, lengths, weights, desc)
        ctx.static = capacities, mask
        ctx.set_materialize_grads(False)
        return fused, weights, desc

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dfused: Tensor | None, dweights: Tensor | None, ddesc: Tensor | None) -> Any:
        dqkv, dgate = _fuse_gradients(ctx, dfused, dweights, ddesc)
        return *dqkv.unbind(2), dgate, None, None, None


class FusePacked(torch.autograd.Function):
    """q, k and v in one projection [N, S, 3, H, DH], and so their gradient: no copy on either way."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, gate: Tensor, lengths: Tensor, capacities: list[int], mask: int) -> Any:
        q, k, v = qkv.unbind(2)
        fused, weights, desc = torch.ops.emoje.fuse(q, k, v, gate, lengths, None, capacities, mask)
        ctx.save_for_backward(qkv, gate, lengths, weights, desc)
        ctx.static = capacities, mask
        ctx.set_materialize_grads(False)
        return fused, weights, desc

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dfused: Tensor | None, dweights: Tensor | None, ddesc: Tensor | None) -> Any:
        return *_fuse_gradients(ctx, dfused, dweights, ddesc), None, None, None


def _fuse_gradients(
    ctx: Any, dfused: Tensor | None, dweights: Tensor | None, ddesc: Tensor | None
) -> tuple[Tensor, Tensor]:
    *qkv, gate, lengths, weights, desc = ctx.saved_tensors
    q, k, v = qkv[0].unbind(2) if len(qkv) == 1 else qkv
    dfused = torch.zeros_like(gate) if dfused is None else dfused
    return torch.ops.emoje.fuse_backward(q, k, v, gate, lengths, weights, desc, dfused, dweights, ddesc, *ctx.static)


class Weigh(torch.autograd.Function):
    """Descriptors and gate -> fused and weights."""

    @staticmethod
    def forward(ctx: Any, desc: Tensor, gate: Tensor, lengths: Tensor, mask: int) -> Any:
        fused, weights = torch.ops.emoje.weigh(desc, gate, lengths, mask)
        ctx.save_for_backward(desc, gate, lengths, weights)
        ctx.mask = mask
        ctx.set_materialize_grads(False)
        return fused, weights

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dfused: Tensor | None, dweights: Tensor | None) -> Any:
        desc, gate, lengths, weights = ctx.saved_tensors
        dfused = torch.zeros_like(gate) if dfused is None else dfused
        return *torch.ops.emoje.weigh_backward(desc, gate, lengths, weights, dfused, dweights, ctx.mask), None, None
