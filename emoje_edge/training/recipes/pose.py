"""Pose alone on Bandai-Namco's motions: the branch of the default, and five styles with contents held out.

    python -m emoje_edge.training.recipes.pose styles|emotions DATA OUT [content …]

Each content is held out in turn (or those named, together); the last weights count, nothing is chosen on it.
`styles` is what `emoje-edge train --dataset bandai` trains, `emotions` the branch of the default.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from emoje_edge.emotion import EMOTIONS
from emoje_edge.model import LandmarkEncoder, ModelConfig
from emoje_edge.training.batching import Collator
from emoje_edge.training.config import TrainConfig
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.labels import to_emotions
from emoje_edge.training.metrics import score
from emoje_edge.training.predict import Predictor, TorchPredictor
from emoje_edge.training.presets import BANDAI
from emoje_edge.training.trainer import Materials, train

VIEWS = 24  # cameras a motion
ENCODER = LandmarkEncoder(width=96)
TRAINING = TrainConfig.from_dict({**BANDAI.train, "threads": 1})


def model(classes: tuple[str, ...] = EMOTIONS, *, dropout: float = 0.3) -> ModelConfig:
    """The pose branch of the default as a network of its own: what is trained here fits in there."""
    return ModelConfig(
        text=None, audio=None, pose=ENCODER, classes=classes, cross_layers=0, state_width=0, dropout=dropout
    )


def motions(root: Path, *, views: int = VIEWS) -> Corpus:
    """Bandai's labelled motions under the seven emotions; no views for the plain front."""
    corpus = to_emotions(open_dataset("bandai", root / "pose", options=Options(views=views)))
    return corpus.keep(lambda s: s.label >= 0)


def materials(training: Corpus) -> Materials:
    """Views and their blends, mirrored and cut anew every epoch."""
    assert BANDAI.enlarge is not None
    return Materials(BANDAI.enlarge(training), transform=BANDAI.transform)


def run_fold(root: Path, out: Path, held: Sequence[str], *, styles: bool, seed: int = 0) -> dict[str, object]:
    """Train without some contents; how the network does on them, seen from the front and by cameras anywhere."""
    seen = {}
    for name, views in (("cameras", VIEWS), ("front", 0)):
        corpus = open_dataset("bandai", root / "pose", options=Options(views=views)) if styles else None
        seen[name] = corpus or motions(root, views=views)
    training = seen["cameras"].keep(lambda s: s.group not in held)
    network = model(training.classes)
    run = train(network, replace(TRAINING, seed=seed), materials(training), out, quiet=True)
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    row: dict[str, object] = {"held_out": list(held), "seed": seed}
    predictor = TorchPredictor(run.network, Collator(network))
    row |= {name: _scores(predictor, corpus.keep(lambda s: s.group in held)) for name, corpus in seen.items()}
    (out / "held_out.json").write_text(json.dumps(row))
    print(json.dumps(row), flush=True)
    return row


def _scores(predictor: Predictor, corpus: Corpus) -> dict[str, object]:
    found = predictor.predict(corpus)
    scores = score(found.labels, found.probabilities, corpus.classes)
    right = found.probabilities.argmax(1) == found.labels
    return {"right": int(right.sum()), "of": len(right), "accuracy": scores.accuracy, "uar": scores.uar}


def _all(kind: str, root: Path, out: Path, named: Sequence[str]) -> None:
    contents = sorted({s.group for s in motions(root, views=0).samples})
    for held in [list(named)] if named else [[content] for content in contents]:
        run_fold(root, out / "-".join(held), held, styles=kind == "styles")


if __name__ == "__main__":
    _all(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
