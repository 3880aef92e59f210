"""Voice and face action units of RAVDESS: eight classes, five folds by actor.

    python -m research.recipes.audio DATA AUDIO
    python -m research.recipes.pair DATA AUDIO OUT [seed …]

The voice is described by the audio network of the fold, which has never heard the actors held out.  It knows the
training clips by heart (.996 of them), so the pair is trained with noise on that description: without, it believes
the voice too much (.678 ± .004 instead of .753 ± .002).  The last weights count.  Faces are no part of the product.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from emoje_edge.metrics import score
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import ModelConfig, VectorEncoder
from emoje_edge.training.batching import Collator
from emoje_edge.training.checkpoint import Run, load_run
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.predict import Missing, TorchPredictor
from emoje_edge.training.trainer import Materials, train
from research.recipes import audio as audio_recipe

NOISE = 4.0  # deviations, on the description of the voice
MASKS = tuple(Mask.parse(name) for name in ("audio", "pose", "audio,pose"))
TRAINING = replace(
    audio_recipe.TRAINING,
    soft=0.0,
    epochs=30,
    batch_utterances=160,
    weight_decay=0.05,
    clip=1.0,
    warmup=0.05,
    precision="float32",
)


def model(voice: int, units: int, classes: tuple[str, ...]) -> ModelConfig:
    """One vector a modality: `voice` and `units` are their sizes."""
    return ModelConfig(
        text=None,
        audio=VectorEncoder(features=voice, width=128, noise=NOISE),
        pose=VectorEncoder(features=units, width=128),
        classes=classes,
        width=64,
        cross_layers=0,
        state_width=0,
        joint_width=32,
        dropout=0.3,
    )


def described(corpus: Corpus, run: Run) -> Corpus:
    """The corpus with the run's descriptor of each utterance [1, D] as its audio."""
    found = TorchPredictor(run.network, Collator(run.config)).predict(corpus, Missing(context=False))
    assert found.fused is not None
    return with_voice(corpus, found.fused)


def with_voice(corpus: Corpus, voice: np.ndarray) -> Corpus:
    """The corpus with `voice` [utterances, D] as its audio."""
    pairs = zip(corpus.samples, voice, strict=True)
    samples = tuple(replace(s, features={**s.features, Modality.AUDIO: v[None]}) for s, v in pairs)
    return replace(corpus, samples=samples)


def folds(root: Path, audio: Path) -> Iterator[tuple[Corpus, Corpus]]:
    """(training, held out) of each fold, described by the runs in `audio`."""
    corpus = open_dataset("ravdess-au", root / "ravdess", options=Options(cache=audio / "features"))
    for number in range(audio_recipe.FOLDS):
        yield audio_recipe.fold(described(corpus, load_run(audio / f"fold{number}")), number)


def run_fold(training: Corpus, held: Corpus, out: Path, seed: int) -> dict[str, float]:
    """Train one fold; mask -> unweighted recall on the actors held out."""
    first = training.samples[0]
    voice, units = (int(first.feature(m).shape[-1]) for m in (Modality.AUDIO, Modality.POSE))
    network = model(voice, units, training.classes)
    shutil.rmtree(out, ignore_errors=True)
    run = train(network, replace(TRAINING, seed=seed), Materials(training), out, quiet=True)
    predictor, scores = TorchPredictor(run.network, Collator(network)), {}
    for mask in MASKS:
        found = predictor.predict(held, Missing(mask=mask, context=False))
        scores[str(mask)] = score(found.labels, found.probabilities, training.classes).uar
    return scores


if __name__ == "__main__":
    root, audio, out = map(Path, sys.argv[1:4])
    parts = list(folds(root, audio))
    for chosen in sys.argv[4:] or ("0", "1", "2"):
        rows = [run_fold(*part, out / f"seed{chosen}-fold{i}", int(chosen)) for i, part in enumerate(parts)]
        row = {str(mask): [round(r[str(mask)], 3) for r in rows] for mask in MASKS}
        means = {name: round(float(np.mean(values)), 4) for name, values in row.items()}
        print(json.dumps({"seed": int(chosen), "mean": means, "folds": row}), flush=True)
