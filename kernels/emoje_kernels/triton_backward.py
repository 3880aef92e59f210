"""Backward kernel of the fused operator: one program a head of an utterance, which owns all it writes.

With u_m the gradient of descriptor d_m, t_j = <v_j, u_m> and P as in `triton_forward`:

    dv_j += u_m * sum_i a_i P_ij                 dv_i += a_i u_m
    dS_ij = a_i P_ij (t_j - sum_l P_il t_l)      dq_i = dS_ij k_j / sqrt(DH)      dk_j += dS_ij q_i / sqrt(DH)

No atomics, no scratch: repeatable to the bit.  P is recomputed twice, query-major for dq and key-major for dk and dv;
transposing the result of an MMA instead would go through shared memory.  u_m is divided by its largest magnitude
before the products and a_i comes in after them, so that fp16 gradients do not underflow.
"""

# mypy: disable-error-code="no-untyped-def"
# (a kernel's parameters are the compiler's values, not Python's)
import triton
import triton.language as tl

from emoje_kernels.triton_forward import LOG2E, load_length, load_tile, query_share
from emoje_kernels.triton_weigh import score_gradients


@triton.jit
def _store_gradient(
    ptr, x, which: tl.constexpr, n, h, start, S: tl.constexpr, C: tl.constexpr, H: tl.constexpr, DH: tl.constexpr,
    B: tl.constexpr,
):  # fmt: skip
    """Store a segment's tile into the packed gradient [N, S, 3, H, DH], padding included."""
    rows = tl.arange(0, B)
    offsets = (((n * S + start + rows[:, None]) * 3 + which) * H + h) * DH + tl.arange(0, DH)[None, :]
    tl.store(ptr + offsets, x.to(ptr.dtype.element_ty), mask=rows[:, None] < C)


@triton.jit
def _clear_gradient(
    ptr, n, h, start, S: tl.constexpr, C: tl.constexpr, H: tl.constexpr, DH: tl.constexpr, B: tl.constexpr
):
    """Zeros for a segment outside the mask."""
    for which in tl.static_range(3):
        _store_gradient(ptr, tl.zeros([B, DH], tl.float32), which, n, h, start, S, C, H, DH, B)


@triton.jit
def _query_major(q, k, length, SCALE: tl.constexpr):
    s = tl.dot(q, tl.trans(k), input_precision="tf32x3") * (SCALE * LOG2E)
    return tl.where(tl.arange(0, k.shape[0])[None, :] < length, s, float("-inf"))


@triton.jit
def _key_major(k, q, length, SCALE: tl.constexpr):
    """The same logits from a transposed operand, not a transposed result."""
    s = tl.dot(k, tl.trans(q), input_precision="tf32x3") * (SCALE * LOG2E)
    return tl.where(tl.arange(0, k.shape[0])[:, None] < length, s, float("-inf"))


@triton.jit
def _incoming(weight, dscore, desc, ddesc, dfused, gate, slot, HAS_DDESC: tl.constexpr):
    """Gradient u of one descriptor's head as (u / size, size), and its share of the gate's gradient."""
    u = weight * dfused + dscore * gate
    if HAS_DDESC:
        u += tl.load(ddesc + slot).to(tl.float32)
    size = tl.max(tl.abs(u), 0)
    size = tl.where(size == 0.0, 1.0, size)
    return u / size, size, dscore * tl.load(desc + slot)


