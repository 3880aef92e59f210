"""Samples -> padded tensors.  Dialogues are packed so that the recurrent state can run over their utterances.

The N utterances of a batch lie step by step: first the first utterance of every dialogue, then the second of those
that have one, and so on, the longest dialogue first.  `Batch.steps` holds each step's size, so that step u belongs to
the first `steps[u]` dialogues.  An utterance without context is a dialogue of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from emoje_edge.errors import UsageError
from emoje_edge.modality import QUALITIES, Modality
from emoje_edge.model import AmEmoje, ModelConfig, NetworkOutput
from emoje_edge.model.config import LandmarkEncoder, LogMelEncoder, TextEncoder, VectorEncoder, WhisperEncoder
from emoje_edge.model.network import Inputs, input_shape
from emoje_edge.perception.quality import good, pose_quality
from emoje_edge.training.datasets.base import Corpus, Lazy, Sample

Tokenize = Callable[[str], Sequence[int]]
# (modality, features [time, ...], generator) -> features: augmentation, in training only
Transform = Callable[[Modality, np.ndarray, np.random.Generator], np.ndarray]
# (words, generator) -> words: the same line as it might have been written or heard, in training only
Reword = Callable[[str, np.random.Generator], str]
Dialogue = tuple[Sample, ...]


@dataclass(frozen=True)
class Batch:
    """N utterances of several dialogues.

    Attributes:
        samples: N, in the packed order.
        inputs: modality -> (features [N, ...], length [N]); modalities that nobody has are left out.
        quality: [N, M, 2], how good each modality is (`emoje_edge.perception.quality`); 0 where absent.
        present: [N, M] booleans.
        speaker: [N, 1], 1 another speaker than before, 0 the same, 0.5 unknown.
        labels: [N], -1 where there is none.
        steps: utterances in each step, falling.
        past: [N, N], 1 where column j is an earlier utterance of row i's dialogue and speaker; None without any.
        voice: [N, D + 1], what else is known of each speaker; None for nothing.
    """

    samples: tuple[Sample, ...]
    inputs: Inputs
    quality: Tensor
    present: Tensor
    speaker: Tensor
    labels: Tensor
    steps: tuple[int, ...]
    past: Tensor | None = None
    voice: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        inputs = {m: (x.to(device, non_blocking=True), n.to(device)) for m, (x, n) in self.inputs.items()}
        moved = {name: getattr(self, name).to(device) for name in ("quality", "present", "speaker", "labels")}
        moved |= {name: x.to(device) for name in ("past", "voice") if (x := getattr(self, name)) is not None}
        return replace(self, inputs=inputs, **moved)

    def masked(self, present: Tensor) -> Batch:
        """The batch with less: lengths become 0 where `present` [N, M] is false; a modality of nobody is left out."""
        inputs: Inputs = {}
        for i, m in enumerate(Modality):
            if m in self.inputs and present[:, i].any():
                x, length = self.inputs[m]
                inputs[m] = (x, length * present[:, i].to(length.dtype))
        if not inputs:  # nothing at all: the network still has to answer, from its prior
            m, (x, length) = next(iter(self.inputs.items()))
            inputs[m] = (x, torch.zeros_like(length))
        kept = self.present & present
        return replace(self, inputs=inputs, quality=self.quality * kept[..., None], present=kept)


class Collator:
    """Turns dialogues into a `Batch` for one model.

    Args:
        config: says what each modality's encoder takes.
        tokenize: words -> token ids; needed where the model has a text encoder.
        transform, reword: augmentation of features and of words, applied where a generator is given.
        trim: cut padding to the longest utterance of the batch (same result, less work); off for engines.
    """

    def __init__(
        self,
        config: ModelConfig,
        tokenize: Tokenize | None = None,
        *,
        transform: Transform | None = None,
        reword: Reword | None = None,
        trim: bool = True,
    ) -> None:
        self.config, self.tokenize, self.transform, self.trim = config, tokenize, transform, trim
        self.reword = reword
        self._ids: dict[str, np.ndarray] = {}

    def __call__(self, dialogues: Sequence[Dialogue], generator: np.random.Generator | None = None) -> Batch:
        order = sorted(dialogues, key=len, reverse=True)
        steps = tuple(sum(len(d) > u for d in order) for u in range(len(order[0])))
        packed = [(d, u) for u, active in enumerate(steps) for d in order[:active]]
        samples = tuple(d[u] for d, u in packed)
        inputs: Inputs = {}
        present = torch.zeros(len(samples), len(Modality), dtype=torch.bool)
        quality = torch.zeros(len(samples), len(Modality), QUALITIES)
        for i, m in enumerate(Modality):
            if not self.config.encoder(m):
                continue
            rows = [self.array(s, m, generator) for s in samples]
            if any(r is not None for r in rows):
                inputs[m] = self._pad(rows, m)
                present[:, i] = inputs[m][1] > 0
                for n in torch.nonzero(present[:, i]).flatten().tolist():
                    quality[n, i] = torch.from_numpy(self.quality(samples[n], m))
        if not inputs:  # utterances of nothing: the network answers from the dialogue and its prior
            m = self.config.mask.modalities[0]
            inputs[m] = self._pad([None] * len(samples), m)
        speaker = torch.tensor([[_turn(d, u)] for d, u in packed])
        labels = torch.tensor([s.label for s in samples])
        past = _past(packed) if Modality.AUDIO in inputs else None
        return Batch(samples, inputs, quality, present, speaker, labels, steps, past)

    def array(self, sample: Sample, m: Modality, generator: np.random.Generator | None = None) -> np.ndarray | None:
        """One modality of one utterance, cut to the encoder's capacity; None where it is not there.

        Raises:
            UsageError: the wrong shape, or words without a tokenizer; the message names the row.
        """
        encoder = self.config.encoder(m)
        shape = input_shape(self.config, m)
        if isinstance(encoder, TextEncoder):
            return self._tokens(sample, encoder, generator) if sample.text else None
        if m not in sample.features:
            return None
        x = sample.feature(m)
        if isinstance(encoder, VectorEncoder) and x.ndim == 1:
            x = x[None]
        if x.shape[1:] != shape[1:]:
            raise UsageError(
                f"{sample.source}: {m} features of shape {x.shape}", f"the model takes [time, {shape[1:]}] ({encoder})"
            )
        if generator is not None and self.transform is not None:
            x = self.transform(m, x, generator)
        return x[: shape[0]] if len(x) else None

    def quality(self, sample: Sample, m: Modality) -> np.ndarray:
        """[2], how good a modality of an utterance is: as is said, else as its landmarks show, else all good."""
        feature = sample.features.get(m)
        if m in sample.quality:
            return sample.quality[m]
        if isinstance(feature, Lazy) and feature.quality is not None:
            return feature.quality()
        return pose_quality(sample.feature(m)) if isinstance(self.config.encoder(m), LandmarkEncoder) else good()

    def _tokens(self, sample: Sample, encoder: TextEncoder, generator: np.random.Generator | None) -> np.ndarray:
        if self.tokenize is None:
            raise UsageError(f"{sample.source}: words, but no tokenizer", "give the tokenizer that the model goes with")
        text = sample.text or ""
        if generator is not None and self.reword is not None:
            text = self.reword(text, generator)
        if text not in self._ids:
            ids = np.asarray(self.tokenize(text), dtype=np.int64)[: encoder.tokens]
            if len(ids) and not 0 <= ids.min() <= ids.max() < encoder.vocabulary:
                raise UsageError(
                    f"{sample.source}: token id {ids.max()} for a vocabulary of {encoder.vocabulary}",
                    "tokenizer and model do not belong together",
                )
            self._ids[text] = ids
        return self._ids[text]

    def _pad(self, rows: list[np.ndarray | None], m: Modality) -> tuple[Tensor, Tensor]:
        encoder, shape = self.config.encoder(m), input_shape(self.config, m)
        lengths = [0 if r is None else len(r) for r in rows]
        size = shape[0]
        if self.trim and isinstance(encoder, TextEncoder | LogMelEncoder | WhisperEncoder | LandmarkEncoder):
            stride = getattr(encoder, "stride", 1)
            size = min(size, -(-max(lengths) // stride) * stride)
        dtype = np.int64 if isinstance(encoder, TextEncoder) else np.float32
        x = np.zeros((len(rows), max(size, 1), *shape[1:]), dtype=dtype)
        for i, row in enumerate(rows):
            if row is not None:
                x[i, : len(row)] = row
        return torch.from_numpy(x), torch.tensor(lengths, dtype=torch.int32)


def _turn(dialogue: Dialogue, u: int) -> float:
    """The speaker flag of utterance `u`."""
    if not u or not dialogue[u].speaker or not dialogue[u - 1].speaker:
        return 0.5
    return float(dialogue[u].speaker != dialogue[u - 1].speaker)


def _past(packed: Sequence[tuple[Dialogue, int]]) -> Tensor | None:
    """Which rows are earlier utterances of which rows' speakers."""
    rows: dict[tuple[int, str], list[int]] = {}
    past = torch.zeros(len(packed), len(packed))
    for i, (dialogue, u) in enumerate(packed):  # in the order of their steps
        speaker = dialogue[u].speaker
        if speaker:
            earlier = rows.setdefault((id(dialogue), speaker), [])
            past[i, earlier] = 1.0
            earlier.append(i)
    return past if past.any() else None


