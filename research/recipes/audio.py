"""Audio alone on RAVDESS: eight classes, five folds by actor.

    python -m research.recipes.audio DATA OUT [fold …] [--seed N] [--epochs N]

Fold k holds out actors 4k + 1 to 4k + 4 (two women, two men); the last weights count, nothing is chosen on them.
Noises (training/noises.py) are trained on with a uniform target, and each voice against a past of its speaker.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emoje_edge.modality import Modality
from emoje_edge.model import LogMelEncoder, ModelConfig
from emoje_edge.training.augment import NOISY, augment, before_background
from emoje_edge.training.batching import Collator, DialogueNetwork
from emoje_edge.training.checkpoint import Run
from emoje_edge.training.config import TrainConfig
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.datasets.raw import read_samples
from emoje_edge.training.metrics import score
from emoje_edge.training.noises import noise_corpus
from emoje_edge.training.objective import Targets
from emoje_edge.training.predict import NOTHING_MISSING, batches
from emoje_edge.training.presets import RAVDESS
from emoje_edge.training.trainer import Materials, train
from emoje_edge.training.voices import Voices

FOLDS = 5
NOISES = 60  # of each kind
PASTS = (0, 3, 8, 20)  # clips of the speaker that were heard before
TRAINING = TrainConfig.from_dict({**RAVDESS.train, "threads": 1, "soft": 0.5, "soft_temperature": 1.0})

Array = NDArray[np.float32]


def model(classes: tuple[str, ...], *, dropout: float = 0.2) -> ModelConfig:
    """The audio branch of the default as a network of its own: what is trained here fits in there."""
    return ModelConfig(
        text=None, pose=None, audio=LogMelEncoder(), classes=classes, cross_layers=0, state_width=0, dropout=dropout
    )


def fold(corpus: Corpus, number: int) -> tuple[Corpus, Corpus]:
    """(train, held out) of one fold."""
    held = {f"actor{actor:02d}" for actor in range(4 * number + 1, 4 * number + 5)}
    return corpus.keep(lambda s: s.group not in held), corpus.keep(lambda s: s.group in held)


def materials(voices: Corpus, babblers: Sequence[Array], *, seed: int) -> Materials:
    """Voices and noises; the noises' target is uniform.

    Args:
        babblers: sounds of the training's speakers, for the babble.
    """
    noises = noise_corpus(voices.classes, each=NOISES, seed=seed, voices=babblers)
    corpus = Corpus.join([voices, noises], "voices and noises")
    unlabelled = [s.uid for s in corpus.samples if s.label < 0]
    uniform = Targets(dict.fromkeys(unlabelled, 0), torch.zeros(1, len(voices.classes)))
    return Materials(corpus, transform=vary, targets=uniform, voices=Voices())


def vary(modality: Modality, x: Array, g: np.random.Generator) -> Array:
    """A `Transform` for training: another voice in another room, through another channel, often before a background."""
    if modality is Modality.AUDIO and g.random() < NOISY:
        x = before_background(x, g)
    return augment(modality, x, g)


def babblers(corpus: Corpus) -> list[Array]:
    """Every fourth clip as it sounds."""
    return [read_samples(Path(s.source)) for s in corpus.samples[::4]]


def run_fold(root: Path, out: Path, number: int, config: TrainConfig = TRAINING) -> dict[str, float]:
    """Train one fold and return what it reaches on the actors held out."""
    corpus = open_dataset("ravdess", root / "ravdess", options=Options(cache=out / "features"))
    training, held = fold(corpus, number)
    return run_parts(training, held, babblers(training), out / f"fold{number}", config)


def run_parts(
    training: Corpus, held: Corpus, sounds: Sequence[Array], out: Path, config: TrainConfig
) -> dict[str, float]:
    """Train on one part; unweighted recall on the other by how many clips of the speaker were heard before."""
    given = materials(training, sounds, seed=config.seed)
    run = train(model(training.classes), config, given, out, quiet=True, resume=(out / "config.json").exists())
    row = {"seed": config.seed, **{f"past {n}": by_past(run, held, n) for n in PASTS}}
    (out / "held_out.json").write_text(json.dumps(row))
    print(json.dumps(row), flush=True)
    return row


@torch.no_grad()
def by_past(run: Run, held: Corpus, count: int, *, seed: int = 0) -> float:
    """Unweighted recall where `count` other clips of each speaker, drawn at random, were heard before."""
    network, voices, g = run.network.eval(), Voices(count), np.random.default_rng(seed)
    module, width = DialogueNetwork(network), network.config.width
    rounds = [replace(b, past=None) for b in batches(held, Collator(network.config), NOTHING_MISSING, 64)]
    for batch in rounds:
        first = replace(batch, voice=torch.zeros(len(batch.samples), width + 1))
        voices.take(first, module(first).voice)
    found = [(b.labels, module(voices.drawn(b, width, count, g)).logits) for b in rounds]
    labels, logits = (torch.cat([pair[i] for pair in found]).numpy() for i in (0, 1))
    return round(score(labels, torch.from_numpy(logits).softmax(1).numpy(), network.config.classes).uar, 4)


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("folds", type=int, nargs="*", default=list(range(FOLDS)))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--epochs", type=int, default=TRAINING.epochs)
    given = parser.parse_args()
    for number in given.folds:
        config = replace(TRAINING, epochs=given.epochs, seed=number if given.seed is None else given.seed)
        run_fold(given.data, given.out, number, config)


if __name__ == "__main__":
    main()
