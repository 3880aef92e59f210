"""From a configuration file or a few options to everything that a run needs: corpora, splits, model, settings.

A configuration (TOML or JSON), all of it optional but `corpora`:

    labels = "emotions"            # or "native": the corpus' own classes
    out = "runs/first"
    [[corpora]]
    dataset = "meld"
    root = "data/meld"
    [model]                        # what differs from the model that fits the corpora
    width = 128
    text = { kind = "text", layers = 2 }
    [train]                        # what differs from the corpus' preset, else from TrainConfig's defaults
    epochs = 30
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje
from emoje_edge.model.config import (
    Encoder,
    LandmarkEncoder,
    LogMelEncoder,
    ModelConfig,
    TextEncoder,
    VectorEncoder,
    WhisperEncoder,
)
from emoje_edge.model.encoders import WhisperEncoder as PretrainedEars
from emoje_edge.shipped import TOKENIZER
from emoje_edge.training.checkpoint import load_run
from emoje_edge.training.datasets import Options, open_dataset
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.datasets.splits import train_and_dev
from emoje_edge.training.labels import to_emotions
from emoje_edge.training.presets import merged, preset_of
from emoje_edge.training.standardise import fit_features
from emoje_edge.training.tokens import tokenizer_of
from emoje_edge.training.train_config import TrainConfig, read_settings
from emoje_edge.training.trainer import Materials
from emoje_edge.training.whisper_encoder import read_whisper_encoder

FRONT = (f"encoders.{Modality.AUDIO}.front.",)
KEYS = ("labels", "out", "corpora", "model", "train", "tokenizer", "teachers", "dev_share", "start")


@dataclass(frozen=True)
class Plan:
    """What to train on what.

    Args:
        corpora: (dataset, root, options) of each.
        labels: `emotions` maps onto the seven, `native` keeps the classes of the one corpus.
        model: settings that differ from the model that fits the corpora.
        train: of the run.
        tokenizer: file; None for the one that ships.
        dev_share: held out where a corpus has no official dev split.
        start: run to go on from, with its model; its head only where the classes are the same.
        audio_encoder: a Whisper folder whose first `layers` become the audio branch, frozen (`whisper_encoder.py`).
    """

    corpora: tuple[tuple[str, Path, Options], ...]
    labels: str = "native"
    model: dict[str, Any] = field(default_factory=dict)
    train: TrainConfig = field(default_factory=TrainConfig)
    tokenizer: Path | None = None
    out: Path | None = None
    teachers: tuple[Path, ...] = ()
    dev_share: float = 0.2
    start: Path | None = None
    audio_encoder: Path | None = None
    layers: int = 2

    def __post_init__(self) -> None:
        if self.labels not in ("emotions", "native"):
            raise UsageError(f"labels = {self.labels!r}", "allowed: emotions, native")
        if not self.corpora:
            raise UsageError("nothing to train on", "give --dataset and --root, or corpora in the configuration")


def read_plan(path: Path) -> Plan:
    """Read a configuration file; paths in it are relative to it.

    Raises:
        UsageError: unknown or malformed settings.
    """
    raw = read_settings(path)
    unknown = [key for key in raw if key not in KEYS]
    if unknown:
        raise UsageError(f"{path}: unknown setting {unknown[0]!r}", f"allowed: {', '.join(KEYS)}")
    corpora = []
    for number, entry in enumerate(raw.get("corpora", []), 1):
        try:
            given = dict(entry)
            name, root = given.pop("dataset"), path.parent / given.pop("root")
            corpora.append((name, root, Options(**given)))
        except (TypeError, KeyError, ValueError) as error:
            raise UsageError(f"{path}: corpora {number}: {error}", "each has dataset and root") from error
    preset = preset_of([name for name, _, _ in corpora])
    here = {key: path.parent / raw[key] for key in ("out", "tokenizer", "start") if key in raw}
    return Plan(
        corpora=tuple(corpora),
        labels=raw.get("labels", "native" if len(corpora) == 1 else "emotions"),
        model=merged(preset.model, raw.get("model", {})),
        train=TrainConfig.from_dict(merged(preset.train, raw.get("train", {}))),
        teachers=tuple(path.parent / t for t in raw.get("teachers", [])),
        dev_share=raw.get("dev_share", 0.2),
        **here,
    )


def prepare(plan: Plan) -> tuple[ModelConfig, Materials]:
    """Read the corpora and settle the model.

    Raises:
        UsageError, WorkError: as the loaders and `ModelConfig` do.
    """
    preset = preset_of([name for name, _, _ in plan.corpora])
    pairs: list[tuple[Corpus, Corpus | None]] = []
    whisper = read_whisper_encoder(plan.audio_encoder, plan.layers) if plan.audio_encoder else None
    start = load_run(plan.start) if plan.start else None
    known = start.config.audio if start else None
    hears = whisper[0] if whisper else known if isinstance(known, WhisperEncoder) else None
    for name, root, options in plan.corpora:
        options = replace(options, bands=hears.bands) if hears else options
        corpus = open_dataset(name, root, options=options)
        corpus = to_emotions(corpus) if plan.labels == "emotions" else corpus
        if preset.dev:
            pairs.append(train_and_dev(corpus, share=plan.dev_share, seed=plan.train.seed))
        else:
            pairs.append((corpus.keep(lambda s: s.split not in ("dev", "test")), None))
    train, dev = pairs[0] if len(pairs) == 1 else _joined(pairs)
    train = preset.enlarge(train) if preset.enlarge else train
    words = plan.tokenizer or (start and start.tokenizer) or TOKENIZER
    model = fit_model([pair[0] for pair in pairs], plan.model, tokenizer=words)
    if start:
        model = inherit(start.config, model)
    initial = warm_start(model, start.network, train, seed=plan.train.seed) if start else None
    if whisper:
        model, initial = with_whisper_encoder(
            model, whisper, start.network if start else None, train, seed=plan.train.seed
        )
    has_words = isinstance(model.text, TextEncoder)
    materials = Materials(
        train,
        dev,
        tokenize=tokenizer_of(model, words),
        tokenizer=words if has_words else None,
        transform=None if hears else preset.transform,  # made for our own log-mel
        initial=initial,
        frozen=FRONT if hears else (),
    )
    return model, materials


def with_whisper_encoder(
    model: ModelConfig,
    whisper: tuple[WhisperEncoder, dict[str, Tensor]],
    known: AmEmoje | None,
    corpus: Corpus,
    *,
    seed: int,
) -> tuple[ModelConfig, dict[str, Tensor]]:
    """The model with pretrained Whisper layers as its audio branch, and weights to start from.

    Raises:
        UsageError: the corpora bring no sound.
    """
    if model.audio is None:
        raise UsageError(f"--audio-encoder for {corpus.name}, which brings no sound", "take a corpus with sound")
    model = replace(model, audio=whisper[0])
    torch.manual_seed(seed)
    network = AmEmoje(model)
    encoder = network.encoders[Modality.AUDIO.value]
    assert isinstance(encoder, PretrainedEars)
    encoder.front.load_state_dict(whisper[1])
    encoder.fit_features([s.feature(Modality.AUDIO) for s in corpus.samples if Modality.AUDIO in s.features])
    weights = network.state_dict()
    taken = known.state_dict() if known else {}
    return model, {k: taken.get(k, x) if taken.get(k, x).shape == x.shape else x for k, x in weights.items()}


def inherit(known: ModelConfig, fitted: ModelConfig) -> ModelConfig:
    """The known model with the branches and classes of the one that fits the corpora; an encoder of another kind, or
    one that it does not have, is the fitted one."""
    encoders = {}
    for m in Modality:
        wanted, there = fitted.encoder(m), known.encoder(m)
        encoders[m.value] = there if wanted and there and _alike(wanted, there) else wanted
    return replace(known, **encoders, classes=fitted.classes)  # type: ignore[arg-type]


def _alike(wanted: Encoder, there: Encoder) -> bool:
    """Whether a known encoder takes what the fitted one was fitted to; Whisper's log-mel looks like vectors."""
    hears = isinstance(there, WhisperEncoder) and isinstance(wanted, VectorEncoder) and wanted.features == there.bands
    return hears or type(wanted) is type(there)