@triton.jit
def _to_queries(
    dqkv, q, k, v, u, size, n, h, s0, n0, s1, n1, s2, n2,
    S: tl.constexpr, C: tl.constexpr, ROW: tl.constexpr, H: tl.constexpr, DH: tl.constexpr, SCALE: tl.constexpr,
    B0: tl.constexpr, B1: tl.constexpr, B2: tl.constexpr, HAS1: tl.constexpr, HAS2: tl.constexpr,
):  # fmt: skip
    """Store dq of one target; return log2 of each row's softmax sum and its mean of t, [B0] both."""
    log_sum = tl.zeros([B0], tl.float32)
    mean = tl.zeros([B0], tl.float32)
    g = tl.zeros([B0, DH], tl.float32)
    if HAS1 or HAS2:
        q0 = load_tile(q, n, h, s0, n0, S, ROW, DH, B0)
        top = tl.full([B0], float("-inf"), tl.float32)
        if HAS1:
            k1 = load_tile(k, n, h, s1, n1, S, ROW, DH, B1)
            x1 = _query_major(q0, k1, n1, SCALE)
            top = tl.max(x1, 1)
        if HAS2:
            k2 = load_tile(k, n, h, s2, n2, S, ROW, DH, B2)
            x2 = _query_major(q0, k2, n2, SCALE)
            top = tl.maximum(top, tl.max(x2, 1))
        top = tl.where(top == float("-inf"), 0.0, top)
        total = tl.zeros([B0], tl.float32)
        if HAS1:
            total += tl.sum(tl.exp2(x1 - top[:, None]), 1)
        if HAS2:
            total += tl.sum(tl.exp2(x2 - top[:, None]), 1)
        log_sum = top + tl.log2(tl.where(total == 0.0, 1.0, total))
        if HAS1:
            t1 = tl.sum(load_tile(v, n, h, s1, n1, S, ROW, DH, B1) * u[None, :], 1)
            p1 = tl.exp2(x1 - log_sum[:, None])
            mean += tl.sum(p1 * t1[None, :], 1)
        if HAS2:
            t2 = tl.sum(load_tile(v, n, h, s2, n2, S, ROW, DH, B2) * u[None, :], 1)
            p2 = tl.exp2(x2 - log_sum[:, None])
            mean += tl.sum(p2 * t2[None, :], 1)
        if HAS1:
            ds = p1 * (t1[None, :] - mean[:, None])
            g += tl.dot(ds.to(k1.dtype), k1, input_precision="tf32x3")
        if HAS2:
            ds = p2 * (t2[None, :] - mean[:, None])
            g += tl.dot(ds.to(k2.dtype), k2, input_precision="tf32x3")
        g = g * (query_share(n0, B0) * (size * SCALE))[:, None]
    _store_gradient(dqkv, g, 0, n, h, s0, S, C, H, DH, B0)
    return log_sum, mean


@triton.jit
def _from_target(
    gk, gv, k, v, q, u, size, log_sum, mean, n, h, start, length, own,
    S: tl.constexpr, ROW: tl.constexpr, DH: tl.constexpr, SCALE: tl.constexpr, B: tl.constexpr,
):  # fmt: skip
    """Add to one source's (dk, dv) what the target at `start` sends it; `own` is the source's length."""
    q0 = load_tile(q, n, h, start, length, S, ROW, DH, B)
    p = tl.exp2(_key_major(k, q0, own, SCALE) - log_sum[None, :])
    t = tl.sum(v * u[None, :], 1)
    gv += tl.sum(p * query_share(length, B)[None, :], 1)[:, None] * (u * size)[None, :]
    # queries that are padding are rows of zeros here, so they need no mask
    ds = p * (t[:, None] - mean[None, :])
    share = size * SCALE / tl.maximum(length, 1).to(tl.float32)
    gk += tl.dot(ds.to(q0.dtype), q0, input_precision="tf32x3") * share
    return gk, gv


@triton.jit
def _to_keys(
    dqkv, q, k, v, n, h, s0, n0, u0, z0, s1, n1, l1, m1, u1, z1, s2, n2, l2, m2, u2, z2,
    S: tl.constexpr, C: tl.constexpr, ROW: tl.constexpr, H: tl.constexpr, DH: tl.constexpr, SCALE: tl.constexpr,
    B0: tl.constexpr, B1: tl.constexpr, B2: tl.constexpr, HAS1: tl.constexpr, HAS2: tl.constexpr,
):  # fmt: skip
    """Store dk and dv of one source from the targets that attend to it, and from its own mean."""
    gv = query_share(n0, B0)[:, None] * (u0 * z0)[None, :]
    gk = tl.zeros([B0, DH], tl.float32)
    if HAS1 or HAS2:
        k0 = load_tile(k, n, h, s0, n0, S, ROW, DH, B0)
        v0 = load_tile(v, n, h, s0, n0, S, ROW, DH, B0)
        if HAS1:
            gk, gv = _from_target(gk, gv, k0, v0, q, u1, z1, l1, m1, n, h, s1, n1, n0, S, ROW, DH, SCALE, B1)
        if HAS2:
            gk, gv = _from_target(gk, gv, k0, v0, q, u2, z2, l2, m2, n, h, s2, n2, n0, S, ROW, DH, SCALE, B2)
    _store_gradient(dqkv, gk, 1, n, h, s0, S, C, H, DH, B0)
    _store_gradient(dqkv, gv, 2, n, h, s0, S, C, H, DH, B0)


