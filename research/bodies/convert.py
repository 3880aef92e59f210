"""BlazePose's two networks as ONNX graphs, made from the .tflite files of MediaPipe's wheel; run once, committed.

    pip install mediapipe==0.10.21 ai-edge-litert==2.3.0 onnx==1.22.0
    python -m research.bodies.convert emoje_edge/assets/pose

What changes, and nothing else: pictures come in as uint8 [n, side, side, 3] (the scaling is in the graph), any number
at once, the layout inside is NCHW, and the outputs that nobody reads (segmentation, world landmarks) are cut off with
all that feeds only them.  Weights stay in 16-bit floats as they were shipped.  Operators and their options:
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from onnx import TensorProto, helper, numpy_helper

_OPERATORS = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_AXIS = {0: 0, 1: 2, 2: 3, 3: 1}  # of NHWC in NCHW
_METHODS = {"ADD": "sum"}  # where an operator is called as something else here
_SMALL = 64  # constants up to here stay fp32: nothing to save


@dataclass(frozen=True)
class Origin:
    """One network in the wheel: its file, digest, what scales a picture, and which of its outputs are read."""

    file: str
    sha256: str
    scale: float
    offset: float
    outputs: dict[int, str]


ORIGINS = {
    "pose_detection.onnx": Origin(
        "modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        2 / 255,
        -1.0,
        {0: "boxes", 1: "scores"},
    ),
    "pose_landmark.onnx": Origin(
        "modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        1 / 255,
        0.0,
        {0: "landmarks", 1: "presence", 3: "heatmap"},
    ),
}


class Graph:
    """A TensorFlow Lite graph on its way to ONNX: one method a kind of operator."""

    def __init__(self, data: bytes, scale: float, offset: float) -> None:
        self._model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
        self._graph = self._model.subgraphs[0]
        # plain kernels keep every tensor, so that sparse and 16-bit weights can be read as they are used
        self._interpreter = Interpreter(
            model_content=data,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._interpreter.allocate_tensors()
        picture = self._graph.inputs[0]
        self._interpreter.set_tensor(picture, np.zeros(self._shape(picture), np.float32))
        self._interpreter.invoke()
        self._constant = {
            i for i, tensor in enumerate(self._graph.tensors) if self._model.buffers[tensor.buffer].data is not None
        }
        self._nodes: list[onnx.NodeProto] = []
        self._initial: dict[str, onnx.TensorProto] = {}
        self._picture(picture, scale, offset)
        for operator in self._graph.operators:
            self._take(operator)

    def to_onnx(self, outputs: dict[int, str]) -> onnx.ModelProto:
        """The graph cut down to these outputs (position -> name)."""
        made = []
        for position, name in outputs.items():
            tensor = self._graph.outputs[position]
            shape = self._shape(tensor)
            if len(shape) == 4:
                self._add("Transpose", [f"t{tensor}"], name, perm=[0, 2, 3, 1])
            else:
                self._add("Identity", [f"t{tensor}"], name)
            made.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape[1:]]))
        kept, needed = [], set(outputs.values())
        for node in reversed(self._nodes):
            if needed & set(node.output):
                kept.append(node)
                needed |= set(node.input)
        side = self._shape(self._graph.inputs[0])[1]
        pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", side, side, 3])
        constants = [tensor for tensor in self._initial.values() if tensor.name in needed]
        graph = helper.make_graph(kept[::-1], "blazepose", [pixels], made, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _shape(self, tensor: int) -> list[int]:
        return [int(n) for n in self._graph.tensors[tensor].shape]

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _value(self, name: str, array: np.ndarray) -> str:
        """A constant; weights that were 16-bit floats stay so, and are widened once, when the graph is opened."""
        if array.dtype == np.float32 and array.size > _SMALL and np.array_equal(array.astype(np.float16), array):
            self._initial[name] = numpy_helper.from_array(array.astype(np.float16), f"{name}_half")
            return self._add("Cast", [f"{name}_half"], name, to=TensorProto.FLOAT)
        self._initial[name] = numpy_helper.from_array(array, name)
        return name

    def _picture(self, tensor: int, scale: float, offset: float) -> None:
        """uint8 NHWC to scaled fp32 NCHW."""
        pixels = self._add("Cast", ["pixels"], "pixels_float", to=TensorProto.FLOAT)
        pixels = self._add("Transpose", [pixels], "pixels_first", perm=[0, 3, 1, 2])
        pixels = self._add("Mul", [pixels, self._value("scale", np.array(scale, np.float32))], "pixels_scaled")
        self._add("Add", [pixels, self._value("offset", np.array(offset, np.float32))], f"t{tensor}")

    def _take(self, operator: Any) -> None:
        code = self._model.operatorCodes[operator.opcodeIndex]
        kind = _OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
        inputs, out = [int(i) for i in operator.inputs], int(operator.outputs[0])
        if kind in ("DEQUANTIZE", "DENSIFY") and inputs[0] in self._constant:
            self._constant.add(out)  # its value is read where it is used
            return
        method = getattr(self, f"_{_METHODS.get(kind, kind.lower())}", None)
        if method is None:
            raise NotImplementedError(f"operator {kind}")
        options = operator.builtinOptions
        active = getattr(options, "fusedActivationFunction", 0)
        name = f"t{out}_linear" if active else f"t{out}"
        method(inputs, out, name, options)
        if active == schema.ActivationFunctionType.RELU:
            self._add("Relu", [name], f"t{out}")
        elif active == schema.ActivationFunctionType.RELU6:
            bounds = [self._value("zero", np.array(0, np.float32)), self._value("six", np.array(6, np.float32))]
            self._add("Clip", [name, *bounds], f"t{out}")
        elif active:
            raise NotImplementedError(f"activation {active}")

    def _conv_2d(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        self._convolve(inputs, out, name, options, (0, 3, 1, 2), group=1)

    def _depthwise_conv_2d(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        self._convolve(inputs, out, name, options, (3, 0, 1, 2), group=self._shape(inputs[0])[3])

    def _convolve(
        self, inputs: list[int], out: int, name: str, options: Any, order: tuple[int, ...], *, group: int
    ) -> None:
        weight = np.ascontiguousarray(self._interpreter.get_tensor(inputs[1]).transpose(order))
        stride = (options.strideH, options.strideW)
        pads = self._pads(inputs[0], weight.shape[2:], stride, options.padding)
        names = [f"t{inputs[0]}", self._value(f"w{out}", weight)]
        if inputs[2] >= 0:
            names.append(self._value(f"b{out}", self._interpreter.get_tensor(inputs[2])))
        self._add("Conv", names, name, strides=stride, pads=pads, group=group)

    def _max_pool_2d(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        kernel, stride = (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
        pads = self._pads(inputs[0], kernel, stride, options.padding)
        self._add("MaxPool", [f"t{inputs[0]}"], name, kernel_shape=kernel, strides=stride, pads=pads)

    def _pads(self, tensor: int, kernel: tuple[int, ...], stride: tuple[int, int], padding: int) -> list[int]:
        """Padding before and after, of height and width; TensorFlow's SAME puts the odd one after."""
        if padding != schema.Padding.SAME:
            return [0, 0, 0, 0]
        total = [
            max((-(-size // step) - 1) * step + k - size, 0)
            for size, k, step in zip(self._shape(tensor)[1:3], kernel, stride, strict=True)
        ]
        return [total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2]

    def _sum(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        if self._constant & set(inputs):
            raise NotImplementedError("a constant summand")
        self._add("Add", [f"t{i}" for i in inputs], name)

    def _pad(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        pads = self._interpreter.get_tensor(inputs[1])[[0, 3, 1, 2]].T.reshape(-1).astype(np.int64)
        self._add("Pad", [f"t{inputs[0]}", self._value(f"p{out}", pads)], name)

    def _resize_bilinear(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        mode = "half_pixel" if options.halfPixelCenters else "asymmetric"
        if options.alignCorners:
            mode = "align_corners"
        ratio = [a / b for a, b in zip(self._shape(out)[1:3], self._shape(inputs[0])[1:3], strict=True)]
        scales = self._value(f"s{out}", np.array([1, 1, *ratio], np.float32))
        names = [f"t{inputs[0]}", "", scales]
        self._add("Resize", names, name, mode="linear", coordinate_transformation_mode=mode)

    def _depth_to_space(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        self._add("DepthToSpace", [f"t{inputs[0]}"], name, blocksize=options.blockSize, mode="DCR")

    def _reshape(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        shape = self._shape(out)
        if len(shape) == 4:
            raise NotImplementedError("a reshape to a picture")
        source = f"t{inputs[0]}"
        if len(self._shape(inputs[0])) == 4:
            source = self._add("Transpose", [source], f"t{out}_last", perm=[0, 2, 3, 1])
        self._add("Reshape", [source, self._value(f"r{out}", np.array([0, *shape[1:]], np.int64))], name)

    def _concatenation(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        rank = len(self._shape(out))
        axis = options.axis % rank
        self._add("Concat", [f"t{i}" for i in inputs], name, axis=_AXIS[axis] if rank == 4 else axis)

    def _logistic(self, inputs: list[int], out: int, name: str, options: Any) -> None:
        self._add("Sigmoid", [f"t{inputs[0]}"], name)


def main(folder: Path) -> None:
    """Write the two graphs into the folder, and print their digests."""
    package = find_spec("mediapipe")
    if package is None or package.origin is None:
        raise SystemExit("mediapipe is not installed: see the first lines of this file")
    folder.mkdir(parents=True, exist_ok=True)
    for name, origin in ORIGINS.items():
        data = (Path(package.origin).parent / origin.file).read_bytes()
        if hashlib.sha256(data).hexdigest() != origin.sha256:
            raise SystemExit(f"{origin.file} is not the file of mediapipe 0.10.21 (sha256 {origin.sha256[:8]}…)")
        graph = Graph(data, origin.scale, origin.offset).to_onnx(origin.outputs).SerializeToString()
        (folder / name).write_bytes(graph)
        print(hashlib.sha256(graph).hexdigest(), f"{len(graph) / 1e6:6.2f} MB", folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
