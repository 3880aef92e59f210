"""What is timed on a GPU: the fused operator and the model against the best that torch offers, under the same rules.

Baselines of the operator: the reference eager, under torch.compile (default and max-autotune), one block-masked SDPA
call with its backend named, and FlexAttention; each pools and weighs as ours does.  Each is timed as it is called and
as a replayed CUDA graph, forward and forward+backward, over several input sets so that no cache holds the answer.
A baseline that fails gets a row that says why.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import emoje_kernels as ek
import torch
import torch.nn.functional as F
from emoje_kernels import launch
from emoje_kernels.layout import fused_floor
from emoje_kernels.reference import MASKED, modality_weights_reference
from gpu_rows import LAYOUT, Machine, Row, row
from torch import Tensor

CAPACITIES = LAYOUT.capacities
SETS = 4  # input sets taken in turn
Call = Callable[..., Any]


def input_sets(device: torch.device, utterances: int, dtype: torch.dtype) -> list[list[Tensor]]:
    """SETS of q, k, v, gate and full lengths; fewer where one alone is larger than any cache."""
    sets = []
    for seed in range(SETS if utterances < 4096 else 2):
        generator = torch.Generator(device).manual_seed(seed)
        shape = (utterances, LAYOUT.tokens, LAYOUT.heads, LAYOUT.head_dim)
        tensors = [torch.randn(shape, generator=generator, device=device, dtype=dtype) for _ in range(3)]
        gate = torch.randn(utterances, *shape[2:], generator=generator, device=device, dtype=dtype)
        lengths = torch.tensor([CAPACITIES], dtype=torch.int32, device=device).repeat(utterances, 1)
        sets.append([*tensors, gate, lengths])
    return sets


def _segments(device: torch.device) -> Tensor:
    """Modality of each token, [S]."""
    return torch.repeat_interleave(torch.arange(3, device=device), torch.tensor(CAPACITIES, device=device))


def _pooled(attended: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Attention's output [N, S, H, DH] -> what the operator returns, for full lengths."""
    parts = (attended + v).split(list(CAPACITIES), 1)
    desc = torch.stack([part.float().mean(1) for part in parts], 1)
    return *modality_weights_reference(desc, gate, lengths, mask=7), desc


