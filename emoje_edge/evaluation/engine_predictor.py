"""Predictions by engines: the same batches as a checkpoint gets, through the engine of the mask in question."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emoje_edge.engine.interface import Session
from emoje_edge.engine.manifest import Manifest, rebuild_command
from emoje_edge.engine.pool import EnginePool
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.model.config import Encoder, LandmarkEncoder, ModelConfig, TextEncoder, VectorEncoder
from emoje_edge.perception.text import Tokenizer
from emoje_edge.training.batching import Batch, Collator, Tokenize
from emoje_edge.training.datasets.base import Corpus, Sample
from emoje_edge.training.predict import NOTHING_MISSING, Missing, Predictions, batches, in_order

Row = tuple[Sample, np.ndarray, np.ndarray, np.ndarray | None]


class EnginePredictor:
    """The engines of one model.

    Args:
        folder: what `build --out` filled; None for the engines of this machine or the package.
        model: whose engines, where no folder is given; None for `small`.
        backend: onnx, tensorrt or aot.

    Raises:
        WorkError: no engine there, or a damaged one.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        model: str | None = None,
        backend: str = "onnx",
        threads: int | None = None,
    ) -> None:
        self.folder, self.model, self.backend, self.threads = folder, model, backend, threads
        masks = [mask for mask in Mask.all() if find_engine(mask, backend, folder, model=model) is not None]
        if not masks:
            raise WorkError(f"no {backend} engine in {folder or 'the package'}", rebuild_command(None, backend, model))
        self._pool = EnginePool(None, model=model, engine_dir=folder, backend=backend, threads=threads)
        self._sessions = self._pool.sessions
        self.masks = tuple(masks)
        self.mask = max(masks, key=len)
        manifest = self._open(self.mask).manifest
        self.classes = manifest.labels
        self.state_width = next(int(t.shape[1]) for t in manifest.inputs if t.name == "state")
        config = _config(manifest)
        self.collator = Collator(config, self._tokenizer(config), trim=False)

    def _tokenizer(self, config: ModelConfig) -> Tokenize | None:
        """Of the words, where an engine reads any, as the recogniser does it."""
        if not isinstance(config.text, TextEncoder):
            return None
        path, length, digest = self._pool.reads(self.mask)
        return Tokenizer(path, length=length, sha256=digest).encode  # type: ignore[return-value]

    def predict(self, corpus: Corpus, missing: Missing = NOTHING_MISSING) -> Predictions:
        """See `Predictor.predict`."""
        mask = self._mask(corpus, missing)
        rows: list[Row] = []
        for number, whole in enumerate(batches(corpus, self.collator, missing, 64)):
            rows += self._dialogues(missing.apply(whole, number), None if missing.rate else mask)
        return in_order(corpus, rows)

    def _mask(self, corpus: Corpus, missing: Missing) -> Mask:
        """The engine for a corpus: of what it brings and what may be used."""
        brought = Mask.of({m for s in corpus.samples for m in s.modalities}) & self.mask
        mask = brought & (missing.mask or self.mask) if brought else None
        if mask is None:
            raise UsageError(f"{corpus.name} brings nothing of {missing.mask or self.mask}", "take another mask")
        return mask

    def _dialogues(self, batch: Batch, mask: Mask | None) -> list[Row]:
        """All rows of a batch, step by step; without `mask` each row goes to the engine of what it has."""
        bits = (batch.present.numpy() * [m.bit for m in Modality]).sum(1)
        state = np.zeros((batch.steps[0], self.state_width), dtype=np.float32)
        voices: dict[tuple[int, str], np.ndarray] = {}  # by dialogue (its place in a step) and speaker
        rows: list[Row] = []
        start = 0
        for active in batch.steps:
            here = np.arange(start, start + active)
            logits = np.zeros((active, len(self.classes)), dtype=np.float32)
            weights = np.zeros((active, len(Modality)), dtype=np.float32)
            following = state[:active].copy()
            for b in np.unique(bits[here]) if mask is None else [0]:
                some = np.flatnonzero(bits[here] == b) if mask is None else np.arange(active)
                engine = mask or (Mask(int(b)) if b else self.mask)
                inputs = self._inputs(batch, here[some], engine, state[some])
                names = [(int(i), batch.samples[here[i]].speaker) for i in some]
                if "voice" in inputs:
                    for row, name in zip(inputs["voice"], names, strict=True):
                        row[:] = voices.get(name, 0.0)
                out = self._open(engine).run(inputs)
                if "next_voice" in out:
                    voices |= {name: x for name, x in zip(names, out["next_voice"], strict=True) if name[1]}
                logits[some] = out["logits"] / (self._open(engine).manifest.temperature or 1.0)
                weights[some], following[some] = out["weights"], out["next_state"]
            rows += [(batch.samples[r], logits[i], weights[i], None) for i, r in enumerate(here)]
            state = following
            start += active
        return rows

    def _inputs(self, batch: Batch, rows: np.ndarray, mask: Mask, state: np.ndarray) -> dict[str, np.ndarray]:
        inputs = {"speaker": batch.speaker.numpy()[rows], "state": np.ascontiguousarray(state)}
        for tensor in self._open(mask).manifest.inputs:
            if tensor.name in inputs:
                continue
            if tensor.name == "voice":
                inputs[tensor.name] = np.zeros((len(rows), int(tensor.shape[1])), tensor.dtype)
                continue
            m = Modality(tensor.name.partition("_")[0])
            if tensor.name.endswith("_quality"):
                value = batch.quality.numpy()[rows, list(Modality).index(m)]
            elif m in batch.inputs:
                x, length = batch.inputs[m]
                value = (length if tensor.name.endswith("_length") else x).numpy()[rows]
            else:
                value = np.zeros((len(rows), *(int(n) for n in tensor.shape[1:])))
            inputs[tensor.name] = value.astype(tensor.dtype)
        return inputs

    def _open(self, mask: Mask) -> Session:
        if mask not in self._sessions:
            self._sessions[mask] = open_engine(
                mask, model=self.model, engine_dir=self.folder, backend=self.backend, threads=self.threads
            )
        return self._sessions[mask]


def _config(manifest: Manifest) -> ModelConfig:
    """As much of the model as collating needs, told by the engine's inputs."""
    encoders: dict[str, Encoder | None] = {m.value: None for m in Modality}
    for tensor in manifest.inputs:
        shape = [int(n) for n in tensor.shape[1:]]
        if tensor.name not in encoders:
            continue
        if tensor.dtype == "int64":
            encoders[tensor.name] = TextEncoder(tokens=shape[0], vocabulary=1 << 31)
        elif len(shape) == 3:
            encoders[tensor.name] = LandmarkEncoder(frames=shape[0], joints=shape[1])
        else:
            encoders[tensor.name] = VectorEncoder(tokens=shape[0], features=shape[1])
    return ModelConfig(**encoders, classes=manifest.labels)  # type: ignore[arg-type]