def warm_start(model: ModelConfig, known: AmEmoje, corpus: Corpus, *, seed: int) -> dict[str, Tensor]:
    """Weights to start from: the known network's wherever they fit, new ones elsewhere."""
    torch.manual_seed(seed)
    network = AmEmoje(model)
    fit_features(network, corpus)
    weights = network.state_dict()
    head = model.classes == known.config.classes
    taken = {k: v for k, v in known.state_dict().items() if head or not k.startswith("head.")}
    return weights | {k: v for k, v in taken.items() if k in weights and weights[k].shape == v.shape}


def _joined(pairs: Sequence[tuple[Corpus, Corpus | None]]) -> tuple[Corpus, Corpus]:
    return Corpus.join([train for train, _ in pairs]), Corpus.join([dev for _, dev in pairs if dev is not None])


def fit_model(corpora: Sequence[Corpus], settings: dict[str, Any], *, tokenizer: Path) -> ModelConfig:
    """The model for what the corpora bring, changed by `settings` (as in ModelConfig.to_dict, any part of it).

    Raises:
        UsageError: settings that are none, or no modality at all.
    """
    encoders = {m: encoder for m in Modality if (encoder := _encoder(corpora, m, tokenizer)) is not None}
    if not encoders:
        raise UsageError("the corpora bring no modality", "take corpora with text, audio or pose")
    base = ModelConfig(**{m.value: encoders.get(m) for m in Modality}, classes=corpora[0].classes)  # type: ignore[arg-type]
    raw = base.to_dict()
    for key, value in settings.items():
        known = raw.get(key)
        # part of an encoder: the rest stays as it fits the corpora, unless another kind is asked for
        partly = isinstance(value, dict) and isinstance(known, dict) and value.get("kind") in (None, known["kind"])
        raw[key] = {**known, **value} if partly else value  # type: ignore[dict-item]
    return ModelConfig.from_dict(raw)


