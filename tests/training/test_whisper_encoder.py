import json
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from emoje_edge.cli.train import command as train_command
from emoje_edge.engine.export import emit_onnx, trace
from emoje_edge.engine.interface import BuildRequest
from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import AmEmoje, ModelConfig
from emoje_edge.model.network import MaskedNetwork
from emoje_edge.model.whisper import WhisperLayers
from emoje_edge.training.batching import Collator
from emoje_edge.training.datasets import Corpus, Sample
from emoje_edge.training.plan import FRONT, with_whisper_encoder
from emoje_edge.training.predict import Missing, TorchPredictor
from emoje_edge.training.speaker_histories import SpeakerHistories
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import Materials, train
from emoje_edge.training.whisper_encoder import read_whisper_encoder

WIDTH, LAYERS = 128, 2


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A Whisper encoder of random weights, and the folder that transformers writes of it."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    model = transformers.WhisperModel(
        transformers.WhisperConfig(
            d_model=WIDTH, encoder_layers=LAYERS, encoder_attention_heads=2, encoder_ffn_dim=4 * WIDTH,
            decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=64, vocab_size=64, pad_token_id=0,
            bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        )
    ).eval()  # fmt: skip
    folder = tmp_path_factory.mktemp("ears") / "whisper"
    model.save_pretrained(folder)
    return model.encoder, folder


def _ct2(folder: Path, variables: dict[str, np.ndarray], *, version: int = 6, spec: str = "WhisperSpec") -> Path:
    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    parts = [struct.pack("<I", version), text(spec), struct.pack("<II", 3, len(variables))]
    for name, x in variables.items():
        x = np.ascontiguousarray(x)
        parts += [text(name), struct.pack(f"<B{x.ndim}I", x.ndim, *x.shape)]
        parts += [struct.pack("<BI", {"float32": 0, "int8": 1, "float16": 4}[str(x.dtype)], x.nbytes), x.tobytes()]
    folder.mkdir(exist_ok=True)
    (folder / "model.bin").write_bytes(b"".join(parts) + struct.pack("<I", 0))
    return folder


def _variables(encoder) -> dict[str, np.ndarray]:
    """The encoder under CTranslate2's names."""
    w = {name: x.numpy() for name, x in encoder.state_dict().items()}
    out = {f"encoder/{c}/{p}": w[f"{c}.{p}"] for c in ("conv1", "conv2") for p in ("weight", "bias")}
    out["encoder/position_encodings/encodings"] = w["embed_positions.weight"]
    for k in range(LAYERS):
        a, b = f"layers.{k}.", f"encoder/layer_{k}/"
        heads = [w[f"{a}self_attn.{n}_proj.weight"] for n in "qkv"]
        biases = [w[f"{a}self_attn.q_proj.bias"], np.zeros(WIDTH, np.float32), w[f"{a}self_attn.v_proj.bias"]]
        out[f"{b}self_attention/linear_0/weight"], out[f"{b}self_attention/linear_0/bias"] = map(
            np.concatenate, (heads, biases)
        )
        pairs = {"self_attn.out_proj": "self_attention/linear_1", "fc1": "ffn/linear_0", "fc2": "ffn/linear_1"}
        for ours, theirs in pairs.items():
            out |= {f"{b}{theirs}/{p}": w[f"{a}{ours}.{p}"] for p in ("weight", "bias")}
        norms = {"self_attn_layer_norm": "self_attention/layer_norm", "final_layer_norm": "ffn/layer_norm"}
        for ours, theirs in norms.items():
            out |= {f"{b}{theirs}/{q}": w[f"{a}{ours}.{p}"] for p, q in (("weight", "gamma"), ("bias", "beta"))}
    return out


