"""Small's words learn to say what medium's say: line by line, descriptor by descriptor.

    python -m research.recipes.feature_distillation DATA TEACHER START OUT

TEACHER is a run with medium's words, START one with small's (`recipes.minilm small`).  Both read lines into the same
128 values before dialogue and head, so the teacher's dialogue and head are taken over as they are, and one layer learns
to come to the descriptors to which six come (hints, after Romero et al., FitNets, arXiv 1412.6550).  No line needs a
label, so all that is text can be read: MELD, comments, scenes and transcripts, in other words every time
(`augmentation.rewording`).  Made sentences are answered by their rule: a teacher that believes three denials in ten
is no guide to them.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje
from emoje_edge.training.average import moving_average
from emoje_edge.training.batching import Reword, Tokenize
from emoje_edge.training.checkpoint import FORMAT, Run, load_run, save_weights, write_json
from emoje_edge.training.datasets import open_dataset
from emoje_edge.training.tokens import tokenizer_of
from research.augmentation.rewording import as_spoken
from research.recipes import minilm
from research.recipes.plain import sentences

LONGEST = 140  # letters of a comment
ENCODER = "encoders.text."


@dataclass(frozen=True)
class Settings:
    """Of the optimisation.

    Attributes:
        plain: made sentences an epoch; among them are the denials.
        logits: weight of the head's answer beside the descriptor's distance.
        rule: weight of the answer of a made sentence, which its rule gives.
    """

    epochs: int = 8
    learning_rate: float = 1e-3
    plain: int = 6000
    batch: int = 96
    logits: float = 0.3
    rule: float = 1.0
    temperature: float = 1.5
    average: float = 0.999
    seed: int = 0


SHIPPED = Settings()


def lines(root: Path) -> list[str]:
    """What is read in every epoch, MELD twice."""
    meld, emory, said, comments = (
        [s.text for s in open_dataset(name, root / name).split("train").samples if s.text]
        for name in ("meld", "emorynlp", "mosi", "goemotions")
    )
    return [*meld, *meld, *emory, *said, *(text for text in comments if len(text) <= LONGEST)]


def words_alone(run: Run, size: str) -> AmEmoje:
    """The words' branch of a run, with all that reads it, as a network of its own."""
    network = AmEmoje(minilm.model(size))
    given = run.network.state_dict()
    network.load_state_dict({name: given[name] for name in network.state_dict()})
    return network


def descriptor(network: AmEmoje, ids: Tensor, length: Tensor) -> Tensor:
    """What dialogue and head read of lines, [B, D]."""
    found = network.fuse({Modality.TEXT: network.encoders["text"](ids, length)})
    return network.fusion.norm_out(found.own[:, list(Modality).index(Modality.TEXT)])


def batches(ids: Sequence[Sequence[int]], size: int, g: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Lines of about the same length together, in random order: which they are [B], ids [B, L], length [B]."""
    length = np.array([len(line) for line in ids])
    there = np.flatnonzero(length)
    order = there[np.argsort(length[there] + g.uniform(0, 3, len(there)))]
    for first in g.permutation(np.arange(0, len(order), size)):
        rows = order[first : first + size]
        padded = nn.utils.rnn.pad_sequence([torch.as_tensor(ids[i]) for i in rows], batch_first=True)
        yield torch.from_numpy(rows), padded, torch.from_numpy(length[rows]).int()


def learn(
    teacher: AmEmoje, student: AmEmoje, given: Sequence[str], tokenize: Tokenize, vary: Reword, settings: Settings
) -> AmEmoje:
    """Train the encoder; returns the averaged student, in eval mode."""
    s, g = settings, np.random.default_rng(settings.seed)
    torch.manual_seed(s.seed)
    for name, parameter in student.named_parameters():
        parameter.requires_grad_(name.startswith(ENCODER))
    free = [p for p in student.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(free, lr=s.learning_rate, weight_decay=0.01)
    total = s.epochs * -(-(len(given) + s.plain) // s.batch)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, s.learning_rate, total_steps=total + 1, pct_start=0.05)
    average = moving_average(student, s.average)
    teacher.eval()
    student.train()
    for epoch in range(s.epochs):
        made, rules = sentences(s.plain, seed=100 + epoch)
        texts = [vary(text, g) for text in (*given, *(x.text or "" for x in made.samples))]
        for rows, ids, length in batches([tokenize(text) for text in texts], s.batch, g):
            ruled = rows >= len(given)
            answers = rules.logits[rows[ruled] - len(given)]
            loss = _distance(teacher, student, ids, length, ruled, answers, s)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(free, 1.0)
            optimiser.step()
            rate.step()
            average.update_parameters(student)
        print(f"epoch {epoch + 1} of {s.epochs}, loss {float(loss.detach()):.4f}", flush=True)
    kept: AmEmoje = average.module  # type: ignore[assignment]
    return kept.eval()


def _distance(
    teacher: AmEmoje, student: AmEmoje, ids: Tensor, length: Tensor, ruled: Tensor, answers: Tensor, s: Settings
) -> Tensor:
    """How far the student is from its teacher; where `ruled` [B], from the `answers` [R, C] of the rules."""
    with torch.autocast("cpu", torch.bfloat16):
        with torch.no_grad():
            wanted = descriptor(teacher, ids, length)
            answer = teacher.head(wanted)
        found = descriptor(student, ids, length)
        own = student.head(found)
    learnt = ~ruled
    shares, theirs = (x[learnt].float() / s.temperature for x in (own, answer))
    apart = (found.float() - wanted.float()).square().mean(1)[learnt].sum() + s.logits * _divergence(shares, theirs)
    return (apart + s.rule * _divergence(own[ruled].float(), answers)) / len(ids)


def _divergence(found: Tensor, wanted: Tensor) -> Tensor:
    return F.kl_div(found.log_softmax(1), wanted.softmax(1), reduction="sum")


def distill_features(root: Path, teacher: Run, start: Run, out: Path, *, quick: bool = False) -> Run:
    """The words' branch of small, as a run of its own; `quick`: a few lines, to see that it runs."""
    knows, network = words_alone(teacher, "medium"), words_alone(start, "small")
    own = {name: x for name, x in network.state_dict().items() if name.startswith(ENCODER)}
    read = {name: x for name, x in knows.state_dict().items() if not name.startswith(ENCODER)}
    network.load_state_dict(read | own)
    tokenize = tokenizer_of(network.config, start.tokenizer)
    assert tokenize is not None
    given = lines(root)
    vary = as_spoken(s.text for s in open_dataset("meld", root / "meld", split="train").samples if s.text)
    settings = Settings(epochs=1, plain=20) if quick else SHIPPED
    network = learn(knows, network, given[:200] if quick else given, tokenize, vary, settings)
    out.mkdir(parents=True, exist_ok=True)
    assert start.tokenizer is not None
    shutil.copyfile(start.tokenizer, out / "tokenizer.json")
    save_weights(out / "model.safetensors", network)
    meta = {"format": FORMAT, "model": network.config.to_dict(), "distillation": asdict(settings), "corpora": {}}
    write_json(out / "config.json", meta)
    return load_run(out)


def main(root: Path, teacher: Path, start: Path, out: Path) -> None:
    torch.set_num_threads(1)
    distill_features(root, load_run(teacher), load_run(start), out)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
