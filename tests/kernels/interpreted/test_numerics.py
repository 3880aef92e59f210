"""Every kernel against fp64: all masks, ragged, empty and odd shapes, every gradient."""

import emoje_kernels as ek
import pytest
import torch
from emoje_kernels import launch
from emoje_kernels.reference import cross_modal_fuse_reference, modality_weights_reference
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.cases import MASKS, NAMES, Case, ragged, rms_ratio

TOLERANCE = {"atol": 2e-6, "rtol": 1e-5}
SHAPES = [((16, 16, 16), 2, 16), ((7, 33, 20), 1, 32)]
every_mask = pytest.mark.parametrize("mask", MASKS, ids=NAMES.get)


def held(case: Case, mask: int) -> Case:
    """The case as a network specialised to the mask sees it: absent modalities have no room."""
    keep = [slice(sum(case.capacities[:m]), sum(case.capacities[: m + 1])) for m in range(3) if mask >> m & 1]
    q, k, v = (torch.cat([x[:, s] for s in keep], 1) for x in (case.q, case.k, case.v))
    sizes = [c if mask >> m & 1 else 0 for m, c in enumerate(case.capacities)]
    return Case(q, k, v, case.gate, case.lengths, (sizes[0], sizes[1], sizes[2]))


def assert_equal_to_fp64(case: Case, mask: int) -> None:
    """Outputs and all gradients of the public operator against fp64 autograd of the reference."""
    inputs, exact = case.inputs(), case.inputs(torch.float64)
    found = ek.cross_modal_fuse(*inputs, case.lengths, case.capacities, mask=mask, impl="triton")
    expected = cross_modal_fuse_reference(*exact, case.lengths, case.capacities, mask=mask)
    given_gradients = [torch.randn_like(y) for y in expected]
    for y, z in zip(found, expected, strict=True):
        torch.testing.assert_close(y, z.float(), **TOLERANCE)
    back = torch.autograd.grad(found, inputs, [g.float() for g in given_gradients])
    wanted = torch.autograd.grad(expected, exact, given_gradients, allow_unused=True)
    for name, g, w, x in zip(("q", "k", "v", "gate"), back, wanted, inputs, strict=True):
        w = torch.zeros_like(x) if w is None else w.float()
        torch.testing.assert_close(g, w, **TOLERANCE, msg=lambda m, name=name: f"gradient of {name}: {m}")


@every_mask
@pytest.mark.parametrize(("capacities", "heads", "head_dim"), SHAPES)
def test_outputs_and_gradients(mask: int, capacities: tuple[int, int, int], heads: int, head_dim: int) -> None:
    assert_equal_to_fp64(ragged(capacities, heads, head_dim), mask)


@every_mask
def test_masked_network_layout(mask: int) -> None:
    """Absent modalities have capacity 0, as in an engine for the mask."""
    assert_equal_to_fp64(held(ragged((5, 17, 9), 1, 16), mask), mask)


@every_mask
@pytest.mark.parametrize("one_launch", [True, False], ids=["one launch", "describe, then weigh"])
def test_both_grids(mask: int, one_launch: bool) -> None:
    case = ragged((9, 20, 5), 2, 16)
    expected = cross_modal_fuse_reference(*case.inputs(torch.float64), case.lengths, case.capacities, mask=mask)
    inputs = [x.detach() for x in case.inputs()]
    found = launch.forward(*inputs, case.lengths, None, case.capacities, mask, one_launch=one_launch)
    for y, z in zip(found, expected, strict=True):
        torch.testing.assert_close(y, z.detach().float(), **TOLERANCE)


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(
    mask=st.integers(1, 7),
    lengths=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 18), st.integers(0, 3)), min_size=2, max_size=2),
)
def test_any_raggedness(mask: int, lengths: list[tuple[int, int, int]]) -> None:
    base = ragged((5, 18, 3), 1, 16)
    rows = torch.tensor(lengths, dtype=torch.int64)
    assert_equal_to_fp64(Case(base.q[:2], base.k[:2], base.v[:2], base.gate[:2], rows, base.capacities), mask)


