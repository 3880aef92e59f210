"""RAVDESS (Livingstone and Russo, 2018): 24 actors say two sentences in eight emotions; CC BY-NC-SA 4.0.

File names: modality-channel-emotion-intensity-statement-repetition-actor.  The sentences are fixed, so there is no
text.  `ravdess-au` pairs each clip with 35 values of face action units (`face_action_units*.npz`) in the pose slot: the
product uses no faces, but the pair tests fusion on real data.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets.base import Corpus, Feature, Sample
from emoje_edge.training.datasets.feature_files import open_arrays
from emoje_edge.training.datasets.find_files import find_files
from emoje_edge.training.datasets.options import Options
from emoje_edge.training.datasets.raw import clip_features, sound_feature

CLASSES = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
SOUND, FILMS = (".flac", ".wav"), (".mp4",)
SENTENCES = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}


def load(root: Path, options: Options) -> Corpus:
    """Read the speech clips; groups are actors.  There is no official split.

    Raises:
        UsageError: no clips, or a name that does not follow the corpus' rule.
    """
    patterns = tuple(f"[0-9]*{suffix}" for suffix in (*SOUND, *FILMS))
    samples = [_sample(path, options) for path in find_files(root, patterns, "RAVDESS clips (03-01-…-01.wav)")]
    return Corpus("ravdess", CLASSES, tuple(samples))


def _sample(path: Path, options: Options) -> Sample:
    fields = path.stem.split("-")
    if len(fields) != 7 or not all(f.isdigit() for f in fields) or not 1 <= int(fields[2]) <= len(CLASSES):
        raise UsageError(
            f"{path}: not a RAVDESS name",
            "modality-channel-emotion-intensity-statement-repetition-actor, emotion 01 to 08",
        )
    features: dict[Modality, Feature] = (
        {Modality.AUDIO: sound_feature(path, options)} if path.suffix in SOUND else clip_features(path, options)
    )
    return Sample(
        dialogue=path.stem,
        index=0,
        label=int(fields[2]) - 1,
        speaker=fields[6],
        features=features,
        group=f"actor{fields[6]}",
        source=str(path),
    )


def with_words(corpus: Corpus) -> Corpus:
    """The corpus with what is said in each clip: one of two sentences, the same for all emotions."""
    return replace(corpus, samples=tuple(replace(s, text=SENTENCES[s.dialogue.split("-")[4]]) for s in corpus.samples))


def load_with_action_units(root: Path, options: Options) -> Corpus:
    """The clips, each with its action units [1, 35] in the pose slot; clips without them have audio only.

    Raises:
        UsageError: no clips, or no file of action units.
    """
    files = find_files(root, ("face_action_units*.npz",), "action units (face_action_units_train.npz)")
    units: dict[str, np.ndarray] = {}
    for path in files:
        arrays = open_arrays(path, ("clip", "au"))
        # the corpus' first field says "full film" there and "sound only" here
        units |= {str(c).split("-", 1)[1]: au[None] for c, au in zip(arrays["clip"], arrays["au"], strict=True)}
    corpus = load(root, options)
    samples = tuple(
        replace(s, features={**s.features, Modality.POSE: units[name]})
        if (name := s.dialogue.split("-", 1)[1]) in units
        else s
        for s in corpus.samples
    )
    return Corpus("ravdess-au", CLASSES, samples)
