"""Predictions over a corpus: one protocol, whether a checkpoint or a folder of engines answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from emoje_edge.modality import Mask
from emoje_edge.model import AmEmoje
from emoje_edge.training.batching import Batch, Collator, Dialogue, DialogueNetwork, pieces
from emoje_edge.training.datasets.base import Corpus, Sample
from emoje_edge.training.masking import drop_at_rate, restrict

# Evaluation never cuts a dialogue: the state has to see all of it.
WHOLE = 1_000_000


@dataclass(frozen=True)
class Missing:
    """What is taken away before predicting.

    Args:
        mask: the modalities that may be used; None for all that the model takes.
        rate: share of the remaining modalities dropped at random (0 to 1), by `seed`.
        context: run the dialogue state; else each utterance stands alone.
    """

    mask: Mask | None = None
    rate: float = 0.0
    seed: int = 0
    context: bool = True

    def apply(self, batch: Batch, number: int) -> Batch:
        """The batch with what is missing taken away; `number` is the batch's place in the corpus."""
        present = batch.present
        if self.mask is not None:
            present = restrict(present, self.mask)
        if self.rate:
            present = drop_at_rate(present, self.rate, seed=self.seed * 1_000_003 + number)
        return batch if torch.equal(present, batch.present) else batch.masked(present)


NOTHING_MISSING = Missing()


@dataclass(frozen=True, eq=False)
class Predictions:
    """Rows in the corpus' order.

    Attributes:
        samples: N utterances.
        labels: [N], -1 where there is none.
        logits, probabilities: [N, C].
        weights: [N, M], the share of each modality.
        fused: [N, D] descriptors, where the predictor has them.
    """

    samples: tuple[Sample, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    weights: np.ndarray
    logits: np.ndarray
    fused: np.ndarray | None = None

    def labelled(self) -> Predictions:
        rows = np.flatnonzero(self.labels >= 0)
        return Predictions(
            tuple(self.samples[i] for i in rows),
            self.labels[rows],
            self.probabilities[rows],
            self.weights[rows],
            self.logits[rows],
            None if self.fused is None else self.fused[rows],
        )


class Predictor(Protocol):
    """Anything that can be evaluated."""

    classes: tuple[str, ...]
    mask: Mask
    collator: Collator

    def predict(self, corpus: Corpus, missing: Missing = NOTHING_MISSING) -> Predictions:
        """Predict every utterance of the corpus, dialogue by dialogue."""


class TorchPredictor:
    """A network in this process."""

    def __init__(self, network: AmEmoje, collator: Collator, *, batch_utterances: int = 64) -> None:
        self.network, self.collator, self.size = network, collator, batch_utterances
        self.classes, self.mask = network.config.classes, network.config.mask

    @torch.no_grad()
    def predict(self, corpus: Corpus, missing: Missing = NOTHING_MISSING) -> Predictions:
        module = DialogueNetwork(self.network)
        training, device = self.network.training, self.network.device
        self.network.eval()
        rows: list[tuple[Sample, np.ndarray, np.ndarray, np.ndarray]] = []
        for number, batch in enumerate(batches(corpus, self.collator, missing, self.size)):
            out = module(missing.apply(batch, number).to(device))
            parts = (_numpy(out.logits), _numpy(out.weights), _numpy(out.fused))
            rows.extend(zip(batch.samples, *parts, strict=True))
        self.network.train(training)
        return in_order(corpus, rows)


def batches(corpus: Corpus, collator: Collator, missing: Missing, size: int) -> Iterator[Batch]:
    """Batches of whole dialogues, in the corpus' order, about `size` utterances each."""
    group: list[Dialogue] = []
    count = 0
    for dialogue in pieces(corpus, context=missing.context, longest=WHOLE):
        if group and count + len(dialogue) > size:
            yield collator(group)
            group, count = [], 0
        group.append(dialogue)
        count += len(dialogue)
    if group:
        yield collator(group)


def in_order(corpus: Corpus, rows: Sequence[tuple[Sample, np.ndarray, np.ndarray, np.ndarray | None]]) -> Predictions:
    """Rows (sample, logits, weights, fused) put back into the corpus' order."""
    place = {id(s): i for i, s in enumerate(corpus.samples)}
    rows = sorted(rows, key=lambda r: place[id(r[0])])
    logits = np.stack([r[1] for r in rows])
    e = np.exp(logits - logits.max(1, keepdims=True))
    return Predictions(
        samples=corpus.samples,
        labels=corpus.labels(),
        probabilities=e / e.sum(1, keepdims=True),
        weights=np.stack([r[2] for r in rows]),
        logits=logits,
        fused=None if rows[0][3] is None else np.stack([r[3] for r in rows if r[3] is not None]),
    )


def _numpy(x: Tensor) -> np.ndarray:
    return x.float().cpu().numpy()
