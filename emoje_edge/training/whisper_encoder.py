"""The first layers of a Whisper encoder, from a folder of transformers or CTranslate2, for `WhisperLayers`.

emoje-edge train --audio-encoder FOLDER --layers 2 …
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emoje_edge.errors import UsageError
from emoje_edge.model.config import WhisperEncoder
from emoje_edge.model.ctranslate2 import read_variables, weight
from emoje_edge.shapes import SAMPLE_RATE

_KINDS = "a transformers Whisper folder (config.json, model.safetensors) or a CTranslate2 one (model.bin)"
Weight = Callable[[str], NDArray[np.float32]]


def read_whisper_encoder(folder: Path, layers: int) -> tuple[WhisperEncoder, dict[str, Tensor]]:
    """The configuration and weights of an encoder's first `layers`.

    Raises:
        UsageError: no encoder, one of another sample rate, feature size or kind, or more layers than it has.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", f"give {_KINDS}")
    if (folder / "model.bin").is_file():
        variables = read_variables(folder, "WhisperSpec")
        return _from_ct2(folder, layers, lambda name: weight(variables, name))
    if (folder / "config.json").is_file():
        return _from_transformers(folder, layers)
    raise UsageError(f"{folder} holds no encoder", f"give {_KINDS}")


def _from_ct2(folder: Path, layers: int, take: Weight) -> tuple[WhisperEncoder, dict[str, Tensor]]:
    try:
        state = {name: take(f"encoder/{ours}") for name, ours in _ct2_names(layers).items()}
        positions = take("encoder/position_encodings/encodings")
    except KeyError as error:
        _refuse_layers(folder, layers, error, lambda k: take(f"encoder/layer_{k}/ffn/linear_0/bias"))
    for k in range(layers):
        name = f"layers.{k}.attention."
        whole, bias = (state.pop(f"{name}all.{part}") for part in ("weight", "bias"))
        width = len(whole) // 3
        state |= {f"{name}query.weight": whole[:width], f"{name}query.bias": bias[:width]}
        state |= {f"{name}key_value.weight": whole[width:], f"{name}key_value.bias": bias[width:]}
    return _checked(folder, state, positions, layers)


def _ct2_names(layers: int) -> dict[str, str]:
    names = {f"{c}.{part}": f"{c}/{part}" for c in ("conv1", "conv2") for part in ("weight", "bias")}
    parts = {
        "attention.all": "self_attention/linear_0",
        "attention.out": "self_attention/linear_1",
        "feed_forward.up": "ffn/linear_0",
        "feed_forward.down": "ffn/linear_1",
    }
    norms = {"norm1": "self_attention/layer_norm", "norm2": "ffn/layer_norm"}
    for k in range(layers):
        for ours, theirs in parts.items():
            names |= {f"layers.{k}.{ours}.{part}": f"layer_{k}/{theirs}/{part}" for part in ("weight", "bias")}
        for ours, theirs in norms.items():
            names[f"layers.{k}.{ours}.weight"] = f"layer_{k}/{theirs}/gamma"
            names[f"layers.{k}.{ours}.bias"] = f"layer_{k}/{theirs}/beta"
    return names


def _from_transformers(folder: Path, layers: int) -> tuple[WhisperEncoder, dict[str, Tensor]]:
    described = _json(folder / "config.json")
    if described.get("model_type") != "whisper":
        raise UsageError(f"{folder} is a {described.get('model_type')!r} model", f"give {_KINDS}")
    rate = _json(folder / "preprocessor_config.json").get("sampling_rate", SAMPLE_RATE)
    if rate != SAMPLE_RATE:
        raise UsageError(f"{folder} hears {rate} Hz", f"give an encoder for {SAMPLE_RATE} Hz")
    variables = _safetensors(folder / "model.safetensors")
    front = next((p for p in ("model.encoder.", "encoder.", "") if f"{p}conv1.weight" in variables), None)
    if front is None:
        raise UsageError(f"{folder}/model.safetensors holds no Whisper encoder", f"give {_KINDS}")

    def take(name: str) -> NDArray[np.float32]:
        return variables[front + name].astype(np.float32)

    try:
        state = {f"{c}.{part}": take(f"{c}.{part}") for c in ("conv1", "conv2") for part in ("weight", "bias")}
        for k in range(layers):
            state |= _layer(take, k)
    except KeyError as error:
        _refuse_layers(folder, layers, error, lambda k: take(f"layers.{k}.fc1.bias"))
    return _checked(folder, state, take("embed_positions.weight"), layers)


def _layer(take: Weight, k: int) -> dict[str, NDArray[np.float32]]:
    theirs, ours = f"layers.{k}.", f"layers.{k}."
    plain = {
        "norm1": "self_attn_layer_norm",
        "norm2": "final_layer_norm",
        "attention.query": "self_attn.q_proj",
        "attention.out": "self_attn.out_proj",
        "feed_forward.up": "fc1",
        "feed_forward.down": "fc2",
    }
    state = {f"{ours}{a}.{part}": take(f"{theirs}{b}.{part}") for a, b in plain.items() for part in ("weight", "bias")}
    keys, values = (take(f"{theirs}self_attn.{n}_proj.weight") for n in "kv")
    bias = take(f"{theirs}self_attn.v_proj.bias")
    state[f"{ours}attention.key_value.weight"] = np.concatenate([keys, values])
    state[f"{ours}attention.key_value.bias"] = np.concatenate([0 * bias, bias])  # Whisper's keys have none
    return state


def _checked(
    folder: Path, state: dict[str, NDArray[np.float32]], positions: NDArray[np.float32], layers: int
) -> tuple[WhisperEncoder, dict[str, Tensor]]:
    hidden, bands, _ = state["conv1.weight"].shape
    config = WhisperEncoder(hidden=hidden, heads=hidden // 64, layers=layers)
    if bands != config.bands:
        raise UsageError(f"{folder} takes {bands} log-mel bands", f"give an encoder of {config.bands} bands")
    state = {**state, "position": positions[: config.frames // 2]}
    return config, {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in state.items()}


def _refuse_layers(folder: Path, layers: int, error: KeyError, probe: Callable[[int], object]) -> None:
    have = 0
    try:
        while True:
            probe(have)
            have += 1
    except KeyError:
        pass
    if have >= layers or not have:
        raise UsageError(f"{folder} lacks the weight {error}", f"give {_KINDS}, whole") from error
    raise UsageError(f"{layers} layers of {folder}, which has {have}", f"--layers 1 to {have}") from error


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}", f"give {_KINDS}") from error
    return found if isinstance(found, dict) else {}


def _safetensors(path: Path) -> dict[str, NDArray[np.generic]]:
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except Exception as error:  # safetensors' own errors have no common class but Exception
        raise UsageError(f"{path} cannot be read: {error}", f"give {_KINDS}, whole") from error