def test_nothing_present_gives_zeros() -> None:
    case = ragged((6, 7, 8), 1, 16)
    inputs = case.inputs()
    found = ek.cross_modal_fuse(*inputs, case.lengths, case.capacities, mask=7, impl="triton")
    assert all(not y[1].any() for y in found)
    assert not any(g[1].any() for g in torch.autograd.grad(found[0].sum(), inputs))


def test_padding_is_never_read() -> None:
    case = ragged((6, 20, 4), 1, 16)
    clean = ek.cross_modal_fuse(*case.inputs(), case.lengths, case.capacities, mask=7, impl="triton")
    for x in (case.q, case.k, case.v):
        x[1:, :] = torch.where(_valid(case)[1:, :, None, None], x[1:], torch.nan)
    inputs = case.inputs()
    dirty = ek.cross_modal_fuse(*inputs, case.lengths, case.capacities, mask=7, impl="triton")
    for a, b in zip(clean, dirty, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert all(g.isfinite().all() for g in torch.autograd.grad(sum(y.sum() for y in dirty), inputs))


def _valid(case: Case) -> torch.Tensor:
    return torch.cat(
        [torch.arange(c)[None] < case.lengths[:, m : m + 1] for m, c in enumerate(case.capacities)], 1
    )  # fmt: skip


def test_lengths_beyond_the_segment_count_as_full() -> None:
    case = ragged((6, 7, 8), 1, 16)
    longer = case.lengths + torch.tensor([[90, 3, 1], [-5, -1, 0], [0, 0, 0]], dtype=torch.int32)
    a = ek.cross_modal_fuse(*case.inputs(), case.lengths, case.capacities, mask=7, impl="triton")
    b = ek.cross_modal_fuse(*case.inputs(), longer, case.capacities, mask=7, impl="triton")
    for x, y in zip(a, b, strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=0)


def test_no_utterances() -> None:
    empty = [torch.empty(0, 24, 1, 16, requires_grad=True) for _ in range(3)]
    gate, lengths = torch.empty(0, 1, 16), torch.empty(0, 3, dtype=torch.int32)
    fused, weights, desc = ek.cross_modal_fuse(*empty, gate, lengths, (8, 8, 8), mask=7, impl="triton")
    assert (fused.shape, weights.shape, desc.shape) == ((0, 1, 16), (0, 3), (0, 3, 1, 16))
    assert torch.autograd.grad(fused.sum(), empty)[0].shape == (0, 24, 1, 16)


def test_packed_projection_is_read_and_differentiated_in_place() -> None:
    case = ragged((9, 20, 5), 2, 16)
    qkv = torch.stack([case.q, case.k, case.v], 2).requires_grad_()
    gate = case.gate.clone().requires_grad_()
    assert launch.as_rows(*qkv.detach().unbind(2))[3] == 3 * 2 * 16
    packed = ek.cross_modal_fuse_packed(qkv, gate, case.lengths, case.capacities, mask=7, impl="triton")
    inputs = case.inputs()
    apart = ek.cross_modal_fuse(*inputs, case.lengths, case.capacities, mask=7, impl="triton")
    for a, b in zip(packed, apart, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    given_gradients = [torch.randn_like(y) for y in packed]
    dqkv, dgate = torch.autograd.grad(packed, [qkv, gate], given_gradients)
    *dx, dg = torch.autograd.grad(apart, inputs, given_gradients)
    torch.testing.assert_close(dqkv, torch.stack(dx, 2), rtol=0, atol=0)
    torch.testing.assert_close(dgate, dg, rtol=0, atol=0)


@every_mask
def test_half_precision(mask: int) -> None:
    """fp16 against fp64 of the same rounded inputs."""
    case = ragged((9, 20, 5), 1, 32)
    inputs = case.inputs(torch.float16)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    found = ek.cross_modal_fuse(*inputs, case.lengths, case.capacities, mask=mask, impl="triton")
    expected = cross_modal_fuse_reference(*exact, case.lengths, case.capacities, mask=mask)
    assert (found[0].dtype, found[1].dtype, found[2].dtype) == (torch.float16, torch.float32, torch.float32)
    assert max(rms_ratio(y, z) for y, z in zip(found, expected, strict=True)) < 1e-3
    # gradients as small as a mean loss makes them, where a product in fp16 would underflow
    dy = torch.randn_like(expected[2]) * 1e-4
    back = torch.autograd.grad(found[2], inputs[:3], dy.float())
    wanted = torch.autograd.grad(expected[2], exact[:3], dy, allow_unused=True)
    for g, w in zip(back, wanted, strict=True):
        if w is None or not w.any():
            assert not g.any()
        else:
            # the results themselves are stored in fp16, 6e-8 at its smallest
            assert (g.double() - w).abs().max() < 5e-3 * w.abs().max() + 6e-8


@every_mask
def test_int8_is_the_reference_on_dequantized_tokens(mask: int) -> None:
    case = ragged((9, 20, 5), 2, 32)
    amax = torch.stack([x.abs().amax((0, 1, 3)) for x in (case.q, case.k, case.v)])
    scales = ek.per_head_scales(amax)
    q, k, v = (ek.quantize(x, s) for x, s in zip((case.q, case.k, case.v), scales, strict=True))
    settings = {"scales": scales, "mask": mask}
    found = ek.cross_modal_fuse_int8(q, k, v, case.gate, case.lengths, case.capacities, impl="triton", **settings)
    expected = ek.cross_modal_fuse_int8(q, k, v, case.gate, case.lengths, case.capacities, impl="reference", **settings)
    for y, z in zip(found, expected, strict=True):
        torch.testing.assert_close(y, z, **TOLERANCE)


@every_mask
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_modality_weights(mask: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(1)
    desc = torch.randn(3, 3, 2, 16, generator=generator).to(dtype).requires_grad_()
    gate = torch.randn(3, 2, 16, generator=generator).to(dtype).requires_grad_()
    lengths = torch.tensor([[1, 2, 3], [0, 0, 0], [4, 0, 1]], dtype=torch.int32)
    exact = [x.detach().double().requires_grad_() for x in (desc, gate)]
    found = ek.modality_weights(desc, gate, lengths, mask=mask, impl="triton")
    expected = modality_weights_reference(*exact, lengths, mask=mask)
    given_gradients = [torch.randn_like(y) for y in expected]
    back = torch.autograd.grad(
        found, [desc, gate], [g.to(y.dtype) for g, y in zip(given_gradients, found, strict=True)]
    )
    wanted = torch.autograd.grad(
        expected, exact, [g.to(y.dtype).double() for g, y in zip(given_gradients, found, strict=True)]
    )
    tolerance = TOLERANCE if dtype == torch.float32 else {"atol": 2e-3, "rtol": 2e-3}
    for y, z in zip((*found, *back), (*expected, *wanted), strict=True):
        torch.testing.assert_close(y, z.to(y.dtype), **tolerance)


@pytest.mark.parametrize("used", [[0], [1], [2], [0, 2]], ids=["fused", "weights", "descriptors", "fused, descriptors"])
def test_gradients_when_only_some_outputs_are_used(used: list[int]) -> None:
    case = ragged((9, 20, 5), 1, 16)
    inputs, exact = case.inputs(), case.inputs(torch.float64)
    found = ek.cross_modal_fuse(*inputs, case.lengths, case.capacities, mask=7, impl="triton")
    expected = cross_modal_fuse_reference(*exact, case.lengths, case.capacities, mask=7)
    back = torch.autograd.grad(sum(found[i].square().sum() for i in used), inputs)
    wanted = torch.autograd.grad(sum(expected[i].square().sum() for i in used), exact, allow_unused=True)
    for g, w in zip(back, wanted, strict=True):
        torch.testing.assert_close(g, torch.zeros_like(g) if w is None else w.float(), **TOLERANCE)
