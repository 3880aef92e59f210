"""What the engines make of voices through other volumes and channels, as a program hands sounds over.

    python -m research.evidence.heard DATA [MODEL]

Each clip of RAVDESS' actors 17 to 20 goes through `Recognizer.recognize(audio=…)` with the engine of sound alone, a
speaker that nobody has heard before every time: INT8, seven emotions.  Prints unweighted recall, and the share of
labels that differ from those of the clip as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from emoje_edge.emotion import EMOTIONS
from emoje_edge.metrics import score
from emoje_edge.recognizer import Recognizer
from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.shipped import DEFAULT, engines_of
from emoje_edge.training.datasets import open_dataset
from emoje_edge.training.datasets.raw import read_samples
from emoje_edge.training.labels import to_emotions
from research.evidence.voices import CHANNELS
from research.recipes import audio as audio_recipe
from research.recipes.material import FOLD


def main(root: Path, model: str = DEFAULT, *, every: int = 1) -> None:
    """`every`: one clip of so many is asked."""
    held = to_emotions(audio_recipe.fold(open_dataset("ravdess", root / "ravdess"), FOLD)[1])
    clips, labels = [read_samples(Path(s.source)) for s in held.samples[::every]], held.labels()[::every]
    print(f"| {model} | unweighted recall | other labels |\n|---|---|---|")
    whole = None
    with Recognizer("audio", engine_dir=engines_of(model), threads=1) as recognizer:
        for name, through in CHANNELS.items():
            events = [recognizer.recognize(audio=(through(clip), SAMPLE_RATE)) for clip in clips]
            found = np.array([[e.probabilities[c] if e.probabilities else 0.0 for c in EMOTIONS] for e in events])
            said = found.argmax(1)
            whole = said if whole is None else whole
            print(f"| {name} | {score(labels, found, EMOTIONS).uar:.3f} | {np.mean(said != whole):.1%} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
