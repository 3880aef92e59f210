"""Child process of the TensorRT tests: lower and compile every mask and precision, report as JSON lines.

    python -m tests.engine.tensorrt_worker CONFIG.json

There is no GPU: what importing and lowering ask CUDA for is answered here, and here only.  The compiler is the real
one, told which architecture to compile for; deserialising a plan would need the device, so plans are kept as bytes.
TensorRT-RTX compiles for sm_75, 80, 86, 89, 120 and 121; Hopper and Jetson (sm_87, sm_110) need TensorRT proper.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import types
from collections import Counter
from pathlib import Path
from typing import Any

import torch

_DEVICE = types.SimpleNamespace(major=8, minor=6, name="none", total_memory=8 << 30, multi_processor_count=16)
_ANSWERS = {
    "get_device_capability": lambda *_: (8, 6),
    "get_device_properties": lambda *_: _DEVICE,
    "current_device": lambda: 0,
    "set_device": lambda *_: None,
    "empty_cache": lambda: None,
    "synchronize": lambda *_: None,
    "mem_get_info": lambda *_: (8 << 30, 8 << 30),
}


def pretend_cuda() -> None:
    """Answer the questions about a device that importing Torch-TensorRT asks.  Before its import."""
    for name, answer in _ANSWERS.items():
        setattr(torch.cuda, name, answer)
    if not hasattr(torch._C, "_CudaDeviceProperties"):
        torch._C._CudaDeviceProperties = object
    logging.getLogger("torch_tensorrt").setLevel(logging.CRITICAL)


class Compiler:
    """Stands in for Torch-TensorRT's last step: compile the finished network for each architecture, keep the facts."""

    def __init__(self, architectures: tuple[str, ...]) -> None:
        import tensorrt_rtx as trt
        import torch_tensorrt.dynamo.conversion._TRTInterpreter as interpreter
        from torch_tensorrt.dynamo.conversion._ConverterRegistry import DYNAMO_CONVERTERS

        self.trt, self.architectures, self.reports = trt, architectures, []
        self._result, self._converters = interpreter.TRTInterpreterResult, DYNAMO_CONVERTERS
        compiler = self
        interpreter.TRTInterpreter.run = lambda self, *_, **__: compiler.run(self)

    def run(self, interpreter: Any) -> Any:
        """Torch-TensorRT's own last step, replaced."""
        interpreter._construct_trt_network_def()
        operators = [node for node in interpreter.module.graph.nodes if node.op == "call_function"]
        plan = self.compile(interpreter.builder, interpreter.ctx.net, interpreter._populate_trt_builder_config())
        self.reports[-1] |= {
            "operators": len(operators),
            "converted": sum(self._converters.get(node) is not None for node in operators),
        }
        engine = types.SimpleNamespace(serialize=lambda: plan)
        return self._result(engine, interpreter._input_names, interpreter._output_names, False, False)

    def compile(self, builder: Any, network: Any, config: Any) -> Any:
        """The plan for the first architecture, after all were compiled and reported."""
        plans = {name: self._plan(builder, network, config, name) for name in self.architectures}
        self.reports.append(
            {
                "layers": Counter(str(network.get_layer(i).type).split(".")[-1] for i in range(network.num_layers)),
                "inputs": [network.get_input(i).name for i in range(network.num_inputs)],
                "bytes": {name: plan.nbytes for name, plan in plans.items()},
            }
        )
        return plans[self.architectures[0]]

    def _plan(self, builder: Any, network: Any, config: Any, architecture: str) -> Any:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(self.trt.ComputeCapability, architecture), 0)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise RuntimeError(f"TensorRT-RTX makes no plan for {architecture}")
        return plan


def report(compiler: Compiler, case: dict[str, str]) -> dict[str, Any]:
    """One case through the product's own lowering."""
    from emoje_edge.modality import Mask
    from tests.engine.tensorrt_networks import masked, quantized

    started, compiler.reports, weights, inputs = time.monotonic(), [], 0, 0
    try:
        network = masked(Mask.parse(case["mask"]))
        if case["precision"] == "int8":
            network, weights, inputs = quantized(network)
        plan = _through_onnx(compiler, network, case) if case["attention"] == "parser" else _lowered(network, case)
    except Exception as error:
        return case | {"error": f"{type(error).__name__}: {error}"}
    (facts,) = compiler.reports  # one engine, no more
    facts |= {"weights": weights, "layer_inputs": inputs, "plan": len(plan)}
    return case | facts | {"seconds": round(time.monotonic() - started, 1)}


def _lowered(network: Any, case: dict[str, str]) -> bytes:
    from emoje_edge.engine.tensorrt.lowering import convert

    how = {"precision": case["precision"], "attention": case["attention"]}
    return convert(network, network.example_inputs(), input_names=network.input_names, **how)


def _through_onnx(compiler: Compiler, network: Any, case: dict[str, str]) -> bytes:
    from emoje_edge.engine.interface import BuildRequest
    from emoje_edge.engine.tensorrt.onnx_parser import plan_from_onnx, signed_onnx

    request = BuildRequest(
        mask=network.mask,
        precision=case["precision"],
        network=network,
        example=network.example_inputs(),
        input_names=network.input_names,
        output_names=network.output_names,
        folder=Path("unused"),
        target={"kind": "portable"},
    )
    return plan_from_onnx(signed_onnx(request), compiler.compile)


def main() -> None:
    torch.set_num_threads(1)
    pretend_cuda()
    plan = json.loads(sys.argv[1])
    compiler = Compiler(tuple(plan["architectures"]))
    for case in plan["cases"]:
        print(json.dumps(report(compiler, case)), flush=True)


if __name__ == "__main__":
    main()
