"""Our signed ONNX -> a TensorRT plan, through TensorRT's own parser: for devices without Torch-TensorRT.

JetPack 7.2 on Orin has TensorRT 10.16 and no Torch-TensorRT; CPU torch is enough here, since it only traces.  Networks
are strongly typed: the graph's types and Q/DQ pairs decide the precision, in TensorRT 10 as in 11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emoje_edge.engine.interface import BuildRequest
from emoje_edge.errors import UsageError, WorkError


def signed_onnx(request: BuildRequest) -> bytes:
    """The request's network as ONNX with signed INT8 (zero point 0), as TensorRT's parser and `trtexec` want it.

    Raises:
        UsageError: `fp16`, which comes with Torch-TensorRT.
    """
    from emoje_edge.engine.export import emit_onnx, trace
    from emoje_edge.engine.tensorrt.graph import release_convolution_inputs

    if request.precision not in ("int8", "fp32"):
        raise UsageError(
            f"precision {request.precision} through ONNX", "take --precision int8 or fp32, or install torch_tensorrt"
        )
    traced = trace(request.network, request.example)
    release_convolution_inputs(traced.graph)
    return emit_onnx(traced, request, request.precision)


def plan_from_onnx(model: bytes, compile_plan: Callable[[Any, Any, Any], Any] | None = None) -> bytes:
    """Parse and build, batch 1.

    Args:
        model: an ONNX file's bytes.
        compile_plan: (builder, network, config) -> serialised plan; TensorRT's own for this device when left out.

    Raises:
        WorkError: with the parser's first complaint.
    """
    import tensorrt as trt

    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    # from 10.0 to 11.4 this flag is there; a TensorRT without it knows nothing but strong types
    strong = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(0 if strong is None else 1 << int(strong))
    parser = trt.OnnxParser(network, trt.Logger(trt.Logger.ERROR))
    if not parser.parse(model):
        complaint = parser.get_error(0).desc() if parser.num_errors else "no reason given"
        raise WorkError(f"TensorRT {trt.__version__} does not parse the ONNX file: {complaint}", "emoje-edge doctor")
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # single precision means single precision
    profile = builder.create_optimization_profile()
    for i in range(network.num_inputs):
        tensor = network.get_input(i)
        shape = tuple(1 if size == -1 else size for size in tensor.shape)
        profile.set_shape(tensor.name, shape, shape, shape)
    config.add_optimization_profile(profile)
    plan = (compile_plan or _compile)(builder, network, config)
    if plan is None:
        raise WorkError(f"TensorRT {trt.__version__} makes no plan of the ONNX file", "see docs/jetson.md")
    return bytes(plan)


def _compile(builder: Any, network: Any, config: Any) -> Any:
    return builder.build_serialized_network(network, config)
