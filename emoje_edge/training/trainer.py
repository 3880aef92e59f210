"""The training loop: one run folder, resumable after a kill, stopped with a name when the loss is no number."""

from __future__ import annotations

import json
import math
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.files import atomic
from emoje_edge.metrics import score
from emoje_edge.model import AmEmoje, ModelConfig, NetworkOutput
from emoje_edge.training import checkpoint as ckpt
from emoje_edge.training.average import moving_average
from emoje_edge.training.batching import (
    Batch,
    Collator,
    DialogueNetwork,
    Reword,
    Tokenize,
    Transform,
    check,
    pieces,
    plan_epoch,
)
from emoje_edge.training.curves import draw_curves
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.masking import sample_masks
from emoje_edge.training.objective import Objective, Targets
from emoje_edge.training.parallel import World
from emoje_edge.training.predict import TorchPredictor
from emoje_edge.training.progress import Progress
from emoje_edge.training.speaker_histories import SpeakerHistories
from emoje_edge.training.standardise import fit_features
from emoje_edge.training.train_config import TrainConfig

DRAW_EVERY = 20.0  # seconds: a picture an epoch would cost short runs more than their training


@dataclass(frozen=True)
class Materials:
    """What a run is made from.

    Args:
        train, dev: corpora with the model's classes; without `dev` the last weights are kept.
        tokenize, tokenizer: the function and the file it came from (copied into the run), where words are read.
        transform, reword: augmentation of training features and of the words.
        targets: a teacher's.
        initial: weights to start from, of the same configuration.
        frozen: parameters whose names begin so keep their values.
        voices: gives each utterance a past of its speaker.
    """

    train: Corpus
    dev: Corpus | None = None
    tokenize: Tokenize | None = None
    tokenizer: Path | None = None
    transform: Transform | None = None
    reword: Reword | None = None
    targets: Targets | None = None
    initial: dict[str, Tensor] | None = None
    frozen: tuple[str, ...] = ()
    voices: SpeakerHistories | None = None