def _encoder(corpora: Sequence[Corpus], m: Modality, tokenizer: Path) -> Encoder | None:
    """The encoder for the first utterance that brings this modality."""
    vector = next((s for c in corpora for s in c.samples if m in s.features), None)
    if vector is None:
        worded = m is Modality.TEXT and any(s.text for c in corpora for s in c.samples)
        return TextEncoder(vocabulary=_vocabulary(tokenizer)) if worded else None
    shape = vector.feature(m).shape
    if m is Modality.POSE and shape[1:] == (LandmarkEncoder.joints, 3):
        return LandmarkEncoder()
    if m is Modality.AUDIO and shape[1:] == (LogMelEncoder.bands,) and shape[0] > 1:
        return LogMelEncoder()
    longest = max(_length(s.feature(m)) for c in corpora for s in c.samples if m in s.features)
    return VectorEncoder(features=int(shape[-1]), tokens=longest)


def _length(x: np.ndarray) -> int:
    return 1 if x.ndim == 1 else len(x)


def _vocabulary(tokenizer: Path) -> int:
    """Ids of the tokenizer, up to a multiple of 64."""
    from emoje_edge.perception.text import Tokenizer

    return -(-Tokenizer(tokenizer).size // 64) * 64


def with_train(plan: Plan, changes: dict[str, Any]) -> Plan:
    """The plan with some training settings changed, checked as in a file."""
    return replace(plan, train=TrainConfig.from_dict({**asdict(plan.train), **changes}))