@triton.jit
def fuse_backward(
    q, k, v, gate, lengths, weights, desc, dfused, dweights, ddesc, dqkv, dgate,
    C0: tl.constexpr, C1: tl.constexpr, C2: tl.constexpr, B0: tl.constexpr, B1: tl.constexpr, B2: tl.constexpr,
    H: tl.constexpr, DH: tl.constexpr, ROW: tl.constexpr, SCALE: tl.constexpr, MASK: tl.constexpr,
    BLOCK_D: tl.constexpr, ALPHA: tl.constexpr,
):  # fmt: skip
    """Grid (N * H,).  dqkv: [N, S, 3, H, DH]; dweights and ddesc may be None."""
    HAS0: tl.constexpr = (MASK & 1) != 0
    HAS1: tl.constexpr = (MASK & 2) != 0
    HAS2: tl.constexpr = (MASK & 4) != 0
    D: tl.constexpr = H * DH
    S: tl.constexpr = C0 + C1 + C2
    S2: tl.constexpr = C0 + C1
    HAS_DDESC: tl.constexpr = ddesc is not None
    h = tl.program_id(0) % H
    n = (tl.program_id(0) // H).to(tl.int64)
    n0 = load_length(lengths, n, 0, C0)
    n1 = load_length(lengths, n, 1, C1)
    n2 = load_length(lengths, n, 2, C2)
    g0, g1, g2, w0, w1, w2 = score_gradients(desc, weights, dfused, dweights, n, D, BLOCK_D, ALPHA, MASK)

    head = n * D + h * DH + tl.arange(0, DH)
    slot = n * 3 * D + h * DH + tl.arange(0, DH)
    dy = tl.load(dfused + head).to(tl.float32)
    gate_row = tl.load(gate + head).to(tl.float32)
    dg = tl.zeros([DH], tl.float32)
    # of an absent modality nothing is read, but the calls below name them all
    u0 = dg
    u1 = dg
    u2 = dg
    z0 = 1.0
    z1 = 1.0
    z2 = 1.0
    l0 = None
    m0 = None
    l1 = None
    m1 = None
    l2 = None
    m2 = None
    if HAS0:
        u0, z0, part = _incoming(w0, g0, desc, ddesc, dy, gate_row, slot, HAS_DDESC)
        dg += part
    if HAS1:
        u1, z1, part = _incoming(w1, g1, desc, ddesc, dy, gate_row, slot + D, HAS_DDESC)
        dg += part
    if HAS2:
        u2, z2, part = _incoming(w2, g2, desc, ddesc, dy, gate_row, slot + 2 * D, HAS_DDESC)
        dg += part
    tl.store(dgate + head, dg.to(dgate.dtype.element_ty))

    if HAS0:
        l0, m0 = _to_queries(dqkv, q, k, v, u0, z0, n, h, 0, n0, C0, n1, S2, n2,
                             S, C0, ROW, H, DH, SCALE, B0, B1, B2, HAS1, HAS2)  # fmt: skip
    if HAS1:
        l1, m1 = _to_queries(dqkv, q, k, v, u1, z1, n, h, C0, n1, 0, n0, S2, n2,
                             S, C1, ROW, H, DH, SCALE, B1, B0, B2, HAS0, HAS2)  # fmt: skip
    if HAS2:
        l2, m2 = _to_queries(dqkv, q, k, v, u2, z2, n, h, S2, n2, 0, n0, C0, n1,
                             S, C2, ROW, H, DH, SCALE, B2, B0, B1, HAS0, HAS1)  # fmt: skip
    if HAS0:
        _to_keys(dqkv, q, k, v, n, h, 0, n0, u0, z0, C0, n1, l1, m1, u1, z1, S2, n2, l2, m2, u2, z2,
                 S, C0, ROW, H, DH, SCALE, B0, B1, B2, HAS1, HAS2)  # fmt: skip
    elif C0 > 0:
        _clear_gradient(dqkv, n, h, 0, S, C0, H, DH, B0)
    if HAS1:
        _to_keys(dqkv, q, k, v, n, h, C0, n1, u1, z1, 0, n0, l0, m0, u0, z0, S2, n2, l2, m2, u2, z2,
                 S, C1, ROW, H, DH, SCALE, B1, B0, B2, HAS0, HAS2)  # fmt: skip
    elif C1 > 0:
        _clear_gradient(dqkv, n, h, C0, S, C1, H, DH, B1)
    if HAS2:
        _to_keys(dqkv, q, k, v, n, h, S2, n2, u2, z2, 0, n0, l0, m0, u0, z0, C0, n1, l1, m1, u1, z1,
                 S, C2, ROW, H, DH, SCALE, B2, B0, B1, HAS0, HAS1)  # fmt: skip
    elif C2 > 0:
        _clear_gradient(dqkv, n, h, S2, S, C2, H, DH, B2)
