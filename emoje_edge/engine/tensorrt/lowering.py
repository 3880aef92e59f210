"""The exported network -> one TensorRT plan, through Torch-TensorRT.

The whole graph becomes one engine or the build fails: `convert_exported_program_to_serialized_trt_engine` does not
partition.  Versions 2.8 (TensorRT 10.3, JetPack 6.2) to 2.14 (TensorRT 11.1) differ in their settings, and an unknown
one is swallowed without a word, so only those are passed that this version knows.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from typing import Any

import torch
from torch import Tensor, nn

from emoje_edge.engine.half import HalfPrecision
from emoje_edge.engine.tensorrt.converters import register_converters
from emoje_edge.engine.tensorrt.graph import release_convolution_inputs
from emoje_edge.errors import UsageError, WorkError

ATTENTION = ("fused", "decomposed")
PRECISIONS = ("int8", "fp16", "fp32")


def convert(
    network: nn.Module,
    example: tuple[Tensor, ...],
    *,
    input_names: Sequence[str],
    precision: str = "fp32",
    attention: str = "fused",
) -> bytes:
    """One serialised plan of `network`.

    Args:
        network: in eval mode, left as it is; with `emoje_edge::qdq` inside it the plan gets explicit Q/DQ pairs.
        example: inputs, in the order of `input_names`.
        input_names: what the plan calls its inputs; its outputs are `output0`, `output1` …
        precision: `fp16` computes in half precision; in `fp32` and `int8` the rest is single.
        attention: `fused` hands attention to TensorRT as one operator (where its version has one), `decomposed` as
            matrix products and a softmax.

    Raises:
        UsageError: unknown precision or attention.
        WorkError: an operator has no converter, or TensorRT does not take the network.
    """
    _one_of("attention", attention, ATTENTION)
    _one_of("precision", precision, PRECISIONS)
    dynamo = _dynamo()
    function = dynamo.convert_exported_program_to_serialized_trt_engine
    register_converters()
    # on the CPU: the operators of the definition, never the Triton kernels, which a plan takes as plugins only
    network, example = copy.deepcopy(network).cpu(), tuple(x.cpu() for x in example)
    wrapped = Named(HalfPrecision(network) if precision == "fp16" else network, input_names)
    program = torch.export.export(wrapped.eval(), example)
    release_convolution_inputs(program.graph_module.graph)
    program.graph_module.recompile()
    try:
        return bytes(function(program, arg_inputs=example, **settings(dynamo, attention=attention)))
    except Exception as error:  # converters raise whatever they like; all of it means that there is no plan
        raise WorkError(f"TensorRT makes no plan of the network: {_cause(error)}", "see docs/jetson.md") from error


def settings(dynamo: Any, *, attention: str) -> dict[str, Any]:
    """What Torch-TensorRT is told, of that what this version knows.

    Args:
        dynamo: the module `torch_tensorrt.dynamo`.
        attention: one of `ATTENTION`.
    """
    wanted = {
        "require_full_compilation": True,
        "min_block_size": 1,
        # True, the default, drops the padding mask and adds a causal one in efficient attention
        "attn_bias_is_causal": False,
        "decompose_attention": attention == "decomposed",
        # up to 2.12: types as in the graph, so that Q/DQ decide what is INT8; later versions know nothing else
        "use_explicit_typing": True,
        # single precision means single precision: TF32 would be a third one that nobody asked for
        "disable_tf32": True,
        # their key leaves out GPU, version, weights and arguments; ours is in the manifest
        "cache_built_engines": False,
        "reuse_cached_engines": False,
    }
    function: Callable[..., bytes] = dynamo.convert_exported_program_to_serialized_trt_engine
    known = {f.name for f in dataclasses.fields(dynamo.CompilationSettings)} & set(
        inspect.signature(function).parameters
    )
    return {name: value for name, value in wanted.items() if name in known}


class Named(nn.Module):
    """A network of positional inputs, its inputs named: exporters call an input what the signature calls it."""

    def __init__(self, network: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.network = network

        def forward(*tensors: Tensor) -> tuple[Tensor, ...]:
            # TensorRT would call an input that is an output, too, by the output's name
            outputs = self.network(*tensors)
            return tuple(out * 1.0 if any(out is given for given in tensors) else out for out in outputs)

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        forward.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
        self.forward = forward


def _dynamo() -> Any:
    # importing it prints advice about packages that this project does not use
    with redirect_stderr(io.StringIO()):
        import torch_tensorrt.dynamo as dynamo
    return dynamo


def _one_of(what: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise UsageError(f"unknown {what} {given!r}", f"allowed: {' | '.join(allowed)}")


def _cause(error: BaseException) -> str:
    """First line of the error that all others were raised from."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
