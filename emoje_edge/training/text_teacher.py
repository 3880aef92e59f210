"""The text teacher: an encoder of the transformers library, by name or local folder, that reads words in their context.

An utterance is read first, then what was said before it: `[CLS] A: words [SEP] B: words [SEP] A: words [SEP]`, of which
the oldest is cut where it becomes too long.  The descriptor is [CLS] beside the mean over the utterance's own tokens; a
linear head classifies it.  `train --encoder` fine-tunes one on labelled lines; `research.recipes.teacher` makes those
that the shipped students learned from, with a head for each of two corpora.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.metrics import score
from emoje_edge.modality import Mask, Modality
from emoje_edge.model.config import ModelConfig
from emoje_edge.training import losses
from emoje_edge.training.batching import Collator, Reword
from emoje_edge.training.checkpoint import load_weights, save_weights
from emoje_edge.training.datasets.base import UNLABELLED, Corpus, Sample
from emoje_edge.training.predict import NOTHING_MISSING, Missing, Predictions, in_order
from emoje_edge.training.trainer import computes_bfloat16

FILE = "teacher.json"
WORDS = 34  # tokens of the utterance itself, at most

Window = tuple[list[int], list[int]]  # token ids, segment (0 the utterance, 1 what went before)


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
    tokens: int = 80
    epochs: int = 3
    batch: int = 16
    learning_rate: float = 2e-5
    warmup: float = 0.1
    focal_gamma: float = 1.0
    imbalance: float = 0.0
    seed: int = 0


class TextTeacher(nn.Module):
    """Encoder, [CLS] and the mean over the utterance's own tokens, one linear head for each number of classes.

    Args:
        encoder: a model's name on the hub, or a local folder.
        heads: classes of each.
        tokens: of the longest window.
        context: utterances in it before the one in question.

    Raises:
        WorkError: the encoder cannot be had, or its tokenizer marks neither the beginning nor the end of a text.
    """

    def __init__(self, encoder: str | Path, heads: Sequence[int], *, tokens: int, context: int) -> None:
        super().__init__()
        self.encoder, self.tokenizer = load_encoder(str(encoder))
        self.tokens, self.context = tokens, context
        self.width = 2 * self.encoder.config.hidden_size
        self.heads = nn.ModuleList(nn.Linear(self.width, classes) for classes in heads)
        self.drop = nn.Dropout(0.2)
        # RoBERTa and its kin know one kind of segment, DistilBERT none
        self._segments = getattr(self.encoder.config, "type_vocab_size", 0) > 1

    def describe(self, windows: Sequence[Window]) -> Tensor:
        """[N windows] -> [N, 2 x hidden size]."""
        size = max(len(ids) for ids, _ in windows)
        ids, segment, there = torch.zeros(3, len(windows), size, dtype=torch.long)
        for i, (tokens, segments) in enumerate(windows):
            ids[i, : len(tokens)], segment[i, : len(tokens)] = torch.tensor(tokens), torch.tensor(segments)
            there[i, : len(tokens)] = 1
        ids, segment, there = (x.to(self.encoder.device) for x in (ids, segment, there))
        kinds = {"token_type_ids": segment} if self._segments else {}
        hidden = self.encoder(input_ids=ids, attention_mask=there, **kinds).last_hidden_state
        own = (there * (1 - segment)).float()
        mean = torch.einsum("bl,bld->bd", own / own.sum(1, keepdim=True), hidden)
        return torch.cat([hidden[:, 0], mean], 1)

    def classify(self, windows: Sequence[Window], head: int = 0) -> Tensor:
        """[N windows] -> logits [N, C] of one head, for training: with dropout, in bfloat16 where that is faster."""
        with self.autocast():
            logits = self.heads[head](self.drop(self.describe(windows)))
        return logits.float()

    def autocast(self) -> torch.autocast:
        """bfloat16 where the encoder's time goes: three times as fast on a CPU that computes in it."""
        kind = self.encoder.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda" or computes_bfloat16())

    def windows(
        self,
        corpus: Corpus,
        *,
        context: int | None = None,
        vary: Reword | None = None,
        alone: float = 0.0,
        g: np.random.Generator | None = None,
    ) -> list[Window]:
        """One window a sample, in the corpus' order; what goes before is past only.

        Args:
            context: utterances before, where not as many as the teacher's.
            vary: another wording of each line.
            alone: share of the windows without what went before.
        """
        found: dict[str, Window] = {}
        g = g or np.random.default_rng(0)
        most = self.context if context is None else context
        for dialogue in corpus.dialogues():
            said = [vary(_plain(s), g) if vary else _plain(s) for s in dialogue]
            named = self._tokens([f"{s.speaker}: {t}" if s.speaker else t for s, t in zip(dialogue, said, strict=True)])
            for i, sample in enumerate(dialogue):
                before = [] if g.random() < alone else named[max(0, i - most) : i]
                found[sample.uid] = self._window(named[i], before)
        return [found[s.uid] for s in corpus.samples]

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False, truncation=True, max_length=400)["input_ids"]

    def _window(self, own: list[int], before: list[list[int]]) -> Window:
        first, last = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        ids = [first, *own[: min(WORDS, self.tokens - 2)], last]
        room = self.tokens - len(ids) - 1
        context = [token for utterance in before for token in (*utterance, last)][:-1]
        if not context or room <= 3:
            return ids, [0] * len(ids)
        kept = context[-room:]
        return [*ids, *kept, last], [0] * len(ids) + [1] * (len(kept) + 1)


def _plain(sample: Sample) -> str:
    return (sample.text or "").replace("\u0092", "'").replace("’", "'")


