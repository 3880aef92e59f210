"""Every mask through the real Torch-TensorRT and the real TensorRT-RTX compiler, without a GPU.

Proven here: each operator has a converter, the network is one engine, the Q/DQ pairs of the spec survive the lowering,
and the compiler takes the network for each architecture.  Not proven: numerics and speed, for which a plan must be
opened on its device (`test_tensorrt_device.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emoje_edge.modality import Mask
from tests.engine import tensorrt_toolchain as toolchain

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURES = ("SM86", "SM120")
LIMIT_SECONDS = 1500  # two minutes on two quiet cores

MASKS = [str(mask) for mask in Mask.all()]
PRECISIONS = ("fp32", "int8")

pytestmark = pytest.mark.tensorrt


def _cases() -> list[dict[str, str]]:
    cases = [{"mask": mask, "precision": precision, "attention": "fused"} for mask in MASKS for precision in PRECISIONS]
    extra = (
        {"mask": "text", "precision": "fp32", "attention": "decomposed"},
        {"mask": "text", "precision": "fp16", "attention": "fused"},
        {"mask": "text,audio,pose", "precision": "int8", "attention": "parser"},
    )
    return [*cases, *extra]


@pytest.fixture(scope="module")
def reports() -> dict[tuple[str, str, str], dict[str, Any]]:
    """What the compiler said of each case, all from one child process: importing it takes longest."""
    try:
        env = toolchain.environment()
    except toolchain.Unavailable as reason:
        pytest.skip(str(reason))
    plan = json.dumps({"architectures": ARCHITECTURES, "cases": _cases()})
    command = [sys.executable, "-m", "tests.engine.tensorrt_worker", plan]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    if done.returncode:
        pytest.fail(done.stderr[-3000:], pytrace=False)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {(row["mask"], row["precision"], row["attention"]): row for row in rows}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_is_one_engine_with_every_operator_converted(reports: Any, mask: str, precision: str) -> None:
    row = reports[mask, precision, "fused"]
    assert "error" not in row, row
    assert row["operators"] > 100
    assert row["converted"] == row["operators"]
    assert set(row["bytes"]) == set(ARCHITECTURES)
    assert min(row["bytes"].values()) > 1 << 20
    # the product gets the compiler's bytes
    assert row["plan"] == row["bytes"][ARCHITECTURES[0]]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("mask", MASKS)
def test_a_plan_has_the_pairs_of_the_spec(reports: Any, mask: str, precision: str) -> None:
    row = reports[mask, precision, "fused"]
    # beside witnesses the head reads twice: what the words tell by themselves, and in their dialogue
    again = 2 if precision == "int8" and mask.startswith("text,") else 0
    pairs = row["weights"] + row["layer_inputs"] + again
    assert row["layers"].get("QUANTIZE", 0) == row["layers"].get("DEQUANTIZE", 0) == pairs
    assert (row["weights"] > 0) == (row["layer_inputs"] > 0) == (precision == "int8")


@pytest.mark.parametrize("mask", MASKS)
def test_int8_plans_hold_int8_weights(reports: Any, mask: str) -> None:
    # were the weights' Q/DQ folded, they would be there in fp32 and the plan no smaller
    int8, fp32 = (reports[mask, precision, "fused"]["bytes"] for precision in ("int8", "fp32"))
    # (a plan also holds its kernels, and convolutions whose weights a spec leaves alone)
    assert all(int8[name] < 0.95 * fp32[name] for name in ARCHITECTURES)


@pytest.mark.parametrize("mask", MASKS)
def test_a_plan_calls_its_inputs_by_their_names(reports: Any, mask: str) -> None:
    assert reports[mask, "fp32", "fused"]["inputs"] == input_names(mask)


def input_names(mask: str) -> list[str]:
    parts = ("", "_length") if mask == "text" else ("", "_length", "_quality")
    voice = ["voice"] if "audio" in mask.split(",") else []
    return [*(f"{m}{part}" for m in mask.split(",") for part in parts), *voice, "speaker", "state"]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("mask", MASKS)
def test_attention_is_one_operator_where_it_is_to_be_fused(reports: Any, mask: str, precision: str) -> None:
    from tests.engine.tensorrt_networks import attentions

    layers = reports[mask, precision, "fused"]["layers"]
    fused = attentions(Mask.parse(mask))
    assert layers.get("ATTENTION_INPUT", 0) == layers.get("ATTENTION_OUTPUT", 0) == fused


def test_attention_is_decomposed_on_request(reports: Any) -> None:
    fused, decomposed = (reports["text", "fp32", how]["layers"] for how in ("fused", "decomposed"))
    assert "ATTENTION_INPUT" not in decomposed
    assert decomposed["SOFTMAX"] == fused["SOFTMAX"] + fused["ATTENTION_INPUT"]


def test_half_precision_halves_the_plan(reports: Any) -> None:
    # (of text, whose weights outweigh the kernels that a plan also holds)
    half, single = (reports["text", precision, "fused"]["bytes"] for precision in ("fp16", "fp32"))
    assert all(half[name] < 0.7 * single[name] for name in ARCHITECTURES)


def test_the_parser_takes_our_signed_onnx(reports: Any) -> None:
    row = reports["text,audio,pose", "int8", "parser"]
    assert "error" not in row, row
    quantize, dequantize = row["layers"]["QUANTIZE"], row["layers"]["DEQUANTIZE"]
    # the file stores weights in eight bits, and quantizes once what two layers of one range read
    assert dequantize - quantize == row["weights"]
    assert 0.9 * row["layer_inputs"] < quantize <= row["layer_inputs"]
    assert sorted(row["inputs"]) == sorted(input_names(MASKS[-1]))