def _statistics(folder: Path, x: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    config, state = read_whisper_encoder(folder, LAYERS)
    front = WhisperLayers(config).eval()
    front.load_state_dict(state)
    with torch.no_grad():
        return front(x, length)


def test_the_layers_hear_what_transformers_hears(reference):
    encoder, folder = reference
    mel = torch.randn(1, 80, 3000, generator=torch.Generator().manual_seed(1))
    layers = read_whisper_encoder(folder, LAYERS)
    front = WhisperLayers(layers[0])
    front.position = torch.nn.Parameter(encoder.embed_positions.weight.clone())
    front.load_state_dict({k: v for k, v in layers[1].items() if k != "position"}, strict=False)
    with torch.no_grad():
        found = front.eval()(mel.transpose(1, 2), torch.tensor([3000], dtype=torch.int32))
        heard = encoder(mel, output_hidden_states=True).hidden_states
    # transformers puts its closing norm on the last layer; the first has none
    torch.testing.assert_close(found[:, :WIDTH], heard[1].mean(1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found[:, WIDTH : 2 * WIDTH], heard[1].std(1, unbiased=False), atol=1e-3, rtol=1e-3)


def test_padding_is_not_heard(reference):
    x = torch.randn(1, 100, 80, generator=torch.Generator().manual_seed(1))
    alone = _statistics(reference[1], x, torch.tensor([100], dtype=torch.int32))
    padded = torch.cat([x, 9 * torch.randn(1, 60, 80)], 1)
    beside = _statistics(reference[1], padded, torch.tensor([100], dtype=torch.int32))
    torch.testing.assert_close(alone, beside, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("bits", [32, 8])
def test_a_ctranslate2_folder_is_the_same_encoder(reference, tmp_path, bits):
    encoder, folder = reference
    variables = _variables(encoder)
    if bits == 8:
        for name in [n for n, v in variables.items() if v.ndim == 2 and "linear" in n]:
            scale = 127 / np.abs(variables[name]).max(1)
            variables[f"{name}_scale"] = scale.astype(np.float32)
            variables[name] = np.round(variables[name] * scale[:, None]).astype(np.int8)
    x, length = torch.randn(2, 90, 80), torch.tensor([90, 41], dtype=torch.int32)
    expected = _statistics(folder, x, length)
    found = _statistics(_ct2(tmp_path / "ct2", variables), x, length)
    torch.testing.assert_close(found, expected, atol=0.02 if bits == 8 else 1e-5, rtol=0.02 if bits == 8 else 1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("empty", "holds no encoder"),
        ("missing", "is no folder"),
        ("bert", "is a 'bert' model"),
        ("rate", "hears 8000 Hz"),
        ("layers", "3 layers of .* which has 2"),
        ("layers of ct2", "3 layers of .* which has 2"),
        ("bands", "takes 128 log-mel bands"),
        ("version", "is of version 5"),
        ("spec", "is a TransformerSpec"),
        ("cut", "ends too early"),
        ("damaged", "cannot be read"),
    ],
)
def test_what_is_no_encoder_is_named(reference, tmp_path, change, message):
    encoder, folder = reference
    path, layers = tmp_path / "given", LAYERS
    variables = _variables(encoder)
    if change == "empty":
        path.mkdir()
    elif change in ("bert", "rate", "layers", "damaged"):
        shutil.copytree(folder, path)
        if change == "bert":
            (path / "config.json").write_text(json.dumps({"model_type": "bert"}))
        elif change == "rate":
            (path / "preprocessor_config.json").write_text(json.dumps({"sampling_rate": 8000}))
        elif change == "damaged":
            (path / "model.safetensors").write_bytes(b"not this")
        layers = 3 if change == "layers" else LAYERS
    elif change == "layers of ct2":
        _ct2(path, variables)
        layers = 3
    elif change == "bands":
        variables["encoder/conv1/weight"] = np.zeros((WIDTH, 128, 3), np.float32)
        _ct2(path, variables)
    elif change in ("version", "spec"):
        _ct2(path, variables, **({"version": 5} if change == "version" else {"spec": "TransformerSpec"}))
    elif change == "cut":
        whole = (_ct2(path, variables) / "model.bin").read_bytes()
        (path / "model.bin").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=message):
        read_whisper_encoder(path, layers)


@pytest.mark.parametrize(
    ("given", "layers", "message"),
    [("empty", "2", "holds no encoder"), ("whole", "9", "9 layers of .* which has 2")],
)
def test_a_wrong_encoder_ends_training_before_anything_is_written(reference, tmp_path, given, layers, message):
    (tmp_path / "empty").mkdir()
    folder = reference[1] if given == "whole" else tmp_path / "empty"
    (tmp_path / "mine.csv").write_text("path,label\na.wav,joy\n")
    arguments = ["--dataset", "manifest", "--root", str(tmp_path / "mine.csv"), "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(train_command, [*arguments, "--audio-encoder", str(folder), "--layers", layers])
    assert isinstance(done.exception, UsageError), done.output
    assert re.search(message, done.exception.message)
    assert not (tmp_path / "run").exists()


def _corpus():
    g = np.random.default_rng(0)
    samples = tuple(
        Sample(f"{i}", 0, label=i % 2, speaker="x", group="x", features={
            Modality.AUDIO: (g.standard_normal((60 + i, 80)) + 2 * (i % 2)).astype(np.float32)
        })
        for i in range(24)
    )  # fmt: skip
    return Corpus("made", ("quiet", "loud"), samples)


def test_training_leaves_the_ears_alone_and_teaches_what_is_behind(reference, tmp_path):
    corpus, ears = _corpus(), read_whisper_encoder(reference[1], LAYERS)
    base = ModelConfig(text=None, pose=None, width=32, heads=2, cross_layers=0, state_width=0, classes=corpus.classes)
    model, initial = with_whisper_encoder(base, ears, None, corpus, seed=0)
    config = TrainConfig(epochs=8, batch_utterances=8, context=False, nce=0.0, joint=0.0, learning_rate=3e-3)
    given = Materials(corpus, initial=initial, frozen=FRONT, voices=SpeakerHistories())
    run = train(model, config, given, tmp_path / "run", quiet=True)
    weights = run.network.state_dict()
    for name, value in ears[1].items():
        torch.testing.assert_close(weights[f"encoders.audio.front.{name}"], value, atol=0, rtol=0)
    found = TorchPredictor(run.network, Collator(model)).predict(corpus, Missing(context=False))
    assert (found.probabilities.argmax(1) == found.labels).mean() > 0.9


def test_an_engine_of_ears_gives_what_the_network_gives(reference, tmp_path):
    ort = pytest.importorskip("onnxruntime")
    base = ModelConfig(text=None, pose=None, width=32, heads=2, cross_layers=0, state_width=0, classes=("a", "b"))
    model, initial = with_whisper_encoder(base, read_whisper_encoder(reference[1], LAYERS), None, _corpus(), seed=0)
    network = AmEmoje(model)
    network.load_state_dict(initial)
    masked = MaskedNetwork(network, Mask.parse("audio"))
    example = masked.example_inputs()
    request = BuildRequest(
        mask=masked.mask, precision="fp32", network=masked, example=example, input_names=masked.input_names,
        output_names=masked.output_names, folder=tmp_path, target={},
    )  # fmt: skip
    session = ort.InferenceSession(emit_onnx(trace(masked, example), request, "fp32"))
    got = session.run(None, {name: x.numpy() for name, x in zip(masked.input_names, example, strict=True)})
    for a, b in zip(got, masked(*example), strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), atol=1e-4)
