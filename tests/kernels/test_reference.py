"""The reference against the definition written out longhand, in fp64."""

import emoje_kernels as ek
import pytest
import torch
from emoje_kernels.reference import cross_modal_fuse_reference
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.cases import MASKS, NAMES, Case, longhand, ragged


@pytest.mark.parametrize("mask", MASKS, ids=NAMES.get)
def test_longhand(mask: int) -> None:
    case = ragged((5, 7, 3), 2, 16)
    for found, expected in zip(
        cross_modal_fuse_reference(*case.inputs(torch.float64), case.lengths, case.capacities, mask=mask),
        longhand(case, mask),
        strict=True,
    ):
        torch.testing.assert_close(found.detach(), expected, atol=1e-12, rtol=1e-10)


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(mask=st.integers(1, 7), lengths=st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 2)))
def test_any_raggedness(mask: int, lengths: tuple[int, int, int]) -> None:
    base = ragged((4, 6, 2), 1, 16)
    case = Case(base.q[:1], base.k[:1], base.v[:1], base.gate[:1], torch.tensor([lengths]), base.capacities)
    found = cross_modal_fuse_reference(*case.inputs(torch.float64), case.lengths, case.capacities, mask=mask)
    for y, z in zip(found, longhand(case, mask), strict=True):
        torch.testing.assert_close(y.detach(), z, atol=1e-12, rtol=1e-10)
    there = sum(1 for m in range(3) if mask >> m & 1 and lengths[m])
    assert found[1].sum().item() == pytest.approx(1.0 if there else 0.0)


def test_gradients() -> None:
    case = ragged((3, 4, 2), 1, 16)
    q, k, v, gate = case.inputs(torch.float64)
    assert torch.autograd.gradcheck(
        lambda *x: cross_modal_fuse_reference(*x, case.lengths, case.capacities, mask=7),
        (q, k, v, gate),
        fast_mode=True,
    )


def test_an_absent_modality_takes_no_share() -> None:
    """Leaving a modality out of the mask, out of the lengths or out of the tensors is the same."""
    case = ragged((4, 6, 3), 1, 16)
    lengths = torch.tensor([[4, 0, 2]] * 3)
    inputs = [x.detach() for x in case.inputs()]
    silent = ek.cross_modal_fuse(*inputs, lengths, case.capacities, mask=7)
    masked = ek.cross_modal_fuse(*inputs, lengths, case.capacities, mask=5)
    small = [torch.cat([x[:, :4], x[:, 10:]], 1) for x in inputs[:3]]
    smaller = ek.cross_modal_fuse(*small, inputs[3], lengths, (4, 0, 3), mask=5)
    for a, b, c in zip(silent, masked, smaller, strict=True):
        torch.testing.assert_close(a, b)
        torch.testing.assert_close(a, c)


def test_fp32_error() -> None:
    """The bound that the kernels are held to holds for the reference itself."""
    case = ragged((24, 48, 30), 2, 32)
    found = cross_modal_fuse_reference(*case.inputs(), case.lengths, case.capacities, mask=7)
    exact = cross_modal_fuse_reference(*case.inputs(torch.float64), case.lengths, case.capacities, mask=7)
    assert max((y.double() - z).abs().max().item() for y, z in zip(found, exact, strict=True)) < 2e-6


def test_three_tf32_products_keep_fp32_accuracy() -> None:
    """The kernels' fp32 products are three tf32 ones; emulated here, they stay within the bound."""

    def tf32(x: torch.Tensor) -> torch.Tensor:
        # round to nearest at 10 mantissa bits
        return ((x.contiguous().view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)

    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(48, 32, generator=generator) for _ in range(2))
    (ah, al), (bh, bl) = ((tf32(x), tf32(x - tf32(x))) for x in (a, b))
    product = al @ bh.T + ah @ bl.T + ah @ bh.T
    error = lambda x: (x.double() * 32**-0.5 - a.double() @ b.double().T * 32**-0.5).abs().max().item()  # noqa: E731
    assert error(product) < 2e-6
    assert error(ah @ bh.T) > 1e-4, "one product alone would not do"


def test_quantization() -> None:
    case = ragged((5, 7, 3), 2, 32)
    tensors = (case.q, case.k, case.v)
    scales = ek.per_head_scales(torch.stack([x.abs().amax((0, 1, 3)) for x in tensors]))
    q, k, v = (ek.quantize(x, s) for x, s in zip(tensors, scales, strict=True))
    assert (q.double() * scales[0][:, None] - case.q).abs().max() <= scales[0].max() / 2 + 1e-6
    found = ek.cross_modal_fuse_int8(q, k, v, case.gate, case.lengths, case.capacities, scales=scales, mask=7)
    exact = ek.cross_modal_fuse(*tensors, case.gate, case.lengths, case.capacities, mask=7)
    assert (found[0] - exact[0]).abs().max() < 0.03
