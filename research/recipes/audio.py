"""Audio alone on RAVDESS: eight classes, five folds by actor.

    python -m research.recipes.audio DATA OUT [fold …]

Fold k holds out actors 4k + 1 to 4k + 4 (two women, two men); the last weights count, nothing is chosen on them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from emoje_edge.model import LogMelEncoder, ModelConfig
from emoje_edge.training.augment import augment
from emoje_edge.training.batching import Collator
from emoje_edge.training.config import TrainConfig
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.metrics import score
from emoje_edge.training.predict import TorchPredictor
from emoje_edge.training.presets import RAVDESS
from emoje_edge.training.trainer import Materials, train

FOLDS = 5
TRAINING = TrainConfig.from_dict({**RAVDESS.train, "threads": 1})


def model(classes: tuple[str, ...], *, dropout: float = 0.2) -> ModelConfig:
    """The audio branch of the default as a network of its own: what is trained here fits in there."""
    return ModelConfig(
        text=None, pose=None, audio=LogMelEncoder(), classes=classes, cross_layers=0, state_width=0, dropout=dropout
    )


def fold(corpus: Corpus, number: int) -> tuple[Corpus, Corpus]:
    """(train, held out) of one fold."""
    held = {f"actor{actor:02d}" for actor in range(4 * number + 1, 4 * number + 5)}
    return corpus.keep(lambda s: s.group not in held), corpus.keep(lambda s: s.group in held)


def run_fold(root: Path, out: Path, number: int, config: TrainConfig = TRAINING) -> float:
    """Train one fold and return the unweighted recall on the actors held out."""
    corpus = open_dataset("ravdess", root / "ravdess", options=Options(cache=out / "features"))
    training, held = fold(corpus, number)
    network = model(corpus.classes)
    folder = out / f"fold{number}"
    config = replace(config, seed=number)
    run = train(network, config, Materials(training, transform=augment), folder, quiet=True)
    found = TorchPredictor(run.network, Collator(network)).predict(held)
    scores = score(found.labels, found.probabilities, corpus.classes)
    row = {"fold": number, "uar": scores.uar, "weighted_f1": scores.weighted_f1, "accuracy": scores.accuracy}
    (folder / "held_out.json").write_text(json.dumps(row))
    print(row, flush=True)
    return scores.uar


if __name__ == "__main__":
    for chosen in sys.argv[3:] or range(FOLDS):
        run_fold(Path(sys.argv[1]), Path(sys.argv[2]), int(chosen))