def reference(q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
    return ek.cross_modal_fuse(q, k, v, gate, lengths, CAPACITIES, mask=7, impl="reference")


def ours(q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
    return ek.cross_modal_fuse(q, k, v, gate, lengths, CAPACITIES, mask=7, impl="triton")


def sdpa_call(device: torch.device, dtype: torch.dtype, backend: Any) -> Call:
    """One SDPA over all tokens with the own modality masked, in the named backend."""
    from torch.nn.attention import sdpa_kernel

    segment = _segments(device)
    bias = ((segment[:, None] == segment[None, :]).to(dtype) * MASKED)[None, None]

    def call(q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        with sdpa_kernel(backend):
            heads = (t.transpose(1, 2) for t in (q, k, v))
            return _pooled(F.scaled_dot_product_attention(*heads, attn_mask=bias).transpose(1, 2), v, gate, lengths)

    return call


def flex_call(device: torch.device) -> Call:
    """FlexAttention with the block mask of the other modalities, compiled."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    segment = _segments(device)
    size = LAYOUT.tokens
    other = create_block_mask(lambda b, h, i, j: segment[i] != segment[j], None, None, size, size, device=device.type)
    attend = torch.compile(flex_attention, dynamic=False)

    def call(q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        attended = attend(*(t.transpose(1, 2) for t in (q, k, v)), block_mask=other)
        return _pooled(attended.transpose(1, 2), v, gate, lengths)

    return call


def candidates(device: torch.device, dtype: torch.dtype) -> dict[str, Call]:
    """Name -> call; a dictionary, so that a missing backend costs one row and not the run."""
    from torch.nn.attention import SDPBackend

    calls: dict[str, Call] = {"ours": ours, "eager": reference}
    calls["torch.compile"] = torch.compile(reference, dynamic=False)
    calls["torch.compile max-autotune"] = torch.compile(reference, dynamic=False, mode="max-autotune-no-cudagraphs")
    for backend in (SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.MATH):
        calls[f"SDPA {backend.name.lower()}"] = sdpa_call(device, dtype, backend)
    calls["FlexAttention"] = flex_call(device)
    return calls


def timed(call: Callable[[], object], *, repeats: int = 50) -> list[float]:
    """Microseconds of each of `repeats` calls, after a warm-up, by CUDA events."""
    for _ in range(5):
        call()
    torch.cuda.synchronize()
    times = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1e3)
    return times


def captured(call: Callable[[], object]) -> Callable[[], None]:
    """The call as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


def in_turn(calls: list[Callable[[], object]]) -> Callable[[], object]:
    """A call that takes the next of `calls` each time."""
    turn = itertools.cycle(calls)
    return lambda: next(turn)()


def forward_backward(call: Call, tensors: list[Tensor]) -> Callable[[], object]:
    """Forward and the gradients of q, k, v and the gate."""
    *leaves, lengths = [t.detach().requires_grad_(t.is_floating_point()) for t in tensors]
    dy = torch.ones_like(leaves[3])
    return lambda: torch.autograd.grad(call(*leaves, lengths)[0], leaves, dy)


def operator_rows(machine: Machine, device: torch.device, utterances: int, dtype: torch.dtype) -> list[Row]:
    """Every candidate at one shape: forward and forward+backward, as called and as a graph."""
    rows = []
    name = str(dtype).removeprefix("torch.")
    sets = input_sets(device, utterances, dtype)
    small = fused_floor(utterances, LAYOUT, dtype.itemsize)
    large = fused_floor(utterances, LAYOUT, dtype.itemsize, backward=True)
    both = (small.bytes + large.bytes, small.flop + large.flop, 2)
    for label, call in candidates(device, dtype).items():
        for what, floor in (("operator forward", (small.bytes, small.flop, 1)), ("operator forward+backward", both)):
            if "backward" in what:
                calls = [forward_backward(call, tensors) for tensors in sets]
            else:
                calls = [torch.no_grad()(lambda tensors=tensors, call=call: call(*tensors)) for tensors in sets]
            for graph in (False, True):
                keys = {"utterances": utterances, "dtype": name, "graph": graph}
                rows.append(_timed_row(machine, what, label, calls, floor, keys))
    return rows


def _timed_row(
    machine: Machine, what: str, label: str, calls: list[Callable[[], object]], floor: tuple[int, int, int] | None,
    keys: dict[str, Any],
) -> Row:  # fmt: skip
    try:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        ready = [captured(call) for call in calls] if keys["graph"] else calls
        times = timed(in_turn(ready), repeats=20 if keys["utterances"] >= 4096 else 50)
        peak = torch.cuda.max_memory_allocated() - before
        return row(machine, what, label, times=times, peak=peak, floor=floor, **keys)
    except Exception as error:  # a baseline that this GPU or torch lacks is a row, not the end
        torch.cuda.synchronize()
        reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120] if str(error).strip() else ''}"
        return row(machine, what, label, floor=floor, note=reason, **keys)


def variant_rows(machine: Machine, device: torch.device, utterances: int) -> list[Row]:
    """Our forward in both grids with 1, 2 and 4 warps and 1 or 2 stages, and INT8: what the launch rule rests on."""
    rows = []
    sets = input_sets(device, utterances, torch.float16)
    for one_launch, warps, stages in itertools.product((True, False), (1, 2, 4), (1, 2)):
        settings = {"one_launch": one_launch, "warps": warps, "stages": stages}
        calls = [
            lambda t=t, settings=settings: launch.forward(*t, None, CAPACITIES, 7, **settings) for t in sets
        ]  # fmt: skip
        label = f"{'one launch' if one_launch else 'describe + weigh'}, {warps} warps, {stages} stages"
        keys = {"utterances": utterances, "dtype": "float16", "graph": True}
        floor = fused_floor(utterances, LAYOUT)
        least = (floor.bytes, floor.flop, 1 if one_launch else 2)
        rows.append(_timed_row(machine, "variants forward", label, calls, least, keys))
    scales = torch.full((3, LAYOUT.heads), 4 / 127, device=device)
    integers = [[*(ek.quantize(x, s) for x, s in zip(t, scales)), *t[3:]] for t in sets]  # noqa: B905 - q, k, v
    calls = [
        lambda t=t: ek.cross_modal_fuse_int8(*t, CAPACITIES, scales=scales, mask=7, impl="triton") for t in integers
    ]
    floor = fused_floor(utterances, LAYOUT, 1)
    keys = {"utterances": utterances, "dtype": "int8", "graph": True}
    rows.append(_timed_row(machine, "variants forward", "ours", calls, (floor.bytes, floor.flop, 1), keys))
    return rows


def model_rows(machine: Machine, device: torch.device) -> list[Row]:
    """The whole network, every mask at batch 1 and all modalities at 256: reference against kernels inside."""
    from emoje_edge.modality import Mask
    from emoje_edge.model.config import ModelConfig
    from emoje_edge.model.network import AmEmoje, MaskedNetwork

    torch.manual_seed(0)
    whole = AmEmoje(ModelConfig())
    rows = []
    for mask, batch in (*((mask, 1) for mask in Mask.all()), (Mask(7), 256)):
        network = MaskedNetwork(whole, mask).to(device)
        given = [t.to(device) for t in network.example_inputs(batch)]
        for impl in ("reference", "triton"):
            network.network.fusion.impl = impl
            call = torch.no_grad()(lambda network=network, given=given: network(*given))
            label = f"{mask.folder}, {'ours' if impl == 'triton' else 'reference'}"
            for graph in (False, True):
                keys = {"utterances": batch, "dtype": "float32", "graph": graph}
                rows.append(_timed_row(machine, "model forward", label, [call], None, keys))
    return rows
