"""What the backend decides without TensorRT: whose plan it is, what is missing, what Torch-TensorRT is told."""

from __future__ import annotations

import dataclasses
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoje_edge.engine import open_engine
from emoje_edge.engine.backends import tensorrt as backend
from emoje_edge.engine.build import Plan, build_engine
from emoje_edge.engine.gpu import Gpu, first_gpu
from emoje_edge.engine.manifest import Manifest, read_manifest
from emoje_edge.engine.tensorrt.converters import channel_axis
from emoje_edge.engine.tensorrt.graph import release_convolution_inputs
from emoje_edge.engine.tensorrt.lowering import convert, settings
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask

ORIN = {
    "kind": "cuda",
    "name": "Orin",
    "compute_capability": "8.7",
    "sm_count": 8,
    "driver": "540.4.0",
    "jetpack": "6.2 (L4T 36.4.3)",
    "tensorrt": "10.3.0",
}
no_gpu_here = pytest.mark.skipif(first_gpu() is not None, reason="this machine has a GPU")


@pytest.fixture
def manifest(built: Path) -> Manifest:
    """Of a plan for an Orin; the rest is a real manifest's."""
    found = read_manifest(next(built.rglob("manifest.json")).parent)
    return replace(found, backend="tensorrt", target=ORIN)


@pytest.mark.parametrize(
    ("fact", "other"),
    [("name", "Thor"), ("compute_capability", "11.0"), ("sm_count", 16), ("tensorrt", "10.16.2")],
)
def test_a_plan_of_another_device_is_foreign(fact: str, other: str | int) -> None:
    difference = backend.foreign(ORIN, ORIN | {fact: other})
    assert difference == f"built for {fact} {ORIN[fact]}, here {other}"


def test_another_driver_or_jetpack_release_still_opens() -> None:
    assert backend.foreign(ORIN, ORIN | {"driver": "541.0", "jetpack": "6.2 (L4T 36.4.4)"}) is None


def test_a_manifest_without_the_facts_is_foreign() -> None:
    assert backend.foreign({"kind": "cpu"}, ORIN) == "built for name unknown, here Orin"


@no_gpu_here
def test_opening_without_a_gpu_says_so(manifest: Manifest) -> None:
    with pytest.raises(WorkError, match="no CUDA GPU") as caught:
        backend.open(manifest, {"model.plan": b""})
    assert "--backend onnx" in caught.value.hint


@no_gpu_here
def test_building_without_a_gpu_leaves_nothing(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises((WorkError, UsageError), match="no CUDA GPU"):
        build_engine(replace(plan, backend="tensorrt", out=tmp_path), Mask(4))
    assert not list(tmp_path.rglob("*.plan"))


@no_gpu_here
def test_a_portable_engine_is_built_anywhere_and_runs_on_a_device_only(plan: Plan, tmp_path: Path) -> None:
    import onnx

    result = build_engine(replace(plan, backend="tensorrt", target="portable", out=tmp_path), Mask(7))
    assert result.manifest.target == {"kind": "portable"}
    assert result.manifest.latency is None
    graph = onnx.load(result.folder / "model.onnx").graph
    kinds = {x.name: x.data_type for x in graph.initializer}
    quantize = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    assert quantize
    assert {kinds[node.input[2]] for node in quantize} == {onnx.TensorProto.INT8}
    # TensorRT refuses a stored 8-bit tensor that anything else reads, an embedding's lookup among them
    narrow = {name for name, kind in kinds.items() if kind == onnx.TensorProto.INT8}
    readers = {node.op_type for node in graph.node if narrow & set(node.input)}
    assert readers == {"QuantizeLinear", "DequantizeLinear"}
    with pytest.raises(WorkError, match="no CUDA GPU"):
        open_engine(Mask(7), engine_dir=tmp_path, backend="tensorrt")


def test_a_gpu_without_tensorrt_gets_the_exact_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from emoje_edge.engine import install

    card = Gpu("NVIDIA GeForce RTX 3060", "8.6", 28, 12 << 30, "13.0")
    monkeypatch.setattr(backend, "first_gpu", lambda: card)
    monkeypatch.setattr(install, "first_gpu", lambda: card)
    monkeypatch.setattr(backend, "_installed", lambda module: False)
    problem = backend.unavailable("open")
    assert problem is not None
    assert problem.startswith("tensorrt, cuda.bindings not installed: pip install ")
    assert "[tensorrt]" in problem
    with pytest.raises(UsageError, match=r"RTX 3060 \(sm_86\)"):
        backend.target("sm_87")


@given(rank=st.integers(1, 4), axis=st.integers(0, 3), channels=st.integers(2, 9))
def test_the_axis_of_per_channel_ranges_is_found(rank: int, axis: int, channels: int) -> None:
    shape = [1] * rank
    assert channel_axis(torch.ones(shape)) is None
    shape[axis % rank] = channels
    assert channel_axis(torch.ones(shape)) == axis % rank


def test_ranges_along_two_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="one axis"):
        channel_axis(torch.ones(2, 3))