class DialogueNetwork(nn.Module):
    """The network over packed dialogues: utterances are encoded at once, the state runs step by step."""

    def __init__(self, network: AmEmoje) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> NetworkOutput:
        """All rows in the packed order; `state` is the one after each row, [N, S]."""
        network = self.network
        found = network.encode(batch.inputs, batch.quality, batch.voice, batch.past)
        state = network.initial_state(batch.steps[0]).to(found.own.dtype)
        logits, states, start = [], [], 0
        for active in batch.steps:
            rows = slice(start, start + active)
            speaker = batch.speaker[rows].to(found.own.dtype)
            step, state = network.decide(found.of(rows), speaker, state[:active])
            logits.append(step)
            states.append(state)
            start += active
        return network.output(torch.cat(logits), torch.cat(states), found)


def pieces(corpus: Corpus, *, context: bool, longest: int) -> list[Dialogue]:
    """Dialogues cut to at most `longest` utterances, or single utterances where there is no context."""
    size = longest if context else 1
    return [d[i : i + size] for d in corpus.dialogues() for i in range(0, len(d), size)]


def plan_epoch(dialogues: Sequence[Dialogue], *, utterances: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch's batches as indices into `dialogues`: a function of its arguments alone, so a resumed run repeats it.

    Dialogues of the same modalities share a batch, so that no branch runs on padding; a batch holds about
    `utterances` utterances.  Single utterances share one with others about as long: padding costs as much as words.
    """
    generator = np.random.default_rng((seed, epoch))
    kinds: dict[tuple[Modality, ...], list[int]] = {}
    for i in generator.permutation(len(dialogues)).tolist():
        present = {m for s in dialogues[i] for m in s.modalities}
        kinds.setdefault(tuple(m for m in Modality if m in present), []).append(i)
    batches = [
        b
        for kind in sorted(kinds)
        for b in _fill(_alike(kinds[kind], dialogues, 16 * utterances), dialogues, utterances)
    ]
    return [batches[i] for i in generator.permutation(len(batches))]


def _alike(order: list[int], dialogues: Sequence[Dialogue], window: int) -> list[int]:
    """The same order, but sorted by length of text within windows where dialogues are single utterances."""
    if any(len(dialogues[i]) > 1 for i in order):
        singles = [i for i in order if len(dialogues[i]) == 1]
        return [i for i in order if len(dialogues[i]) > 1] + (_alike(singles, dialogues, window) if singles else [])
    parts = [order[i : i + window] for i in range(0, len(order), window)]
    return [i for part in parts for i in sorted(part, key=lambda i: len(dialogues[i][0].text or ""))]


def _fill(order: list[int], dialogues: Sequence[Dialogue], utterances: int) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for i in order:
        if batch and size + len(dialogues[i]) > utterances:
            yield batch
            batch, size = [], 0
        batch.append(i)
        size += len(dialogues[i])
    if batch:
        yield batch


def check(corpus: Corpus, collator: Collator) -> None:
    """Read every feature once, so that a bad row is found before anything is written.

    Raises:
        UsageError: nothing in the corpus that the model takes, or a feature of the wrong shape.
        WorkError: a clip that is not there or unreadable, a feature that is not finite.
    """
    model = collator.config.mask
    brought = {m for s in corpus.samples for m in s.modalities}
    if not brought & set(model):
        raise UsageError(
            f"{corpus.name} brings {', '.join(sorted(brought)) or 'nothing'}, the model takes {model}",
            "take a corpus and a model that share a modality",
        )
    for sample in corpus.samples:
        for m in model:
            collator.array(sample, m, None)
