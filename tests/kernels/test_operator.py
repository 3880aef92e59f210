"""The registered operators on a CPU: schemas, tracing, export, an ahead-of-time engine; kernels behind them or not."""

import shutil
from pathlib import Path

import emoje_kernels as ek
import pytest
import torch
from torch import Tensor, nn

from tests.kernels.cases import ragged

CAPACITIES = [5, 7, 3]


class Registered(nn.Module):
    """A layer on the operator by its registered name, as a graph that was traced for a GPU holds it."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return torch.ops.emoje.fuse(q, k, v, gate, lengths, None, CAPACITIES, 7)


class Public(nn.Module):
    def forward(self, q: Tensor, k: Tensor, v: Tensor, gate: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return ek.cross_modal_fuse(q, k, v, gate, lengths, CAPACITIES, mask=7)


def inputs() -> tuple[Tensor, ...]:
    case = ragged((5, 7, 3), 2, 16)
    return (*(x.detach() for x in case.inputs()), case.lengths)


def assert_all_close(found: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> None:
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_opcheck() -> None:
    *given, lengths = inputs()
    fused, weights, desc = Registered()(*given, lengths)
    torch.library.opcheck(torch.ops.emoje.fuse, (*given, lengths, None, CAPACITIES, 7))
    saved = (*given, lengths, weights, desc, fused, weights, desc)
    torch.library.opcheck(torch.ops.emoje.fuse_backward, (*saved, CAPACITIES, 7))
    torch.library.opcheck(torch.ops.emoje.weigh, (desc, given[3], lengths, 7))
    torch.library.opcheck(torch.ops.emoje.weigh_backward, (desc, given[3], lengths, weights, fused, None, 7))
    x, scales = torch.ones(1, 15, 2, 32, dtype=torch.int8), torch.ones(3, 2)
    torch.library.opcheck(
        torch.ops.emoje.fuse, (x, x, x, torch.ones(1, 2, 32), lengths[:1], scales, CAPACITIES, 7)
    )  # fmt: skip


def test_autograd_through_the_registered_operator() -> None:
    from emoje_kernels import registration

    *given, lengths = inputs()
    leaves = [x.clone().requires_grad_() for x in given]
    same = [x.clone().requires_grad_() for x in given]
    found = registration.Fuse.apply(*leaves, lengths, CAPACITIES, 7)
    expected = ek.cross_modal_fuse(*same, lengths, CAPACITIES, mask=7, impl="reference")
    gradients = [torch.randn_like(y) for y in expected]
    assert_all_close(torch.autograd.grad(found, leaves, gradients), torch.autograd.grad(expected, same, gradients))


@pytest.mark.parametrize("module", [Registered(), Public()], ids=["registered", "public"])
def test_full_graph(module: nn.Module) -> None:
    given = inputs()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    assert_all_close(compiled(*given), module(*given))


@pytest.mark.parametrize("module", [Registered(), Public()], ids=["registered", "public"])
def test_export_with_any_batch(module: nn.Module) -> None:
    given = inputs()
    batch = torch.export.Dim("batch", min=1, max=64)
    names = ("q", "k", "v", "gate", "lengths")
    exported = torch.export.export(module, given, dynamic_shapes={name: {0: batch} for name in names})
    twice = tuple(torch.cat([x, x]) for x in given)
    assert_all_close(exported.module()(*twice), module(*twice))


@pytest.mark.skipif(shutil.which("g++") is None, reason="AOTInductor compiles C++: no g++ here")
def test_ahead_of_time_engine(tmp_path: Path) -> None:
    """An AOTInductor package that holds the operator runs wherever `emoje_kernels` is imported."""
    given = inputs()
    exported = torch.export.export(Registered(), given)
    package = torch._inductor.aoti_compile_and_package(exported, package_path=str(tmp_path / "fuse.pt2"))
    assert_all_close(torch._inductor.aoti_load_package(package)(*given), Registered()(*given))


def test_fake_shapes_and_types() -> None:
    given = [x.to("meta") for x in inputs()]
    fused, weights, desc = Registered()(*given)
    assert (fused.shape, weights.shape, desc.shape) == ((3, 2, 16), (3, 3), (3, 3, 2, 16))
    half = [x.half() if x.is_floating_point() else x for x in given]
    assert [y.dtype for y in Registered()(*half)] == [torch.float16, torch.float32, torch.float32]
