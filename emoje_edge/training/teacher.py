"""The text teacher: any encoder of the transformers library, by name or local folder, with a context window.

An utterance is read with the ones before it: `A: words </s> B: words </s>` and then itself, as the encoder's tokenizer
joins two texts.  The descriptor is the mean over all tokens; a linear head classifies it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.model.config import ModelConfig
from emoje_edge.training import losses
from emoje_edge.training.batching import Collator
from emoje_edge.training.checkpoint import load_weights, save_weights
from emoje_edge.training.datasets.base import UNLABELLED, Corpus, Sample
from emoje_edge.training.metrics import score
from emoje_edge.training.predict import NOTHING_MISSING, Missing, Predictions, in_order

FILE = "teacher.json"


@dataclass(frozen=True)
class TeacherConfig:
    """How to fine-tune an encoder.

    Args:
        encoder: a model's name on the hub, or a local folder.
        context: utterances before the one in question.
        tokens: longest input; the oldest context is cut first.
        epochs, batch, learning_rate, warmup: of AdamW with linear decay; the head learns ten times as fast.
        focal_gamma, imbalance: of the loss.
    """

    encoder: str
    context: int = 3
    tokens: int = 128
    epochs: int = 3
    batch: int = 16
    learning_rate: float = 2e-5
    warmup: float = 0.1
    focal_gamma: float = 1.0
    imbalance: float = 0.0
    seed: int = 0


class TextTeacher(nn.Module):
    """Encoder, mean over tokens, head."""

    def __init__(self, encoder: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.encoder, self.drop, self.head = encoder, nn.Dropout(0.1), nn.Linear(width, classes)

    def forward(self, tokens: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Tokenizer's output [B, L] -> (logits [B, C], descriptor [B, D])."""
        hidden = self.encoder(**tokens).last_hidden_state
        there = tokens["attention_mask"][..., None].to(hidden.dtype)
        mean = (hidden * there).sum(1) / there.sum(1).clamp(min=1)
        return self.head(self.drop(mean)), mean


class TeacherPredictor:
    """A text teacher as a `Predictor`."""

    mask = Mask.parse("text")

    def __init__(self, model: TextTeacher, tokenizer: Any, config: TeacherConfig, classes: tuple[str, ...]) -> None:
        self.model, self.tokenizer, self.config, self.classes = model, tokenizer, config, classes
        # only tells evaluation what a teacher reads: words
        self.collator = Collator(ModelConfig(audio=None, pose=None, classes=classes))

    @torch.no_grad()
    def predict(self, corpus: Corpus, missing: Missing = NOTHING_MISSING) -> Predictions:
        """See `Predictor.predict`; without context where `missing` says so.  Rates do not apply to one modality."""
        self.model.eval()
        device = self.model.head.weight.device
        pairs = inputs_of(corpus, self.config.context if missing.context else 0)
        # by length, so that little is padding
        pairs.sort(key=lambda pair: len(pair[1]) + len(pair[2]))
        rows = []
        for chunk in _chunks(pairs, 2 * self.config.batch):
            logits, fused = self.model(_encode(self.tokenizer, chunk, self.config.tokens, device))
            weights = np.eye(len(Modality), dtype=np.float32)[:1].repeat(len(chunk), 0)
            arrays = (logits.float().cpu().numpy(), weights, fused.float().cpu().numpy())
            rows += list(zip([sample for sample, _, _ in chunk], *arrays, strict=True))
        return in_order(corpus, rows)


def inputs_of(corpus: Corpus, context: int) -> list[tuple[Sample, str, str]]:
    """(utterance, context, words) of every utterance; the context is past only."""
    rows = []
    for dialogue in corpus.dialogues():
        lines = [f"{s.speaker}: {s.text or ''}" if s.speaker else s.text or "" for s in dialogue]
        for u, sample in enumerate(dialogue):
            rows.append((sample, " ".join(lines[max(0, u - context) : u]), lines[u]))
    return rows


