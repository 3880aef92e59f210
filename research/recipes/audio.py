"""Audio alone on RAVDESS: eight classes, five folds by actor.

    python -m research.recipes.audio DATA OUT [fold …] [--seed N]

Fold k holds out actors 4k + 1 to 4k + 4 (two women, two men); the last weights count, nothing is chosen on them.
Each clip is heard whole and as `infer` cuts it (`augmentation.stretches`).  Noises are trained on with a uniform
target, and each voice against a past of its speaker.
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

from emoje_edge.metrics import score
from emoje_edge.modality import Modality
from emoje_edge.model import LogMelEncoder, ModelConfig
from emoje_edge.perception.voice_activity import MARGIN as HEARD_AROUND
from emoje_edge.training.augment import NOISY, augment, before_background
from emoje_edge.training.batching import Collator, DialogueNetwork
from emoje_edge.training.checkpoint import Run
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.datasets.raw import read_samples
from emoje_edge.training.objective import Targets
from emoje_edge.training.predict import NOTHING_MISSING, batches
from emoje_edge.training.presets import RAVDESS
from emoje_edge.training.speaker_histories import SpeakerHistories
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import Materials, train
from research.augmentation.backgrounds import noise_corpus
from research.augmentation.stretches import as_found

FOLDS = 5
NOISES = 120  # of each kind
PASTS = (0, 3, 8, 20)  # clips of the speaker that were heard before
TRAINING = TrainConfig.from_dict({**RAVDESS.train, "threads": 1, "soft": 0.5, "soft_temperature": 1.0, "epochs": 20})
AGAIN = replace(TRAINING, epochs=25, learning_rate=2e-3)  # a warm restart from the first round's weights

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


def materials(voices: Corpus, babblers: Sequence[Array], *, seed: int, noises: int = NOISES) -> Materials:
    """Voices and noises; the noises' target is uniform.

    Args:
        babblers: sounds of the training's speakers, for the babble.
        noises: of each kind.
    """
    made = noise_corpus(voices.classes, each=noises, seed=seed, voices=babblers)
    corpus = Corpus.join([voices, made], "voices and noises")
    unlabelled = [s.uid for s in corpus.samples if s.label < 0]
    uniform = Targets(dict.fromkeys(unlabelled, 0), torch.zeros(1, len(voices.classes)))
    return Materials(corpus, transform=vary, targets=uniform, voices=SpeakerHistories())


def vary(modality: Modality, x: Array, g: np.random.Generator) -> Array:
    """A `Transform` for training: another voice in another room, through another channel, often before a background."""
    if modality is Modality.AUDIO and g.random() < NOISY:
        x = before_background(x, g)
    return augment(modality, x, g)


def as_heard(corpus: Corpus, options: Options) -> Corpus:
    """Each clip whole, then the stretch that voice activity finds, with nothing and with something around it."""
    found = [as_found(corpus, options, margin=0.0, name="found"), as_found(corpus, options, name="around")]
    return Corpus.join([corpus, *found], f"{corpus.name} as heard")


def babblers(corpus: Corpus) -> list[Array]:
    """Every fourth clip as it sounds."""
    return [read_samples(Path(s.source)) for s in corpus.samples[::4]]


def branch(
    training: Corpus,
    sounds: Sequence[Array],
    out: Path,
    rounds: Sequence[TrainConfig],
    *,
    noises: int = NOISES,
    quiet: bool = True,
) -> Run:
    """The audio branch in rounds, each from the weights of the one before; the last is `out`, the others lie beside it.

    Args:
        sounds: of the training's speakers, for the babble.
        noises: of each kind.
    """
    initial = None
    for number, config in enumerate(rounds, 1):
        folder = out if number == len(rounds) else out.with_name(f"{out.name}-{number}")
        given = replace(materials(training, sounds, seed=config.seed + 100 * number, noises=noises), initial=initial)
        resume = (folder / "config.json").exists()
        run = train(model(training.classes), config, given, folder, quiet=quiet, resume=resume)
        initial = run.network.state_dict()
    return run


def run_fold(root: Path, out: Path, number: int, rounds: Sequence[TrainConfig] = (TRAINING, AGAIN)) -> dict[str, float]:
    """Train one fold and return what it reaches on the actors held out."""
    options = Options(cache=out / "features")
    training, held = fold(open_dataset("ravdess", root / "ravdess", options=options), number)
    run = branch(as_heard(training, options), babblers(training), out / f"fold{number}", rounds)
    row = {"seed": rounds[0].seed, **by_pasts(run, held, options)}
    (run.path / "held_out.json").write_text(json.dumps(row))
    print(json.dumps(row), flush=True)
    return row


def by_pasts(run: Run, held: Corpus, options: Options) -> dict[str, float]:
    """`by_past` of whole clips, and of what `infer` hears of them."""
    parts = {"whole": held, "found": as_found(held, options, margin=HEARD_AROUND)}
    return {f"{name}, past {n}": by_past(run, part, n) for name, part in parts.items() for n in PASTS}


@torch.no_grad()
def by_past(run: Run, held: Corpus, count: int, *, seed: int = 0) -> float:
    """Unweighted recall where `count` other clips of each speaker, drawn at random, were heard before."""
    network, voices, g = run.network.eval(), SpeakerHistories(count), np.random.default_rng(seed)
    module, width = DialogueNetwork(network), network.config.width
    rounds = [replace(b, past=None) for b in batches(held, Collator(network.config), NOTHING_MISSING, 64)]
    for batch in rounds:
        first = replace(batch, voice=torch.zeros(len(batch.samples), width + 1))
        voices.remember(first, module(first).voice)
    found = [(b.labels, module(voices.with_history(b, width, count, g)).logits) for b in rounds]
    labels, logits = (torch.cat([pair[i] for pair in found]).numpy() for i in (0, 1))
    return round(score(labels, torch.from_numpy(logits).softmax(1).numpy(), network.config.classes).uar, 4)


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("folds", type=int, nargs="*", default=list(range(FOLDS)))
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    for number in given.folds:
        seed = number if given.seed is None else given.seed
        run_fold(given.data, given.out, number, tuple(replace(c, seed=seed) for c in (TRAINING, AGAIN)))


if __name__ == "__main__":
    main()