def batches(windows: Sequence[Window], size: int, g: np.random.Generator) -> Iterator[list[int]]:
    """Shuffled batches of windows about as long as each other."""
    order = g.permutation(len(windows))
    parts: list[list[int]] = []
    for first in range(0, len(order), 20 * size):
        part = sorted(order[first : first + 20 * size].tolist(), key=lambda i: len(windows[i][0]))
        parts += [part[i : i + size] for i in range(0, len(part), size)]
    yield from (parts[i] for i in g.permutation(len(parts)))


@torch.no_grad()
def describe(teacher: TextTeacher, windows: Sequence[Window], size: int = 64) -> Tensor:
    """Descriptors of all windows, in their order: [N, width], on the CPU."""
    teacher.eval()
    out = torch.zeros(len(windows), teacher.width)
    order = sorted(range(len(windows)), key=lambda i: len(windows[i][0]))
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        with teacher.autocast():
            out[rows] = teacher.describe([windows[i] for i in rows]).float().cpu()
    return out


class TeacherPredictor:
    """A text teacher as a `Predictor`."""

    mask = Mask.parse("text")

    def __init__(self, model: TextTeacher, config: TeacherConfig, classes: tuple[str, ...]) -> None:
        self.model, self.config, self.classes = model, config, classes
        # only tells evaluation what a teacher reads: words
        self.collator = Collator(ModelConfig(audio=None, pose=None, classes=classes))

    @torch.no_grad()
    def predict(self, corpus: Corpus, missing: Missing = NOTHING_MISSING) -> Predictions:
        """See `Predictor.predict`; without context where `missing` says so.  Rates do not apply to one modality."""
        windows = self.model.windows(corpus, context=None if missing.context else 0)
        fused = describe(self.model, windows)
        head = self.model.heads[0]
        logits = head(fused.to(next(head.parameters()).device)).cpu()
        weights = np.eye(len(Modality), dtype=np.float32)[:1].repeat(len(corpus), 0)
        return in_order(corpus, list(zip(corpus.samples, logits.numpy(), weights, fused.numpy(), strict=True)))


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
    rows = [i for i, s in enumerate(corpus.samples) if s.label != UNLABELLED and s.text]
    if not rows:
        raise UsageError(f"{corpus.name} has no labelled text", "a text teacher needs words")
    torch.manual_seed(config.seed)
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    model = TextTeacher(config.encoder, [len(corpus.classes)], tokens=config.tokens, context=config.context).to(where)
    optimiser, schedule = _optimiser(model, config, steps=config.epochs * -(-len(rows) // config.batch))
    counts = torch.tensor(list(corpus.counts().values()))
    weight = losses.class_weights(counts, power=config.imbalance).to(where) if config.imbalance else None
    predictor = TeacherPredictor(model, config, corpus.classes)
    every = model.windows(corpus)
    samples, windows = [corpus.samples[i] for i in rows], [every[i] for i in rows]
    best = -1.0
    for epoch in range(config.epochs):
        model.train()
        sums = 0.0
        for chosen in batches(windows, config.batch, np.random.default_rng((config.seed, epoch))):
            loss = _loss(predictor, [samples[i] for i in chosen], [windows[i] for i in chosen], weight)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            sums += float(loss.detach()) * len(chosen)
        row = {"epoch": epoch + 1, "train_loss": sums / len(rows)}
        if dev is not None:
            p = predictor.predict(dev).labelled()
            row["dev_weighted_f1"] = score(p.labels, p.probabilities, corpus.classes).weighted_f1
        value = row.get("dev_weighted_f1", float(epoch))
        if value > best:
            best = value
            save_teacher(out, predictor)
        yield row


def _loss(
    teacher: TeacherPredictor, samples: Sequence[Sample], windows: Sequence[Window], weight: Tensor | None
) -> Tensor:
    logits = teacher.model.classify(windows)
    labels = torch.tensor([s.label for s in samples], device=logits.device)
    loss = losses.focal(logits, labels, gamma=teacher.config.focal_gamma, weight=weight)
    if not torch.isfinite(loss):
        raise WorkError(
            f"the loss is no number at: {', '.join(s.source or s.uid for s in samples)}",
            "look at these rows, or lower learning_rate",
        )
    return loss


def _optimiser(
    model: TextTeacher, config: TeacherConfig, *, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW, warmed up and then lowered linearly to nothing."""
    groups = [
        {"params": model.encoder.parameters(), "lr": config.learning_rate},
        {"params": model.heads.parameters(), "lr": 10 * config.learning_rate},
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
    teacher.model.encoder.save_pretrained(temporary / "encoder")
    teacher.model.tokenizer.save_pretrained(temporary / "encoder")
    save_weights(temporary / "head.safetensors", teacher.model.heads)
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
    model = TextTeacher(path / "encoder", [len(classes)], tokens=config.tokens, context=config.context)
    try:
        model.heads.load_state_dict(load_weights(path / "head.safetensors"))
    except RuntimeError as error:  # one of another version, too
        raise WorkError(
            f"{path / 'head.safetensors'}: not the head of this encoder", "train the teacher again"
        ) from error
    return TeacherPredictor(model.eval(), config, classes)


def load_encoder(name: str) -> tuple[Any, Any]:
    """(encoder, tokenizer) by transformers; weights from safetensors only, no code of the model's own.

    Raises:
        WorkError: neither a folder here nor a model that can be fetched.
    """
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        encoder = AutoModel.from_pretrained(name, trust_remote_code=False, use_safetensors=True)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise WorkError(f"encoder {name!r}: {first}", "give a model's name, or a folder with its files") from error
    if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
        raise WorkError(f"encoder {name!r} does not mark where a text begins and ends", "take one like BERT or RoBERTa")
    return encoder, tokenizer
