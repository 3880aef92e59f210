"""On a CUDA device: the types, warps and launch forms that neither the interpreter nor the compiler can vouch for.

pytest -m gpu tests/kernels/gpu
"""

import emoje_kernels as ek
import pytest
import torch
from emoje_kernels import launch
from emoje_kernels.reference import cross_modal_fuse_reference
from torch import Tensor

from tests.kernels.cases import MASKS, NAMES, Case, ragged, rms_ratio

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device; none is here"),
]
SHAPES = [((24, 48, 30), 8, 32), ((32, 48, 24), 4, 32), ((7, 33, 20), 2, 64)]
LIMITS = {torch.float32: (2e-6, 1e-5), torch.float16: (1e-3, 5e-3), torch.bfloat16: (8e-3, 4e-2)}


def on_device(case: Case, dtype: torch.dtype) -> tuple[list[Tensor], Tensor]:
    tensors = [x.detach().to("cuda", dtype).requires_grad_() for x in case.inputs()]
    return tensors, case.lengths.to("cuda")


@pytest.fixture(autouse=True)
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "allocate", lambda *shape, **kind: torch.full(shape, float("nan"), **kind))


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize(("capacities", "heads", "head_dim"), SHAPES)
@pytest.mark.parametrize("mask", MASKS, ids=NAMES.get)
def test_numerics(mask: int, capacities: tuple[int, int, int], heads: int, head_dim: int, dtype: torch.dtype) -> None:
    case = ragged(capacities, heads, head_dim)
    inputs, lengths = on_device(case, dtype)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    found = ek.cross_modal_fuse(*inputs, lengths, capacities, mask=mask)  # "auto" is Triton here
    assert ek.implementation_for("cuda", dtype) == "triton"
    expected = cross_modal_fuse_reference(*exact, lengths, capacities, mask=mask)
    outputs, gradients = LIMITS[dtype]
    assert max(rms_ratio(a, b) for a, b in zip(found, expected, strict=True)) <= outputs
    dy = torch.randn_like(found[0])
    back = torch.autograd.grad(found[0], inputs, dy)
    wanted = torch.autograd.grad(expected[0], exact, dy.double(), allow_unused=True)
    for a, b in zip(back, wanted, strict=True):
        if b is None or not b.any():
            assert not a.any()
        else:
            assert rms_ratio(a, b) <= gradients


@pytest.mark.parametrize("mask", MASKS, ids=NAMES.get)
def test_int8(mask: int) -> None:
    case = ragged((24, 48, 30), 8, 32)
    (q, k, v, gate), lengths = on_device(case, torch.float32)
    scales = ek.per_head_scales(torch.stack([x.detach().abs().amax((0, 1, 3)) for x in (q, k, v)]))
    integers = [ek.quantize(x.detach(), s) for x, s in zip((q, k, v), scales, strict=True)]
    found, expected = (
        ek.cross_modal_fuse_int8(
            *integers, gate.detach(), lengths, case.capacities, scales=scales, mask=mask, impl=impl
        )
        for impl in ("triton", "reference")
    )
    assert max(rms_ratio(a, b) for a, b in zip(found, expected, strict=True)) <= 1e-5


@pytest.mark.parametrize("warps", [1, 2, 4])
@pytest.mark.parametrize("one_launch", [True, False])
@pytest.mark.parametrize("dtype", LIMITS)
def test_warps(dtype: torch.dtype, one_launch: bool, warps: int) -> None:
    """Four warps are not used, because of known miscompilations on Hopper; here it shows where they appear."""
    case = ragged((24, 48, 30), 8, 32)
    inputs, lengths = on_device(case, dtype)
    plain = [x.detach() for x in inputs]
    found = launch.forward(*plain, lengths, None, case.capacities, 7, one_launch=one_launch, warps=warps)
    expected = cross_modal_fuse_reference(*(x.double() for x in plain), lengths, case.capacities, mask=7)
    assert max(rms_ratio(a, b) for a, b in zip(found, expected, strict=True)) <= LIMITS[dtype][0]


def test_repeatable_to_the_bit() -> None:
    case = ragged((24, 48, 30), 8, 32)
    runs = []
    for _ in range(3):
        inputs, lengths = on_device(case, torch.float16)
        found = ek.cross_modal_fuse(*inputs, lengths, case.capacities, mask=7)
        runs.append([*found, *torch.autograd.grad(found[0].float().square().sum(), inputs)])
    assert all(torch.equal(a, b) for run in runs[1:] for a, b in zip(runs[0], run, strict=True))


def test_cuda_graph() -> None:
    """A captured call follows its inputs: nothing in it waits for the host or depends on contents."""
    case = ragged((24, 48, 30), 8, 32)
    inputs, lengths = on_device(case, torch.float16)
    plain = [x.detach() for x in inputs]
    call = lambda: ek.cross_modal_fuse(*plain, lengths, case.capacities, mask=7)  # noqa: E731
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        call()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = call()
    for x in plain:
        x.copy_(torch.randn_like(x))
    lengths.copy_(lengths.roll(1, 0))
    graph.replay()
    for a, b in zip(captured, call(), strict=True):
        assert torch.equal(a, b)


def test_full_graph_compile() -> None:
    case = ragged((24, 48, 30), 8, 32)

    def loss(q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> Tensor:
        return ek.cross_modal_fuse(q, k, v, gate, lengths, case.capacities, mask=7)[0].float().square().sum()

    inputs, lengths = on_device(case, torch.float16)
    again, _ = on_device(case, torch.float16)
    eager = torch.autograd.grad(loss(*inputs, lengths), inputs)
    compiled = torch.autograd.grad(torch.compile(loss, fullgraph=True)(*again, lengths), again)
    assert all(rms_ratio(a, b) < 1e-3 for a, b in zip(compiled, eager, strict=True))
