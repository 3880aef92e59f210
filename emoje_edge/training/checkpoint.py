"""Run folders and checkpoints: written beside, then renamed into place, so that a kill leaves nothing half-written.

RUN/config.json           model, training settings, labels, corpus
RUN/model.safetensors     the best weights so far
RUN/tokenizer.json        where the model reads words
RUN/metrics.jsonl         one row an epoch
RUN/checkpoint/step-N/    weights and optimiser after step N, to go on from
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.files import atomic, atomic_folder
from emoje_edge.model import AmEmoje, ModelConfig
from emoje_edge.model.compact import expand
from emoje_edge.model.lent import borrow, places_in, verified
from emoje_edge.shipped import ENGINE_WEIGHTS

FORMAT = 1


@dataclass(frozen=True)
class Run:
    """A trained model with what belongs to it.

    Attributes:
        path: the run folder.
        meta: the whole of config.json.
        tokenizer: file of the tokenizer, or None.
    """

    path: Path
    network: AmEmoje
    config: ModelConfig
    meta: dict[str, Any]
    tokenizer: Path | None


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that readers see the old file or the new one, whole."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def save_weights(path: Path, network: torch.nn.Module, note: dict[str, str] | None = None) -> None:
    """Write safetensors in one rename, readable by whom the umask lets; `save_file` keeps them to their owner."""
    from safetensors.torch import save

    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={"format": "pt", **(note or {})}))


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read safetensors.

    Raises:
        WorkError: missing, cut short or altered.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise WorkError(
            f"{path}: not readable weights ({error})", "train again, or copy the whole run folder"
        ) from error


def fit_weights(network: torch.nn.Module, weights: dict[str, Tensor], source: Path) -> None:
    """Load weights that must match the network tensor by tensor.

    Raises:
        UsageError: the weights are of another configuration; the first few differences are named.
    """
    wanted = network.state_dict()
    wrong = [f"{k} is missing" for k in wanted if k not in weights]
    wrong += [f"{k} is not in the model" for k in weights if k not in wanted]
    wrong += [
        f"{k} is {tuple(weights[k].shape)}, the model's is {tuple(v.shape)}"
        for k, v in wanted.items()
        if k in weights and weights[k].shape != v.shape
    ]
    if wrong:
        raise UsageError(
            f"{source}: weights of another configuration: {'; '.join(wrong[:3])}"
            + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""),
            "use the config.json that was written with these weights",
        )
    network.load_state_dict(weights)


def load_run(path: Path | str) -> Run:
    """Read a run folder.

    Raises:
        UsageError: no run folder, or weights and configuration that do not fit.
        WorkError: the run was stopped before its first weights, or they are damaged.
    """
    folder = Path(path)
    config_file, weights_file = folder / "config.json", folder / "model.safetensors"
    if not config_file.is_file():
        raise UsageError(f"{folder}: no config.json, so no run", "give a folder that `emoje-edge train --out` wrote")
    meta = read_meta(config_file)
    config = ModelConfig.from_dict(meta["model"])
    if not weights_file.is_file():
        raise WorkError(f"{folder}: no weights yet", "the run was stopped early: `emoje-edge train … --resume`")
    network = AmEmoje(config)
    stored = load_weights(weights_file)
    stored |= borrow(places_in(weights_file), lambda name: verified(ENGINE_WEIGHTS, name))
    fit_weights(network, expand(stored), weights_file)
    tokenizer = folder / "tokenizer.json"
    return Run(folder, network.eval(), config, meta, tokenizer if tokenizer.is_file() else None)


def read_meta(path: Path) -> dict[str, Any]:
    """config.json of a run, checked for its format."""
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}", "give a folder that `emoje-edge train` wrote") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT or "model" not in meta:
        raise UsageError(f"{path}: not a run of format {FORMAT}", "train again with this version")
    return meta


def save_checkpoint(run: Path, step: int, network: torch.nn.Module, state: dict[str, Any]) -> Path:
    """Write RUN/checkpoint/step-N whole, then drop older ones.

    Args:
        state: optimiser, random state and position; tensors and plain values only.
    """
    root = run / "checkpoint"
    final = root / f"step-{step}"
    with atomic_folder(final) as temporary:
        save_weights(temporary / "weights.safetensors", network)
        torch.save(state, temporary / "state.pt")
    for old in root.iterdir():
        if old != final:
            shutil.rmtree(old, ignore_errors=True)
    return final


def latest_checkpoint(run: Path) -> Path | None:
    """The newest whole checkpoint of a run; half-written ones (after a kill) start with a dot and do not count."""
    found = [p for p in (run / "checkpoint").glob("step-*") if p.is_dir()]
    return max(found, key=lambda p: int(p.name.split("-")[1]), default=None)


def load_checkpoint(path: Path, network: torch.nn.Module) -> dict[str, Any]:
    """Weights into `network`; returns the state.  Nothing but tensors and plain values is unpickled.

    Raises:
        UsageError: weights of another configuration.
        WorkError: damaged.
    """
    fit_weights(network, load_weights(path / "weights.safetensors"), path / "weights.safetensors")
    try:
        return torch.load(path / "state.pt", map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what pickle, zip and the file system raise
        raise WorkError(f"{path / 'state.pt'}: damaged ({error})", "delete this checkpoint and start again") from error
