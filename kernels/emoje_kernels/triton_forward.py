"""Forward kernels: cross-attend, pool, weigh.

For utterance n, head h, target modality m (tokens i; a_i = 1 / length for valid i, else 0):

    P_ij = softmax over valid tokens j of the other modalities of <q_i, k_j> / sqrt(DH)
    d_m  = sum_i a_i v_i + sum_j (sum_i a_i P_ij) v_j          the pooled row, never the matrix P V

`fuse` runs one program an utterance and weighs at its end; `describe` runs one program for each (utterance, head,
modality), then `weigh` weighs.  Arguments run inputs then outputs, with no integers and no floats among them: every
size and the scale are compile-time constants, as a TensorRT ahead-of-time plugin wants them and as Inductor keeps
out of fp64.  Every output element is written, so no buffer needs clearing.

fp32 products run as three tf32 products (error about 2^-21 of the operands' magnitude): true fp32 products have no
tensor core, and the compiler then spills registers by the hundred (README, "Types").
"""

# mypy: disable-error-code="no-untyped-def"
# (a kernel's parameters are the compiler's values, not Python's)
import triton
import triton.language as tl

from emoje_kernels.triton_weigh import weigh_one

LOG2E = tl.constexpr(1.4426950408889634)


@triton.jit
def load_tile(ptr, n, h, start, length, S: tl.constexpr, ROW: tl.constexpr, DH: tl.constexpr, B: tl.constexpr):
    """One modality's [B, DH] tile of head h; rows past `length` are zero."""
    rows = tl.arange(0, B)
    offsets = (n * S + start + rows[:, None]) * ROW + h * DH + tl.arange(0, DH)[None, :]
    return tl.load(ptr + offsets, mask=rows[:, None] < length, other=0.0)


@triton.jit
def load_length(lengths, n, m: tl.constexpr, C: tl.constexpr):
    """Valid tokens of modality m, never beyond its segment whatever the caller says."""
    return tl.minimum(tl.maximum(tl.load(lengths + n * 3 + m), 0), C).to(tl.int32)


@triton.jit
def query_share(length, B: tl.constexpr):
    """a_i: 1 / length for valid rows, 0 for padding; [B]."""
    return tl.where(tl.arange(0, B) < length, 1.0 / tl.maximum(length, 1).to(tl.float32), 0.0)


@triton.jit
def _logits(q, k, length, factor):
    """Base-2 logits of every query against one source; its padding is -inf."""
    s = tl.dot(q, tl.trans(k), input_precision="tf32x3", out_dtype=tl.int32 if q.dtype == tl.int8 else tl.float32)
    return tl.where(tl.arange(0, k.shape[0])[None, :] < length, s.to(tl.float32) * factor, float("-inf"))


@triton.jit
def _probabilities(q, k1, n1, k2, n2, factor, HAS1: tl.constexpr, HAS2: tl.constexpr):
    """Softmax over up to two sources without joining their tiles: (e1, e2, 1 / sum)."""
    # an absent source's tile is never read, but a compiled function cannot return None
    e1 = q
    e2 = q
    top = tl.full([q.shape[0]], float("-inf"), tl.float32)
    if HAS1:
        e1 = _logits(q, k1, n1, factor)
        top = tl.max(e1, 1)
    if HAS2:
        e2 = _logits(q, k2, n2, factor)
        top = tl.maximum(top, tl.max(e2, 1))
    # a row without any valid key would give -inf - -inf
    top = tl.where(top == float("-inf"), 0.0, top)
    total = tl.zeros([q.shape[0]], tl.float32)
    if HAS1:
        e1 = tl.exp2(e1 - top[:, None])
        total += tl.sum(e1, 1)
    if HAS2:
        e2 = tl.exp2(e2 - top[:, None])
        total += tl.sum(e2, 1)
    return e1, e2, 1.0 / tl.where(total == 0.0, 1.0, total)


@triton.jit
def _pooled(
    q, k, v, scales, out, n, h, s0, n0, s1, n1, s2, n2,
    S: tl.constexpr, ROW: tl.constexpr, H: tl.constexpr, DH: tl.constexpr, SCALE: tl.constexpr,
    B0: tl.constexpr, B1: tl.constexpr, B2: tl.constexpr, HAS1: tl.constexpr, HAS2: tl.constexpr,
):  # fmt: skip
    """Store the descriptor of the modality at s0 that attends to those at s1 and s2."""
    factor = SCALE * LOG2E
    value_scale = 1.0
    if scales is not None:
        # per-head quantization: q, k, v are integers times their head's scale, [3, H]
        factor = factor * tl.load(scales + h) * tl.load(scales + H + h)
        value_scale = tl.load(scales + 2 * H + h)
    share = query_share(n0, B0)
    d = tl.sum(share[:, None] * load_tile(v, n, h, s0, n0, S, ROW, DH, B0).to(tl.float32), 0)
    if HAS1 or HAS2:
        q0 = load_tile(q, n, h, s0, n0, S, ROW, DH, B0)
        k1 = None
        k2 = None
        if HAS1:
            k1 = load_tile(k, n, h, s1, n1, S, ROW, DH, B1)
        if HAS2:
            k2 = load_tile(k, n, h, s2, n2, S, ROW, DH, B2)
        e1, e2, reciprocal = _probabilities(q0, k1, n1, k2, n2, factor, HAS1, HAS2)
        row_share = (share * reciprocal)[:, None]
        if HAS1:
            v1 = load_tile(v, n, h, s1, n1, S, ROW, DH, B1).to(tl.float32)
            d += tl.sum(tl.sum(e1 * row_share, 0)[:, None] * v1, 0)
        if HAS2:
            v2 = load_tile(v, n, h, s2, n2, S, ROW, DH, B2).to(tl.float32)
            d += tl.sum(tl.sum(e2 * row_share, 0)[:, None] * v2, 0)
    tl.store(out, d * value_scale)