@dataclass
class Position:
    """Where a run is; goes into the checkpoint as plain values."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float = -math.inf
    best_epoch: int = -1
    scale: float = 1.0  # of the learning rate, lowered by the plateau schedule
    waited: int = 0  # epochs since the plateau schedule last saw an improvement
    finished: bool = False
    losses: dict[str, float] = field(default_factory=dict)  # sums over the epoch so far


def train(
    model: ModelConfig,
    config: TrainConfig,
    materials: Materials,
    out: Path,
    *,
    resume: bool = False,
    device: str | None = None,
    quiet: bool = False,
) -> ckpt.Run:
    """Train a network and return it as it was best on `dev`.

    Raises:
        UsageError: `out` holds another run, the corpora do not fit the model, or the checkpoint is of another config.
        WorkError: an unreadable feature, or a loss that is no number.
    """
    trainer = Trainer(model, config, materials, out, resume=resume, device=device, quiet=quiet)
    try:
        trainer.run()
    finally:
        trainer.world.close()
    return ckpt.load_run(out)


class Trainer:
    """State of one run.  `train` is the way in."""

    def __init__(
        self,
        model: ModelConfig,
        config: TrainConfig,
        materials: Materials,
        out: Path,
        *,
        resume: bool,
        device: str | None,
        quiet: bool,
    ) -> None:
        self.config, self.materials, self.out, self.quiet = config, materials, Path(out), quiet
        self.meta = _describe(model, config, materials)
        _refuse_foreign(self.out, self.meta, resume)
        self.collator = Collator(model, materials.tokenize, transform=materials.transform, reword=materials.reword)
        self.plain = Collator(model, materials.tokenize)
        for corpus in filter(None, (materials.train, materials.dev)):
            if corpus.classes != model.classes:
                raise UsageError(
                    f"{corpus.name} has the classes {corpus.classes}, the model {model.classes}",
                    "relabel the corpus (`to_emotions`) or set the model's classes",
                )
            check(corpus, self.plain)
        self.world = World.join(device)
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        network = AmEmoje(model)
        if materials.initial is None:
            fit_features(network, materials.train)
        else:
            ckpt.fit_weights(network, materials.initial, Path("initial weights"))
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.startswith(materials.frozen))
        counts = torch.tensor(list(materials.train.counts().values()))
        objective = Objective(config, counts, materials.targets, model.width)
        self.module = nn.ModuleDict({"dialogues": DialogueNetwork(network), "objective": objective}).to(
            self.world.device
        )
        self.network, self.objective = network, objective
        self.forward = self.world.wrap(self.module["dialogues"])
        self.optimiser = torch.optim.AdamW(
            _groups(self.module, config), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.average = moving_average(network, config.average) if config.average else None
        self.dialogues = pieces(materials.train, context=config.context, longest=config.longest_dialogue)
        self.at = Position()
        self.drawn = time.monotonic()
        self.plan = self._plan(0)
        self.steps = max(1, len(self.plan) * config.epochs)

    def run(self) -> None:
        """Everything from the last checkpoint to the end."""
        self._start()
        with Progress(self.config.epochs, quiet=self.quiet or not self.world.first) as progress:
            while not self.at.finished:
                self.plan = self._plan(self.at.epoch)
                progress.epoch(self.at.epoch, len(self.plan), done=self.at.batch)
                self._epoch(progress)
                self._end_epoch(progress)

    def _plan(self, epoch: int) -> list[list[int]]:
        c = self.config
        plan = plan_epoch(self.dialogues, utterances=c.batch_utterances, seed=c.seed, epoch=epoch)
        return self.world.share(plan)

    def _start(self) -> None:
        newest = ckpt.latest_checkpoint(self.out)
        if newest is not None:
            state = ckpt.load_checkpoint(newest, self.module)
            self.optimiser.load_state_dict(state["optimiser"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            self.at = Position(**state["position"])
            self.world.set_random(state["random"])
            self._keep_rows()
        elif self.world.first:
            self.out.mkdir(parents=True, exist_ok=True)
            if self.materials.tokenizer is not None:
                shutil.copyfile(self.materials.tokenizer, self.out / "tokenizer.json")
            (self.out / "metrics.jsonl").unlink(missing_ok=True)
            ckpt.write_json(self.out / "config.json", self.meta)
        if newest is None:
            # each process draws its own dropout
            torch.manual_seed(self.config.seed + 1009 * (self.world.rank + 1))

    def _keep_rows(self) -> None:
        """Drop the rows that were written after the checkpoint: their epochs are trained again."""
        path = self.out / "metrics.jsonl"
        if self.world.first and path.exists():
            rows = [line for line in path.read_text().splitlines() if json.loads(line)["step"] <= self.at.step]
            with atomic(path) as temporary:
                temporary.write_text("".join(f"{row}\n" for row in rows))

    def _epoch(self, progress: Progress) -> None:
        self.module.train()
        while self.at.batch < len(self.plan):
            at = self.at
            generator = np.random.default_rng((self.config.seed, at.epoch, at.batch, self.world.rank))
            batch = self.collator([self.dialogues[i] for i in self.plan[at.batch]], generator).to(self.world.device)
            parts = self._step(batch, generator)
            for name, value in parts.items():
                at.losses[name] = at.losses.get(name, 0.0) + value
            at.batch, at.step = at.batch + 1, at.step + 1
            progress.step(parts["loss"])
            every = self.config.checkpoint_steps
            if every and at.step % every == 0:
                self._checkpoint()

    def _step(self, batch: Batch, generator: np.random.Generator) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate() * group["rate"]
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.world.device.type, torch.bfloat16, enabled=self._autocast()):
            out, masked, full = self._forward(batch, generator)
            parts = self.objective(out, masked, full)
        values = {name: float(value.detach()) for name, value in parts.items()}
        self._must_be_finite(values, batch)
        parts["loss"].backward()
        self.world.reduce(self.objective)
        norm = float(nn.utils.clip_grad_norm_(self.module.parameters(), self.config.clip))
        self._must_be_finite({"gradient norm": norm}, batch)
        self.optimiser.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return values

    def _forward(
        self, batch: Batch, generator: np.random.Generator
    ) -> tuple[NetworkOutput, Batch, NetworkOutput | None]:
        c = self.config
        masked = batch
        if c.mask_sampling and len(batch.inputs) > 1:
            masked = batch.masked(sample_masks(batch.present, generator, full_share=c.full_share))
        voices = self.materials.voices
        if voices is not None:
            masked = voices.with_random_history(masked, self.network.config.width, generator)
        full = None
        if c.partial and masked is not batch:
            # a target: without dropout, and without a say in batch statistics
            self.module.eval()
            with torch.no_grad():
                full = self.module["dialogues"](batch)
            self.module.train()
        out = self.forward(masked)
        if voices is not None and out.voice is not None:
            voices.remember(masked, out.voice)
        return out, masked, full

    def _must_be_finite(self, values: dict[str, float], batch: Batch) -> None:
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            rows = ", ".join(s.source or s.uid for s in batch.samples[:8])
            more = f" and {len(batch.samples) - 8} more" if len(batch.samples) > 8 else ""
            raise WorkError(
                f"{', '.join(bad)} is no number at epoch {self.at.epoch + 1}, batch {self.at.batch + 1}: {rows}{more}",
                "look at these rows; a lower learning_rate or float32 precision helps where the data are right",
            )

    def _learning_rate(self) -> float:
        c, step = self.config, self.at.step
        warm = max(1, int(c.warmup * self.steps))
        if step < warm:
            return c.learning_rate * (step + 1) / warm
        if c.schedule == "cosine":
            done = min(1.0, (step - warm) / max(1, self.steps - warm))
            return c.learning_rate * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        return c.learning_rate * self.at.scale

    @property
    def _kept(self) -> AmEmoje:
        """The network that is scored and kept."""
        return self.network if self.average is None else cast(AmEmoje, self.average.module)

    def _autocast(self) -> bool:
        precision, on_gpu = self.config.precision, self.world.device.type == "cuda"
        if precision == "native":
            return on_gpu or computes_bfloat16()
        return precision == "bfloat16" or (precision == "auto" and on_gpu)

    def _end_epoch(self, progress: Progress) -> None:
        at, c = self.at, self.config
        row: dict[str, Any] = {"epoch": at.epoch + 1, "step": at.step, "learning_rate": self._learning_rate()}
        row |= {f"train_{name}": value / max(1, at.batch) for name, value in at.losses.items()}
        row["time"] = time.strftime("%Y-%m-%dT%H:%M:%S")
        value = self._dev(row)
        better = value is None or value > at.best
        if better:
            at.best, at.best_epoch = -math.inf if value is None else value, at.epoch
        at.waited = 0 if better else at.waited + 1
        if c.schedule == "plateau" and at.waited >= max(1, c.patience // 2):
            at.scale, at.waited = at.scale / 2, 0
        stop = bool(c.patience) and self.materials.dev is not None and at.epoch - at.best_epoch >= c.patience
        at.epoch, at.batch, at.losses = at.epoch + 1, 0, {}
        at.finished = stop or at.epoch >= c.epochs
        if self.world.first:
            if better:
                ckpt.save_weights(self.out / "model.safetensors", self._kept, {"epoch": str(at.epoch)})
            with (self.out / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        self._checkpoint()
        if self.world.first and (at.finished or time.monotonic() > self.drawn + DRAW_EVERY):
            self.drawn = time.monotonic()
            draw_curves(self.out / "metrics.jsonl", self.out / "curves.png")
        progress.end_epoch(row, better)

    def _dev(self, row: dict[str, Any]) -> float | None:
        """Score on dev into `row`; every process does so, and comes to the same decision."""
        if self.materials.dev is None:
            return None
        predictions = TorchPredictor(self._kept, self.plain).predict(self.materials.dev).labelled()
        scores = score(predictions.labels, predictions.probabilities, self.network.config.classes)
        row |= {f"dev_{name}": getattr(scores, name) for name in ("weighted_f1", "macro_f1", "accuracy", "uar")}
        return row[f"dev_{self.config.metric}"]

    def _checkpoint(self) -> None:
        random = self.world.get_random()
        if self.world.first:
            state = {"optimiser": self.optimiser.state_dict(), "position": dict(vars(self.at)), "random": random}
            if self.average is not None:
                state["average"] = self.average.state_dict()
            ckpt.save_checkpoint(self.out, self.at.step, self.module, state)


def _groups(module: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """Parameters with the share of the learning rate that they get: encoders, then the rest."""
    inside = [p for name, p in module.named_parameters() if ".encoders." in f".{name}"]
    rest = [p for name, p in module.named_parameters() if ".encoders." not in f".{name}"]
    return [{"params": inside, "rate": config.encoder_rate}, {"params": rest, "rate": 1.0}]


def computes_bfloat16() -> bool:
    """Whether this CPU computes in bfloat16 itself; without that, autocast is slower than float32."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch tells it nowhere in public
    return bool(supported and supported())


