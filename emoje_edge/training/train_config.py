"""`TrainConfig`: everything that decides a training run, in one frozen dataclass that JSON and TOML files can fill."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from emoje_calibration.strict_json import Malformed, read

from emoje_edge.errors import UsageError

CHOICES = {
    "schedule": ("cosine", "plateau", "constant"),
    "precision": ("auto", "native", "float32", "bfloat16"),
    "metric": ("weighted_f1", "macro_f1", "accuracy", "uar"),
    "descriptor_kind": ("cosine", "mse"),
}


@dataclass(frozen=True)
class TrainConfig:
    """How to train.  A loss of weight 0 is not computed.

    Args:
        seed: of initial weights, order, masks and dropout.
        epochs: passes over the corpus.
        batch_utterances: utterances a batch, about.
        context: run the dialogue state over utterances; else each stands alone.
        longest_dialogue: longer ones are cut (utterances).
        learning_rate, weight_decay, clip: of AdamW and the gradient norm.
        encoder_rate: the encoders' share of the learning rate; below 1 where they come with weights of their own.
        schedule, warmup: of the learning rate; warm-up as a share of all steps.
        precision: auto is bfloat16 autocast on a GPU and float32 elsewhere; native is bfloat16 on a CPU too, where it
            computes in it (elsewhere bfloat16 is slower than float32).
        imbalance: class weights are count^-imbalance; 0 is off, 1 the inverse frequency.
        focal, focal_gamma, smoothing: weight, focus and label smoothing of the classification loss.
        nce, joint, temperature: weights and temperature of the guided NCE and the joint embedding.
        soft, soft_temperature, descriptor, descriptor_kind: distillation from given targets.
        partial: pull the masked prediction to the full one (full -> masked self-distillation).
        mask_sampling, full_share: train on random subsets of the modalities; how often on all.
        average: decay of a moving average of the weights, which is then what is scored and kept; 0 keeps the weights.
        patience: epochs without a better `metric` before stopping; 0 never stops early.
        checkpoint_steps: steps between checkpoints besides one an epoch; 0 for none between.
        threads: of torch on a CPU; 0 leaves torch's choice.
    """

    seed: int = 0
    epochs: int = 20
    batch_utterances: int = 64
    context: bool = True
    longest_dialogue: int = 40
    learning_rate: float = 5e-4
    weight_decay: float = 2e-4
    encoder_rate: float = 1.0
    clip: float = 1.0
    schedule: str = "cosine"
    warmup: float = 0.05
    precision: str = "auto"
    imbalance: float = 0.0
    focal: float = 1.0
    focal_gamma: float = 1.0
    smoothing: float = 0.0
    nce: float = 0.1
    joint: float = 0.2
    temperature: float = 0.07
    soft: float = 0.0
    soft_temperature: float = 2.0
    descriptor: float = 0.0
    descriptor_kind: str = "cosine"
    partial: float = 0.0
    mask_sampling: bool = True
    full_share: float = 0.5
    average: float = 0.0
    patience: int = 6
    metric: str = "weighted_f1"
    checkpoint_steps: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise UsageError(f"{name} = {getattr(self, name)!r}", f"allowed: {', '.join(allowed)}")
        for name in ("epochs", "batch_utterances", "longest_dialogue", "learning_rate", "temperature", "clip"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} = {getattr(self, name)!r}", "it must be above 0")
        if not 0 <= self.average < 1:
            raise UsageError(f"average = {self.average!r}", "a decay from 0 (off) to below 1, such as 0.999")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> TrainConfig:
        """Read what `to_dict` wrote, or part of it.

        Raises:
            UsageError: a key that does not exist, or a value of the wrong type.
        """
        try:
            return read(cls, raw, "training")
        except Malformed as error:
            names = ", ".join(f.name for f in fields(cls))
            raise UsageError(f"not training settings: {error}", f"allowed: {names}") from error


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON or TOML file as a dictionary.

    Raises:
        UsageError: unreadable, or neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            return _toml(text)
        raw = json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}", "give a JSON or TOML file") from error
    if not isinstance(raw, dict):
        raise UsageError(f"{path} holds a {type(raw).__name__}", "give one JSON object")
    return raw


def _toml(text: str) -> dict[str, Any]:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        raise UsageError("TOML needs Python 3.11", "write the same settings as JSON") from None
    return tomllib.loads(text)
