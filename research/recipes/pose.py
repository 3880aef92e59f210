"""Pose alone: the branch of the default on Bandai-Namco's motions, and what the motion corpora's presets reach.

    python -m research.recipes.pose styles|emotions|kinect DATA OUT [group …] [--seed N]

Each group (content, block of recordings) is held out in turn, or those named, together; the last weights count, nothing
is chosen on it.  `styles` and `kinect` are what `emoje-edge train --dataset bandai|kinect` trains, `emotions` is the
branch of the default.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from emoje_edge.emotion import EMOTIONS
from emoje_edge.metrics import score
from emoje_edge.model import LandmarkEncoder, ModelConfig
from emoje_edge.shipped import TOKENIZER
from emoje_edge.training.batching import Collator
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.labels import to_emotions
from emoje_edge.training.plan import fit_model
from emoje_edge.training.predict import Predictor, TorchPredictor
from emoje_edge.training.presets import BANDAI, KINECT
from emoje_edge.training.train_config import TrainConfig
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


def run_fold(task: str, root: Path, out: Path, held: Sequence[str], seed: int = 0) -> dict[str, object]:
    """Train without some groups; how the network does on them, as each of `seen` shows them."""
    views = seen(task, root)
    training = next(iter(views.values())).keep(lambda s: s.group not in held)
    network, config, given = _preset(training) if task == "kinect" else _branch(training)
    run = train(network, replace(config, seed=seed), given, out, quiet=True)
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    predictor = TorchPredictor(run.network, Collator(network))
    row: dict[str, object] = {"held_out": list(held), "seed": seed}
    row |= {name: _scores(predictor, corpus.keep(lambda s: s.group in held)) for name, corpus in views.items()}
    (out / "held_out.json").write_text(json.dumps(row))
    print(json.dumps(row), flush=True)
    return row


def seen(task: str, root: Path) -> dict[str, Corpus]:
    """The corpus as it is trained on, first, and the other ways in which it is scored."""
    if task == "kinect":
        return {"angles": open_dataset("kinect", root / "pose")}
    cameras, front = (open_dataset("bandai", root / "pose", options=Options(views=n)) for n in (VIEWS, 0))
    if task == "emotions":
        cameras, front = motions(root), motions(root, views=0)
    anywhere = cameras.keep(lambda s: int(s.dialogue.rpartition("/")[2]) % 3 == 2)
    return {"cameras": cameras, "anywhere": anywhere, "front": front}


def _branch(training: Corpus) -> tuple[ModelConfig, TrainConfig, Materials]:
    return model(training.classes), TRAINING, materials(training)


def _preset(training: Corpus) -> tuple[ModelConfig, TrainConfig, Materials]:
    network = fit_model([training], dict(KINECT.model), tokenizer=TOKENIZER)
    return network, TrainConfig.from_dict({**KINECT.train, "threads": 1}), Materials(training)


def _scores(predictor: Predictor, corpus: Corpus) -> dict[str, object]:
    found = predictor.predict(corpus)
    scores = score(found.labels, found.probabilities, corpus.classes)
    right = found.probabilities.argmax(1) == found.labels
    return {"right": int(right.sum()), "of": len(right), "accuracy": scores.accuracy, "uar": scores.uar}


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("styles", "emotions", "kinect"))
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("groups", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    groups = sorted({s.group for s in next(iter(seen(given.task, given.data).values())).samples})
    for held in [given.groups] if given.groups else [[group] for group in groups]:
        run_fold(given.task, given.data, given.out / "-".join(held), held, given.seed)


if __name__ == "__main__":
    main()