def _describe(model: ModelConfig, config: TrainConfig, materials: Materials) -> dict[str, Any]:
    corpora = {
        part: {"name": corpus.name, "utterances": len(corpus), "labels": corpus.counts()}
        for part, corpus in (("train", materials.train), ("dev", materials.dev))
        if corpus is not None
    }
    return {"format": ckpt.FORMAT, "model": model.to_dict(), "train": config.to_dict(), "corpora": corpora}


def _refuse_foreign(out: Path, meta: dict[str, Any], resume: bool) -> None:
    """Say no to a folder that holds another run, or one that nobody asked to go on with."""
    path = out / "config.json"
    if not path.exists():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"{out} is there and is no run", "give a new or empty folder")
        return
    if not resume:
        raise UsageError(f"{out} holds a run already", "add --resume to go on with it, or give another folder")
    there = ckpt.read_meta(path)
    for part in ("model", "train", "corpora"):
        differ = [
            f"{part}.{key}: {there.get(part, {}).get(key)!r} there, {value!r} asked"
            for key, value in meta[part].items()
            if key != "threads" and there.get(part, {}).get(key) != json.loads(json.dumps(value))
        ]
        if differ:
            raise UsageError(
                f"{out} holds a run of another configuration: {'; '.join(differ[:3])}",
                "resume with the settings in its config.json, or give another folder",
            )