def version(*, arguments: set[str], fields: set[str]) -> Any:
    """`torch_tensorrt.dynamo` as one of its releases has it: what its function and its settings know."""
    scope: dict[str, Any] = {}
    exec(f"def function(program, *, {', '.join(f'{a}=None' for a in sorted(arguments))}, **kwargs): ...", scope)
    made = dataclasses.make_dataclass("CompilationSettings", sorted(fields))
    return types.SimpleNamespace(
        convert_exported_program_to_serialized_trt_engine=scope["function"], CompilationSettings=made
    )


COMMON = {"require_full_compilation", "min_block_size", "disable_tf32"}
CACHE = {"cache_built_engines", "reuse_cached_engines"}
ATTENTION = {"attn_bias_is_causal", "decompose_attention"}


def test_torch_tensorrt_2_8_is_told_what_it_knows() -> None:
    # read off the release: no attention settings, and the cache is in the settings but no argument
    old = version(arguments=COMMON | {"use_explicit_typing"}, fields=COMMON | CACHE | {"use_explicit_typing"})
    told = settings(old, attention="fused")
    assert set(told) == COMMON | {"use_explicit_typing"}
    assert told["use_explicit_typing"] is True


def test_torch_tensorrt_2_14_is_told_what_it_knows() -> None:
    new = version(arguments=COMMON | CACHE | ATTENTION, fields=COMMON | CACHE | ATTENTION)
    told = settings(new, attention="decomposed")
    assert set(told) == COMMON | CACHE | ATTENTION
    assert told["attn_bias_is_causal"] is False
    assert told["decompose_attention"] is True


def test_unknown_attention_and_precision_are_refused() -> None:
    module, example = torch.nn.Identity(), (torch.zeros(1),)
    with pytest.raises(UsageError, match="unknown attention"):
        convert(module, example, input_names=("x",), attention="flash")
    with pytest.raises(UsageError, match="unknown precision"):
        convert(module, example, input_names=("x",), precision="int4")


def test_only_convolutions_lose_the_quantized_input() -> None:
    from emoje_calibration.operators import qdq
    from torch.nn import functional as F

    class Network(torch.nn.Module):
        def forward(self, x: torch.Tensor, weight: torch.Tensor, amax: torch.Tensor) -> torch.Tensor:
            shared = qdq(x, amax)
            return (
                F.conv1d(qdq(x, amax), qdq(weight, amax)).sum() + F.relu(shared).sum() + F.conv1d(shared, weight).sum()
            )

    program = torch.export.export(Network(), (torch.randn(1, 2, 4), torch.randn(2, 2, 1), torch.ones(1)))
    graph = program.graph_module.graph
    release_convolution_inputs(graph)
    left = [node for node in graph.nodes if node.target is torch.ops.emoje_edge.qdq.default]
    # the weight's, and the one that feeds something else too
    assert len(left) == 2


@pytest.mark.gpu
@pytest.mark.skipif(backend.unavailable("open") is not None, reason=str(backend.unavailable("open")))
@pytest.mark.parametrize("precision", backend.PRECISIONS)
@pytest.mark.parametrize("mask", Mask.all(), ids=str)
def test_on_a_device_every_mask_builds_runs_and_is_measured(
    plan: Plan, tmp_path: Path, mask: Mask, precision: str
) -> None:
    result = build_engine(replace(plan, backend="tensorrt", precision=precision, out=tmp_path), mask)
    assert result.manifest.parity.agreement >= 0.75
    assert result.manifest.latency is not None
    print(mask, precision, result.manifest.parity, result.manifest.latency)