@triton.jit
def _clear(desc, n, h, H: tl.constexpr, DH: tl.constexpr, MASK: tl.constexpr):
    """Zeros where a modality is outside the mask."""
    out = desc + (n * 3 * H + h) * DH + tl.arange(0, DH)
    for m in tl.static_range(3):
        if (MASK >> m) & 1 == 0:
            tl.store(out + m * H * DH, tl.zeros([DH], tl.float32))


@triton.jit
def describe(
    q, k, v, lengths, scales, desc,
    C0: tl.constexpr, C1: tl.constexpr, C2: tl.constexpr, B0: tl.constexpr, B1: tl.constexpr, B2: tl.constexpr,
    H: tl.constexpr, DH: tl.constexpr, ROW: tl.constexpr, SCALE: tl.constexpr, MASK: tl.constexpr,
):  # fmt: skip
    """Descriptors [N, 3, H, DH] fp32.  Grid (N * H * present modalities,), an utterance's programs together,
    so that the keys and values that its modalities share are still in cache."""
    HAS0: tl.constexpr = (MASK & 1) != 0
    HAS1: tl.constexpr = (MASK & 2) != 0
    HAS2: tl.constexpr = (MASK & 4) != 0
    TARGETS: tl.constexpr = HAS0 + HAS1 + HAS2
    S: tl.constexpr = C0 + C1 + C2
    S2: tl.constexpr = C0 + C1
    target = tl.program_id(0) % TARGETS
    h = tl.program_id(0) // TARGETS % H
    n = (tl.program_id(0) // (TARGETS * H)).to(tl.int64)
    n0 = load_length(lengths, n, 0, C0)
    n1 = load_length(lengths, n, 1, C1)
    n2 = load_length(lengths, n, 2, C2)
    out = desc + (n * 3 * H + h) * DH + tl.arange(0, DH)
    if target == 0:
        _clear(desc, n, h, H, DH, MASK)
    if HAS0:  # noqa: SIM102 - a compile-time choice, then one made at run time
        if target == 0:
            _pooled(q, k, v, scales, out, n, h, 0, n0, C0, n1, S2, n2,
                    S, ROW, H, DH, SCALE, B0, B1, B2, HAS1, HAS2)  # fmt: skip
    if HAS1:  # noqa: SIM102 - a compile-time choice, then one made at run time
        if target == HAS0:
            _pooled(q, k, v, scales, out + H * DH, n, h, C0, n1, 0, n0, S2, n2,
                    S, ROW, H, DH, SCALE, B1, B0, B2, HAS0, HAS2)  # fmt: skip
    if HAS2:  # noqa: SIM102 - a compile-time choice, then one made at run time
        if target == HAS0 + HAS1:
            _pooled(q, k, v, scales, out + 2 * H * DH, n, h, S2, n2, 0, n0, C0, n1,
                    S, ROW, H, DH, SCALE, B2, B0, B1, HAS0, HAS1)  # fmt: skip


@triton.jit
def fuse(
    q, k, v, gate, lengths, scales, fused, weights, desc,
    C0: tl.constexpr, C1: tl.constexpr, C2: tl.constexpr, B0: tl.constexpr, B1: tl.constexpr, B2: tl.constexpr,
    H: tl.constexpr, DH: tl.constexpr, ROW: tl.constexpr, SCALE: tl.constexpr, MASK: tl.constexpr,
    BLOCK_D: tl.constexpr, ALPHA: tl.constexpr,
):  # fmt: skip
    """All of it in one launch.  Grid (N,): a program does every head of its utterance, then weighs."""
    HAS0: tl.constexpr = (MASK & 1) != 0
    HAS1: tl.constexpr = (MASK & 2) != 0
    HAS2: tl.constexpr = (MASK & 4) != 0
    S: tl.constexpr = C0 + C1 + C2
    S2: tl.constexpr = C0 + C1
    n = tl.program_id(0).to(tl.int64)
    n0 = load_length(lengths, n, 0, C0)
    n1 = load_length(lengths, n, 1, C1)
    n2 = load_length(lengths, n, 2, C2)
    for h in range(H):
        out = desc + (n * 3 * H + h) * DH + tl.arange(0, DH)
        _clear(desc, n, h, H, DH, MASK)
        if HAS0:
            _pooled(q, k, v, scales, out, n, h, 0, n0, C0, n1, S2, n2,
                    S, ROW, H, DH, SCALE, B0, B1, B2, HAS1, HAS2)  # fmt: skip
        if HAS1:
            _pooled(q, k, v, scales, out + H * DH, n, h, C0, n1, 0, n0, S2, n2,
                    S, ROW, H, DH, SCALE, B1, B0, B2, HAS0, HAS2)  # fmt: skip
        if HAS2:
            _pooled(q, k, v, scales, out + 2 * H * DH, n, h, S2, n2, 0, n0, C0, n1,
                    S, ROW, H, DH, SCALE, B2, B0, B1, HAS0, HAS1)  # fmt: skip
    # every thread's descriptors must be visible before any thread reads them back
    tl.debug_barrier()
    weigh_one(desc, gate, n, n0, n1, n2, fused, weights, H * DH, BLOCK_D, ALPHA, MASK)
