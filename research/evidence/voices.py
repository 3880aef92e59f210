"""What an audio network makes of other volumes, channels, noises and of a speaker it comes to know.

    python -m research.evidence.voices DATA OUT.json RUN:FOLD [RUN:FOLD …]

Each run is asked about the actors that its fold held out (research.recipes.audio); figures are means over the runs.
"Confident and emotional" is a probability above one half of anything but neutral and calm.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.evaluation.conditions import EVALUATION
from emoje_edge.metrics import score
from emoje_edge.modality import Modality
from emoje_edge.perception.features import audio_feature
from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.training.batching import Collator
from emoje_edge.training.checkpoint import Run, load_run
from emoje_edge.training.datasets import Corpus, Options, Sample, open_dataset
from emoje_edge.training.datasets.raw import read_samples
from emoje_edge.training.predict import Missing, TorchPredictor
from research.augmentation.backgrounds import noise_corpus
from research.augmentation.channels import hum, mu_law, resampled, sixteen_bits, telephone
from research.recipes.audio import PASTS, by_past, fold

Array = NDArray[np.float32]
CALM = ("neutral", "calm")
REAL = {"street": "openpose_video.avi", "stage": "face_recognition_short_hamilton.mp4"}
WINDOW, HOP = 2.5, 0.5  # s, of the real sounds
EACH = 30  # made noises of a kind
ORDERS = 3  # random orders of a speaker's clips


CHANNELS: dict[str, Callable[[Array], Array]] = {
    "16 kHz": lambda x: x,
    "-20 dB": lambda x: sixteen_bits(x, -20),
    "+20 dB where it is not clipped": lambda x: x * np.float32(min(10.0, 0.99 / max(float(np.abs(x).max()), 1e-9))),
    "8 kHz": lambda x: resampled(x, 8000),
    "11 kHz": lambda x: resampled(x, 11025),
    "mu-law": mu_law,
    "telephone": telephone,
    "hum and offset": hum,
}


def study(run: Run, held: Corpus, data: Path) -> dict[str, float]:
    """All figures of one run."""
    predictor = TorchPredictor(run.network, Collator(run.config))
    found = {f"past {n}": by_past(run, held, n) for n in PASTS}
    found |= channels(predictor, held)
    found |= noises(predictor, held, data / "video")
    return found | in_order(predictor, held)


def channels(predictor: TorchPredictor, held: Corpus) -> dict[str, float]:
    """Unweighted recall through each channel, and the share of labels that differ from those at 16 kHz."""
    sounds = [read_samples(Path(s.source)) for s in held.samples]
    found, first = {}, None
    for name, change in CHANNELS.items():
        samples = tuple(
            replace(s, features={Modality.AUDIO: feature})
            for s, x in zip(held.samples, sounds, strict=True)
            if (feature := audio_feature(change(x))) is not None
        )
        heard = predictor.predict(replace(held, samples=samples), Missing(context=False))
        found[name] = score(heard.labels, heard.probabilities, held.classes).uar
        said = heard.probabilities.argmax(1)
        first = said if first is None else first
        found[f"{name}: other labels"] = float(np.mean(said != first)) if len(said) == len(first) else 1.0
    return found


def noises(predictor: TorchPredictor, held: Corpus, video: Path) -> dict[str, float]:
    """How often a sound without speech is taken for an emotion, by kind and over all."""
    voices = [read_samples(Path(s.source)) for s in held.samples[::4]]
    corpus = noise_corpus(held.classes, each=EACH, seed=99, voices=voices, flavour=EVALUATION)
    parts = {
        k: [s.feature(Modality.AUDIO) for s in corpus.samples if s.group == k]
        for k in {s.group for s in corpus.samples}
    }
    for name, file in REAL.items():
        sound, width, hop = read_samples(video / file), round(WINDOW * SAMPLE_RATE), round(HOP * SAMPLE_RATE)
        cuts = [sound[i : i + width] for i in range(0, max(1, len(sound) - width + 1), hop)]
        parts[name] = [f for cut in cuts if (f := audio_feature(cut)) is not None]
    found = {}
    for name, features in sorted(parts.items()):
        samples = tuple(Sample(f"{name}-{i}", 0, features={Modality.AUDIO: f}) for i, f in enumerate(features))
        shares = predictor.predict(Corpus(name, held.classes, samples)).probabilities
        calm = np.isin(shares.argmax(1), [held.classes.index(c) for c in CALM if c in held.classes])
        found[f"no speech: {name}"] = float(np.mean((shares.max(1) > 0.5) & ~calm))
    return found | {"no speech: all": float(np.mean(list(found.values())))}


def in_order(predictor: TorchPredictor, held: Corpus) -> dict[str, float]:
    """Unweighted recall clip by clip, and with each speaker's clips as one dialogue in random orders."""
    alone = predictor.predict(held, Missing(context=False))
    found = {"clip by clip": score(alone.labels, alone.probabilities, held.classes).uar}
    rows = []
    for seed in range(ORDERS):
        order = np.random.default_rng(seed).permutation(len(held))
        seen: dict[str, int] = {}
        samples = []
        for i in order:
            s = held.samples[i]
            seen[s.speaker] = seen.get(s.speaker, -1) + 1
            samples.append(replace(s, dialogue=s.speaker, index=seen[s.speaker]))
        heard = predictor.predict(replace(held, samples=tuple(samples)))
        rows.append(score(heard.labels, heard.probabilities, held.classes).uar)
    return found | {"one dialogue a speaker": float(np.mean(rows))}


def main() -> None:
    """The command line above."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    corpus = open_dataset("ravdess", data / "ravdess", options=Options(cache=out.parent / "features"))
    rows = {}
    for given in sys.argv[3:]:
        folder, _, number = given.rpartition(":")
        rows[given] = study(load_run(Path(folder)), fold(corpus, int(number))[1], data)
        print(given, json.dumps(rows[given]), flush=True)
    mean = {name: round(float(np.mean([row[name] for row in rows.values()])), 4) for name in next(iter(rows.values()))}
    out.write_text(json.dumps({"runs": rows, "mean": mean}, indent=1))
    print(json.dumps(mean, indent=1))


if __name__ == "__main__":
    main()
