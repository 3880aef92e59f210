"""What our engine is compared with: the same network run in other ways, and what people would pick instead.

Every contender takes the same named arrays (docs/decisions/0001-engine-inputs.md) and uses the same threads.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.engine.session import open_engine
from emoje_edge.errors import WorkError
from emoje_edge.extras import install
from emoje_edge.modality import Mask

os.environ.setdefault("OPENVINO_TELEMETRY_DISABLE", "1")

Arrays = Mapping[str, np.ndarray]
Run = Callable[[Arrays], object]


def student(mask: Mask) -> Any:
    """The shipped student, specialised to the mask, as an eager torch module."""
    from emoje_edge.cli.model_options import load_model
    from emoje_edge.model.network import MaskedNetwork

    return MaskedNetwork(load_model(None).run.network, mask)


def ours(mask: Mask, threads: int) -> Run:
    """The engine that `infer` uses."""
    return open_engine(mask, threads=threads).run


def eager(mask: Mask, threads: int) -> Run:
    """Plain PyTorch."""
    import torch

    network = student(mask)
    torch.set_num_threads(threads)

    def run(arrays: Arrays) -> object:
        with torch.inference_mode():
            return network(*(torch.from_numpy(arrays[name]) for name in network.input_names))

    return run


def compiled(mask: Mask, threads: int) -> Run:
    """`torch.compile` with its default mode, static shapes."""
    import torch

    torch.set_num_threads(threads)
    network = student(mask)
    fast = torch.compile(network, dynamic=False)

    def run(arrays: Arrays) -> object:
        with torch.inference_mode():
            return fast(*(torch.from_numpy(arrays[name]) for name in network.input_names))

    return run


def fp32_graph(mask: Mask, folder: Path) -> Path:
    """The student in fp32 ONNX with its weights beside it, the input of the two runtimes below."""
    from emoje_edge.engine.backends.onnx import ENTRY, build
    from emoje_edge.engine.interface import BuildRequest

    network = student(mask)
    built = build(
        BuildRequest(
            mask=mask,
            precision="fp32",
            network=network,
            example=network.example_inputs(),
            input_names=network.input_names,
            output_names=network.output_names,
            folder=folder,
            target={"kind": "cpu"},
        )
    )
    for name, content in built.weights.items():
        (folder / name).write_bytes(content)
    return folder / ENTRY


def onnxruntime_fp32(mask: Mask, threads: int) -> Run:
    """ONNX Runtime on the fp32 graph."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        session = ort.InferenceSession(str(fp32_graph(mask, Path(folder))), options, providers=["CPUExecutionProvider"])
    return lambda arrays: session.run(None, dict(arrays))


def openvino_fp32(mask: Mask, threads: int) -> Run:
    """OpenVINO on the fp32 graph, latency mode; an extra.

    Raises:
        WorkError: it is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise WorkError("OpenVINO is not there, which it is compared with", install("openvino")) from error

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    with tempfile.TemporaryDirectory() as folder:
        request = core.compile_model(fp32_graph(mask, Path(folder)), "CPU", settings).create_infer_request()
    return lambda arrays: request.infer(dict(arrays))


def late_fusion(mask: Mask, threads: int) -> Run:
    """What a user would pick instead: a wav2vec2-base audio and a RoBERTa-base text classifier, probabilities averaged.

    Random weights: latency does not depend on them.  It hears 7.68 s and reads 32 tokens, as the full engine does.
    """
    import torch
    from transformers import (
        RobertaConfig,
        RobertaForSequenceClassification,
        Wav2Vec2Config,
        Wav2Vec2ForSequenceClassification,
    )

    torch.set_num_threads(threads)
    audio = Wav2Vec2ForSequenceClassification(Wav2Vec2Config(num_labels=7)).eval()
    text = RobertaForSequenceClassification(RobertaConfig(num_labels=7)).eval()
    samples = torch.randn(1, int(7.68 * 16_000))

    def run(arrays: Arrays) -> object:
        with torch.inference_mode():
            said = text(torch.from_numpy(arrays["text"]) % 1000 + 3).logits.softmax(-1)
            return (said + audio(samples).logits.softmax(-1)) / 2

    return run


CONTENDERS: dict[str, Callable[[Mask, int], Run]] = {
    "ours": ours,
    "eager torch": eager,
    "torch.compile": compiled,
    "ONNX Runtime fp32": onnxruntime_fp32,
    "OpenVINO fp32": openvino_fp32,
}