def train_teacher(
    config: TeacherConfig, corpus: Corpus, dev: Corpus | None, out: Path, *, device: str | None = None
) -> Iterator[dict[str, float]]:
    """Fine-tune an encoder; yields each epoch's figures and leaves the best one in `out`.

    Raises:
        UsageError: `out` is taken, or no text in the corpus.
        WorkError: the encoder cannot be had, or the loss is no number.
    """
    if out.exists():
        raise UsageError(f"{out} is there already", "give a new folder")
    rows = [row for row in inputs_of(corpus, config.context) if row[0].label != UNLABELLED and row[0].text]
    if not rows:
        raise UsageError(f"{corpus.name} has no labelled text", "a text teacher needs words")
    torch.manual_seed(config.seed)
    encoder, tokenizer = load_encoder(config.encoder)
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    model = TextTeacher(encoder, encoder.config.hidden_size, len(corpus.classes)).to(where)
    optimiser, schedule = _optimiser(model, config, steps=config.epochs * -(-len(rows) // config.batch))
    counts = torch.tensor(list(corpus.counts().values()))
    weight = losses.class_weights(counts, power=config.imbalance).to(where) if config.imbalance else None
    predictor = TeacherPredictor(model, tokenizer, config, corpus.classes)
    best = -1.0
    for epoch in range(config.epochs):
        order = np.random.default_rng((config.seed, epoch)).permutation(len(rows))
        model.train()
        sums = 0.0
        for chunk in _chunks([rows[i] for i in order], config.batch):
            loss = _loss(predictor, chunk, weight)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            sums += float(loss.detach()) * len(chunk)
        row = {"epoch": epoch + 1, "train_loss": sums / len(rows)}
        if dev is not None:
            p = predictor.predict(dev).labelled()
            row["dev_weighted_f1"] = score(p.labels, p.probabilities, corpus.classes).weighted_f1
        value = row.get("dev_weighted_f1", float(epoch))
        if value > best:
            best = value
            save_teacher(out, predictor)
        yield row


def _loss(teacher: TeacherPredictor, rows: list[tuple[Sample, str, str]], weight: Tensor | None) -> Tensor:
    where = teacher.model.head.weight.device
    labels = torch.tensor([s.label for s, _, _ in rows], device=where)
    with torch.autocast(where.type, torch.bfloat16, enabled=where.type == "cuda"):
        logits, _ = teacher.model(_encode(teacher.tokenizer, rows, teacher.config.tokens, where))
    loss = losses.focal(logits.float(), labels, gamma=teacher.config.focal_gamma, weight=weight)
    if not torch.isfinite(loss):
        raise WorkError(
            f"the loss is no number at: {', '.join(s.source or s.uid for s, _, _ in rows)}",
            "look at these rows, or lower learning_rate",
        )
    return loss


def _optimiser(
    model: TextTeacher, config: TeacherConfig, *, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW, warmed up and then lowered linearly to nothing."""
    groups = [
        {"params": model.encoder.parameters(), "lr": config.learning_rate},
        {"params": model.head.parameters(), "lr": 10 * config.learning_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    warm = max(1.0, config.warmup * steps)

    def rate(step: int) -> float:
        return min((step + 1) / warm, (steps - step) / max(1.0, steps - warm))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, rate)


def save_teacher(out: Path, teacher: TeacherPredictor) -> None:
    """Write a teacher's folder whole: encoder, tokenizer, head, teacher.json."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    teacher.model.encoder.save_pretrained(temporary / "encoder")  # type: ignore[operator]
    teacher.tokenizer.save_pretrained(temporary / "encoder")
    save_weights(temporary / "head.safetensors", teacher.model.head)
    text = json.dumps({"config": asdict(teacher.config), "classes": teacher.classes}, indent=2)
    (temporary / FILE).write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    os.replace(temporary, out)


def load_teacher(path: Path) -> TeacherPredictor:
    """Read what `save_teacher` wrote.

    Raises:
        WorkError: damaged.
    """
    try:
        raw = json.loads((path / FILE).read_text(encoding="utf-8"))
        config, classes = TeacherConfig(**raw["config"]), tuple(raw["classes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorkError(f"{path / FILE}: {error}", "train the teacher again") from error
    encoder, tokenizer = load_encoder(str(path / "encoder"))
    model = TextTeacher(encoder, encoder.config.hidden_size, len(classes))
    model.head.load_state_dict(load_weights(path / "head.safetensors"))
    return TeacherPredictor(model.eval(), tokenizer, config, classes)


def load_encoder(name: str) -> tuple[Any, Any]:
    """(encoder, tokenizer) by transformers; weights from safetensors only, no code of the model's own.

    Raises:
        WorkError: neither a folder here nor a model that can be fetched.
    """
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        return AutoModel.from_pretrained(name, trust_remote_code=False, use_safetensors=True), tokenizer
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise WorkError(f"encoder {name!r}: {first}", "give a model's name, or a folder with its files") from error


def _encode(
    tokenizer: Any, rows: list[tuple[Sample, str, str]], tokens: int, device: torch.device
) -> dict[str, Tensor]:
    # cut from the left: the utterance itself comes last and stays
    tokenizer.truncation_side = "left"
    coded = tokenizer(
        [context for _, context, _ in rows],
        [words for _, _, words in rows],
        padding=True,
        truncation="longest_first",
        max_length=tokens,
        return_tensors="pt",
    )
    return {name: value.to(device) for name, value in coded.items()}


def _chunks(rows: list[Any], size: int) -> Iterator[list[Any]]:
    for i in range(0, len(rows), size):
        yield rows[i : i + size]
