"""Bad input: a ValueError with the values and the rule, before anything is launched."""

import emoje_kernels as ek
import pytest
import torch
from emoje_kernels import checks

CAPACITIES = (4, 5, 6)


def call(**changes):  # type: ignore[no-untyped-def]
    generator = torch.Generator().manual_seed(0)
    given = {name: torch.randn(2, 15, 2, 16, generator=generator) for name in "qkv"}
    given |= {"gate": torch.randn(2, 2, 16), "lengths": torch.ones(2, 3, dtype=torch.int32)}
    given |= {"capacities": CAPACITIES, "mask": 7, "impl": "auto", **changes}
    return ek.cross_modal_fuse(**given)


BAD = {
    "three dimensions": ({"q": torch.zeros(2, 15, 32)}, r"\(2, 15, 32\).*\[N, S, heads, head_dim\]"),
    "another number of tokens": ({"k": torch.zeros(2, 14, 2, 16)}, r"k is \(2, 14, 2, 16\): must be \(2, 15, 2, 16\)"),
    "another type": (
        {"v": torch.zeros(2, 15, 2, 16, dtype=torch.float16)},
        "v is torch.float16",
    ),
    "another device": ({"k": torch.zeros(2, 15, 2, 16, device="meta")}, "k is on meta: must be on cpu"),
    "not contiguous": (
        {"q": torch.zeros(2, 2, 15, 16).transpose(1, 2)},
        r"q has strides \(480, 16, 240, 1\)",
    ),
    "integers": ({name: torch.zeros(2, 15, 2, 16, dtype=torch.int32) for name in "qkv"}, "int32"),
    "gate's shape": ({"gate": torch.zeros(2, 32)}, r"gate is \(2, 32\): must be \(2, 2, 16\)"),
    "gate's type": ({"gate": torch.zeros(2, 2, 16, dtype=torch.float64)}, "gate is torch.float64"),
    "lengths' type": ({"lengths": torch.ones(2, 3)}, "lengths are torch.float32: must be int32 or int64"),
    "lengths' shape": ({"lengths": torch.ones(3, dtype=torch.int32)}, r"lengths is \(3,\): must be \(2, 3\)"),
    "sum of capacities": ({"capacities": (4, 5, 5)}, r"\(4, 5, 5\) add up to 14, but q, k and v hold 15"),
    "two capacities": ({"capacities": (7, 8)}, "three sizes"),
    "negative capacity": ({"capacities": (20, -5, 0)}, "0 or more"),
    "no room": ({"capacities": (10, 5, 0)}, "modality 2 is in the mask and must have room"),
    "mask 0": ({"mask": 0}, "mask 0: must be an int from 1 to 7"),
    "mask 8": ({"mask": 8}, "mask 8"),
    "mask as a bool": ({"mask": True}, "mask True"),
    "unknown implementation": ({"impl": "cuda"}, "'cuda': must be one of auto, triton, reference"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    changes, rule = BAD[name]
    with pytest.raises(ValueError, match=rule):
        call(**changes)


@pytest.mark.parametrize("head_dim", [8, 24, 48])
def test_head_dim(head_dim: int) -> None:
    tensors = {name: torch.zeros(2, 15, 2, head_dim) for name in "qkv"}
    with pytest.raises(ValueError, match=f"head_dim {head_dim}: must be a power of two"):
        call(**tensors, gate=torch.zeros(2, 2, head_dim))


def test_good_input_is_taken() -> None:
    fused, weights, desc = call()
    assert (fused.shape, weights.shape, desc.shape) == ((2, 2, 16), (2, 3), (2, 3, 2, 16))
    qkv = torch.randn(2, 15, 3, 2, 16)
    q, k, v = qkv.unbind(2)  # slices of one projection are contiguous enough
    torch.testing.assert_close(call(q=q, k=k, v=v)[0].shape, fused.shape)


def test_packed_must_be_packed() -> None:
    qkv = torch.randn(2, 15, 3, 2, 16)
    gate, lengths = torch.zeros(2, 2, 16), torch.ones(2, 3, dtype=torch.int32)
    for wrong in (qkv.transpose(1, 2), qkv[..., :8], qkv[0]):
        with pytest.raises(ValueError, match=r"\[N, S, 3, heads, head_dim\], contiguous"):
            ek.cross_modal_fuse_packed(wrong, gate, lengths, CAPACITIES, mask=7)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what is missing without a GPU")
def test_triton_without_a_gpu_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(ValueError, match="impl 'triton': "):
        call(impl="triton")
    assert "CUDA" in (ek.missing_for_triton("cpu") or "")
    assert ek.implementation_for("cpu") == ek.implementation_for("cuda") == "reference"


def test_double_precision_has_no_kernel() -> None:
    with pytest.raises(ValueError, match="float64: impl 'triton' takes float32, float16, bfloat16"):
        checks.check_float("q", torch.zeros(1, dtype=torch.float64), "triton")


def test_segments_beyond_a_tile() -> None:
    with pytest.raises(ValueError, match=r"\(129, 1, 1\).*at most 128"):
        checks.check_tiles((129, 1, 1))


def test_int8() -> None:
    x, gate = torch.zeros(1, 6, 2, 32, dtype=torch.int8), torch.zeros(1, 2, 32)
    lengths, scales = torch.ones(1, 3, dtype=torch.int32), torch.ones(3, 2)
    ek.cross_modal_fuse_int8(x, x, x, gate, lengths, (2, 2, 2), scales=scales, mask=7)
    with pytest.raises(ValueError, match="must be int8"):
        ek.cross_modal_fuse_int8(x.float(), x, x, gate, lengths, (2, 2, 2), scales=scales, mask=7)
    with pytest.raises(ValueError, match=r"scales is \(3,\): must be \(3, 2\)"):
        ek.cross_modal_fuse_int8(x, x, x, gate, lengths, (2, 2, 2), scales=scales[:, 0], mask=7)
    narrow, small = x[..., :16].contiguous(), gate[..., :16].contiguous()
    with pytest.raises(ValueError, match="INT8 products need 32"):
        ek.cross_modal_fuse_int8(narrow, narrow, narrow, small, lengths, (2, 2, 2), scales=scales, mask=7)


def test_modality_weights() -> None:
    desc, gate, lengths = torch.zeros(2, 3, 2, 16), torch.zeros(2, 2, 16), torch.ones(2, 3, dtype=torch.int32)
    assert ek.modality_weights(desc, gate, lengths, mask=3)[1].tolist() == [[0.5, 0.5, 0.0]] * 2
    with pytest.raises(ValueError, match=r"\[N, 3, heads, head_dim\]"):
        ek.modality_weights(desc[:, :2], gate, lengths, mask=3)
    with pytest.raises(ValueError, match="gate is"):
        ek.modality_weights(desc, gate[:, :1].contiguous(), lengths, mask=3)
