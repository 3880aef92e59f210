"""Running a plan: buffers allocated once, copies and kernels recorded as one CUDA graph, no torch.

`cuda.bindings` is NVIDIA's own face of the CUDA runtime.  A run is: inputs into pinned memory, one graph launch, wait,
outputs out of pinned memory.  Small networks spend their time on launches; the graph makes them one.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from emoje_edge.engine.interface import Arrays, CheckedSession
from emoje_edge.engine.manifest import BATCH, Manifest, TensorSpec
from emoje_edge.errors import WorkError


def check(result: tuple[Any, ...], what: str) -> Any:
    """The value of a `cuda.bindings` call.

    Raises:
        WorkError: CUDA reports an error, which the message names.
    """
    error, *values = result
    if int(error):
        from cuda.bindings import runtime as cuda

        raise WorkError(f"CUDA: {cuda.cudaGetErrorName(error)[1].decode()} in {what}", "emoje-edge doctor")
    return values[0] if values else None


class Buffer:
    """One tensor of the engine: pinned memory seen as a numpy array, and its place on the device."""

    def __init__(self, spec: TensorSpec) -> None:
        import ctypes

        from cuda.bindings import runtime as cuda

        shape = tuple(1 if n == BATCH else int(n) for n in spec.shape)
        self.name, self.size = spec.name, int(np.prod(shape)) * np.dtype(spec.dtype).itemsize
        self.host = check(cuda.cudaMallocHost(self.size), f"memory for {spec.name}")
        self.device = check(cuda.cudaMalloc(self.size), f"memory for {spec.name}")
        raw = (ctypes.c_byte * self.size).from_address(int(self.host))
        self.array = np.frombuffer(memoryview(raw), spec.dtype).reshape(shape)

    def free(self) -> None:
        from cuda.bindings import runtime as cuda

        cuda.cudaFree(self.device)
        cuda.cudaFreeHost(self.host)


class TensorRTSession(CheckedSession):
    """An open plan, with one set of buffers: threads take turns.

    Args:
        manifest: of the engine; its tensors are those of the plan, in the same order.
        plan: the verified bytes.

    Raises:
        WorkError: TensorRT does not take the plan, or it is not what the manifest describes.
    """

    def __init__(self, manifest: Manifest, plan: bytes) -> None:
        import tensorrt as trt
        from cuda.bindings import runtime as cuda

        super().__init__(manifest)
        self._cuda = cuda
        self._closing = contextlib.ExitStack()
        self._turn = threading.Lock()
        self._logger = trt.Logger(trt.Logger.ERROR)
        self._runtime = trt.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise WorkError(f"TensorRT {trt.__version__} does not take {manifest.entry}", manifest.rebuild)
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise WorkError(f"TensorRT has no memory left to run {manifest.entry}", "see docs/jetson.md, Memory")
        try:
            self._stream = check(cuda.cudaStreamCreateWithFlags(cuda.cudaStreamNonBlocking), "a stream")
            self._closing.callback(cuda.cudaStreamDestroy, self._stream)
            self._inputs = self._buffers(manifest.inputs, trt.TensorIOMode.INPUT)
            self._outputs = self._buffers(manifest.outputs, trt.TensorIOMode.OUTPUT)
            self._graph = self._record()
        except BaseException:
            self.close()
            raise

    def _compute(self, inputs: Arrays, batch: int) -> list[np.ndarray]:
        with self._turn:
            for buffer in self._inputs:
                np.copyto(buffer.array, inputs[buffer.name])
            check(self._cuda.cudaGraphLaunch(self._graph, self._stream), "the engine's graph")
            check(self._cuda.cudaStreamSynchronize(self._stream), "the engine")
            return [buffer.array.copy() for buffer in self._outputs]

    def close(self) -> None:
        """Give the device memory back.  The session cannot run any more."""
        self._closing.close()

    def __del__(self) -> None:
        closing = getattr(self, "_closing", None)
        if closing is not None:
            closing.close()

    def _buffers(self, tensors: tuple[TensorSpec, ...], mode: Any) -> list[Buffer]:
        """One buffer a tensor, bound by name; where an exporter named outputs itself, by their order."""
        names = [name for name in self._tensor_names() if self._engine.get_tensor_mode(name) == mode]
        if len(names) != len(tensors):
            raise WorkError(
                f"{self._manifest.entry} has {len(names)} tensors, its manifest {len(tensors)}", self._manifest.rebuild
            )
        if {tensor.name for tensor in tensors} == set(names):
            names = [tensor.name for tensor in tensors]
        buffers = []
        for tensor, name in zip(tensors, names, strict=True):
            self._check(tensor, name)
            buffer = Buffer(tensor)
            self._closing.callback(buffer.free)
            self._context.set_tensor_address(name, int(buffer.device))
            buffers.append(buffer)
        return buffers

    def _check(self, tensor: TensorSpec, name: str) -> None:
        import tensorrt as trt

        found = tuple(self._engine.get_tensor_shape(name)), np.dtype(trt.nptype(self._engine.get_tensor_dtype(name)))
        wanted = tuple(1 if n == BATCH else n for n in tensor.shape), np.dtype(tensor.dtype)
        if found != wanted:
            raise WorkError(
                f"{tensor.name} is {found[1]} {list(found[0])} in {self._manifest.entry}, "
                f"{wanted[1]} {list(wanted[0])} in its manifest",
                self._manifest.rebuild,
            )

    def _tensor_names(self) -> Iterator[str]:
        return (self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors))

    def _enqueue(self) -> None:
        cuda = self._cuda
        to_device, to_host = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice, cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        for b in self._inputs:
            check(cuda.cudaMemcpyAsync(b.device, b.host, b.size, to_device, self._stream), f"copying {b.name}")
        if not self._context.execute_async_v3(int(self._stream)):
            raise WorkError(f"TensorRT does not run {self._manifest.entry}", self._manifest.rebuild)
        for b in self._outputs:
            check(cuda.cudaMemcpyAsync(b.host, b.device, b.size, to_host, self._stream), f"copying {b.name}")

    def _record(self) -> Any:
        """Run once, so that TensorRT allocates what it needs, then record the same as a graph."""
        cuda = self._cuda
        for buffer in self._inputs:
            buffer.array[...] = 0
        self._enqueue()
        check(cuda.cudaStreamSynchronize(self._stream), "the first run")
        mode = cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        check(cuda.cudaStreamBeginCapture(self._stream, mode), "recording the graph")
        self._enqueue()
        recorded = check(cuda.cudaStreamEndCapture(self._stream), "recording the graph")
        graph = check(cuda.cudaGraphInstantiate(recorded, 0), "making the graph")
        self._closing.callback(cuda.cudaGraphExecDestroy, graph)
        check(cuda.cudaGraphDestroy(recorded), "making the graph")
        return graph
