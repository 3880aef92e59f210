"""Query-adaptive weighting of the modalities, forward and backward.

    s_m = <d_m, gate> / sqrt(D)          w = softmax of s over the present modalities
    y   = sum_m w_m d_m

With r_m = <dy, d_m> + dw_m the gradients are

    ds_m = w_m (r_m - sum_l w_l r_l) / sqrt(D)
    dd_m = w_m dy + ds_m gate            dgate = sum_m ds_m d_m
"""

# mypy: disable-error-code="no-untyped-def"
# (a kernel's parameters are the compiler's values, not Python's)
import triton
import triton.language as tl


@triton.jit
def _row(ptr, n, m: tl.constexpr, D: tl.constexpr, BLOCK_D: tl.constexpr):
    """Descriptor m of utterance n as fp32, [BLOCK_D]."""
    columns = tl.arange(0, BLOCK_D)
    return tl.load(ptr + (n * 3 + m) * D + columns, mask=columns < D, other=0.0).to(tl.float32)


@triton.jit
def weigh_one(
    desc, gate, n, n0, n1, n2, fused, weights, D: tl.constexpr, BLOCK_D: tl.constexpr, ALPHA: tl.constexpr,
    MASK: tl.constexpr,
):  # fmt: skip
    """Weigh one utterance's descriptors; zeros where nothing is present."""
    HAS0: tl.constexpr = (MASK & 1) != 0
    HAS1: tl.constexpr = (MASK & 2) != 0
    HAS2: tl.constexpr = (MASK & 4) != 0
    columns = tl.arange(0, BLOCK_D)
    inside = columns < D
    g = tl.load(gate + n * D + columns, mask=inside, other=0.0).to(tl.float32) * ALPHA
    nothing = float("-inf")
    s0 = nothing
    s1 = nothing
    s2 = nothing
    if HAS0:
        d0 = _row(desc, n, 0, D, BLOCK_D)
        s0 = tl.where(n0 > 0, tl.sum(d0 * g, 0), nothing)
    if HAS1:
        d1 = _row(desc, n, 1, D, BLOCK_D)
        s1 = tl.where(n1 > 0, tl.sum(d1 * g, 0), nothing)
    if HAS2:
        d2 = _row(desc, n, 2, D, BLOCK_D)
        s2 = tl.where(n2 > 0, tl.sum(d2 * g, 0), nothing)
    top = tl.maximum(tl.maximum(s0, s1), s2)
    top = tl.where(top == nothing, 0.0, top)
    e0 = tl.exp(s0 - top)
    e1 = tl.exp(s1 - top)
    e2 = tl.exp(s2 - top)
    total = e0 + e1 + e2
    reciprocal = 1.0 / tl.where(total == 0.0, 1.0, total)
    tl.store(weights + n * 3, e0 * reciprocal)
    tl.store(weights + n * 3 + 1, e1 * reciprocal)
    tl.store(weights + n * 3 + 2, e2 * reciprocal)
    y = tl.zeros([BLOCK_D], tl.float32)
    if HAS0:
        y += e0 * reciprocal * d0
    if HAS1:
        y += e1 * reciprocal * d1
    if HAS2:
        y += e2 * reciprocal * d2
    tl.store(fused + n * D + columns, y.to(fused.dtype.element_ty), mask=inside)


@triton.jit
def weigh(
    desc, gate, lengths, fused, weights, D: tl.constexpr, BLOCK_D: tl.constexpr, ALPHA: tl.constexpr,
    MASK: tl.constexpr,
):  # fmt: skip
    """Grid (N,): weigh descriptors that are already there."""
    n = tl.program_id(0).to(tl.int64)
    n0 = tl.load(lengths + n * 3)
    n1 = tl.load(lengths + n * 3 + 1)
    n2 = tl.load(lengths + n * 3 + 2)
    weigh_one(desc, gate, n, n0, n1, n2, fused, weights, D, BLOCK_D, ALPHA, MASK)


@triton.jit
def score_gradients(
    desc, weights, dfused, dweights, n, D: tl.constexpr, BLOCK_D: tl.constexpr, ALPHA: tl.constexpr,
    MASK: tl.constexpr,
):  # fmt: skip
    """ds_0, ds_1, ds_2 and the weights w_0, w_1, w_2 of one utterance."""
    columns = tl.arange(0, BLOCK_D)
    dy = tl.load(dfused + n * D + columns, mask=columns < D, other=0.0).to(tl.float32)
    w0 = tl.load(weights + n * 3)
    w1 = tl.load(weights + n * 3 + 1)
    w2 = tl.load(weights + n * 3 + 2)
    r0 = 0.0
    r1 = 0.0
    r2 = 0.0
    if MASK & 1:
        r0 = tl.sum(dy * _row(desc, n, 0, D, BLOCK_D), 0)
    if MASK & 2:
        r1 = tl.sum(dy * _row(desc, n, 1, D, BLOCK_D), 0)
    if MASK & 4:
        r2 = tl.sum(dy * _row(desc, n, 2, D, BLOCK_D), 0)
    if dweights is not None:
        r0 += tl.load(dweights + n * 3)
        r1 += tl.load(dweights + n * 3 + 1)
        r2 += tl.load(dweights + n * 3 + 2)
    mean = w0 * r0 + w1 * r1 + w2 * r2
    return w0 * (r0 - mean) * ALPHA, w1 * (r1 - mean) * ALPHA, w2 * (r2 - mean) * ALPHA, w0, w1, w2


@triton.jit
def weigh_backward(
    desc, gate, weights, dfused, dweights, ddesc, dgate, D: tl.constexpr, BLOCK_D: tl.constexpr,
    ALPHA: tl.constexpr, MASK: tl.constexpr,
):  # fmt: skip
    """Grid (N,): gradients of the descriptors and the gate."""
    n = tl.program_id(0).to(tl.int64)
    g0, g1, g2, w0, w1, w2 = score_gradients(desc, weights, dfused, dweights, n, D, BLOCK_D, ALPHA, MASK)
    columns = tl.arange(0, BLOCK_D)
    inside = columns < D
    dy = tl.load(dfused + n * D + columns, mask=inside, other=0.0).to(tl.float32)
    gate_row = tl.load(gate + n * D + columns, mask=inside, other=0.0).to(tl.float32)
    out = ddesc + n * 3 * D + columns
    element = ddesc.dtype.element_ty
    total = tl.zeros([BLOCK_D], tl.float32)
    if MASK & 1:
        total += g0 * _row(desc, n, 0, D, BLOCK_D)
    if MASK & 2:
        total += g1 * _row(desc, n, 1, D, BLOCK_D)
    if MASK & 4:
        total += g2 * _row(desc, n, 2, D, BLOCK_D)
    # a modality outside the mask has weight and gradient zero, so its row is cleared
    tl.store(out, (w0 * dy + g0 * gate_row).to(element), mask=inside)
    tl.store(out + D, (w1 * dy + g1 * gate_row).to(element), mask=inside)
    tl.store(out + 2 * D, (w2 * dy + g2 * gate_row).to(element), mask=inside)
    tl.store(dgate + n * D + columns, total.to(dgate.dtype.element_ty), mask=inside)
