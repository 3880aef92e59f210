"""Three sets of utterances that have several modalities at once, one vector a modality.

The `pose` place holds whatever is visual: face action units (RAVDESS) and visual features (MOSI).  They test fusion
and missing modalities on real pairs; no shipped weights come of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.evidence.functionals import functionals

# deviations of noise added to MOSI's standardised text and visual vectors, see `mosi`
MOSI_NOISE = {Modality.TEXT: 8.5, Modality.POSE: 16.0}


@dataclass(frozen=True)
class FeatureSet:
    """A corpus of vectors; groups are actors, videos or dialogues.

    Attributes:
        corpus: every feature is [1, F].
        metric: the figure to report, a field of `Scores`.
        context: dialogues run through the causal state.
    """

    corpus: Corpus
    metric: str
    context: bool

    @property
    def modalities(self) -> tuple[Modality, ...]:
        return tuple(m for m in Modality if m in self.corpus.samples[0].features)

    def size(self, modality: Modality) -> int:
        return int(self.corpus.samples[0].feature(modality).shape[-1])


def ravdess(root: Path, cache: Path) -> FeatureSet:
    """Voice (statistics of log-mel) and face action units of 1,200 clips of 20 actors; 8 emotions."""
    corpus = open_dataset("ravdess-au", root / "ravdess", options=Options(cache=cache / "sounds"))
    names, file = [s.dialogue for s in corpus.samples], cache / "ravdess_functionals.npz"
    voice = None
    if file.is_file():
        with np.load(file) as z:
            voice = z["voice"] if z["clips"].tolist() == names else None
    if voice is None:
        voice = np.stack([functionals(s.feature(Modality.AUDIO)) for s in corpus.samples])
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, clips=names, voice=voice)
    samples = tuple(
        replace(s, features={**s.features, Modality.AUDIO: v[None]}) for s, v in zip(corpus.samples, voice, strict=True)
    )
    return FeatureSet(replace(corpus, samples=samples), "uar", context=False)


def mosi(root: Path, cache: Path) -> FeatureSet:
    """Text, voice and visual vectors of 1,447 utterances of 62 reviews; positive or not.

    The text and visual vectors were made by networks trained on these very labels: a logistic regression in folds by
    video scores .98 and .92 on them, where the official test gives .757 and .515.  So noise is added, once and with a
    fixed seed, of the strength that brings each down to its figure on the test.  What is measured is how fusion and
    context cope with evidence of that strength, not the accuracy on MOSI.
    """
    del cache
    corpus = open_dataset("mosi", root / "mosi")
    generator = np.random.default_rng(0)
    noisy: dict[Modality, np.ndarray] = {}
    for m in Modality:
        rows = np.concatenate([s.feature(m) for s in corpus.samples])
        rows = (rows - rows.mean(0)) / (rows.std(0) + 1e-4)
        noisy[m] = (rows + MOSI_NOISE.get(m, 0.0) * generator.standard_normal(rows.shape)).astype(np.float32)
    samples = tuple(
        replace(s, text=None, features={m: noisy[m][i][None] for m in Modality}) for i, s in enumerate(corpus.samples)
    )
    return FeatureSet(replace(corpus, samples=samples), "accuracy", context=True)


def meld_dev(root: Path, cache: Path) -> FeatureSet:
    """Text and voice vectors of 1,108 utterances of MELD's dev split; 7 emotions."""
    del cache
    corpus = open_dataset("meld-features", root / "meld")
    samples = tuple(replace(s, text=None) for s in corpus.samples)
    return FeatureSet(replace(corpus, samples=samples), "weighted_f1", context=True)


SETS = {"ravdess": ravdess, "mosi": mosi, "meld-dev": meld_dev}


def load_set(name: str, root: Path, cache: Path) -> FeatureSet:
    """One of `SETS`.

    Args:
        root: the folder of the data sets (`ravdess`, `mosi`, `meld` beneath it).
        cache: where features of sounds are kept.

    Raises:
        UsageError: no such set, or its files are not under `root`.
    """
    if name not in SETS:
        raise UsageError(f"unknown feature set {name!r}", f"allowed: {', '.join(SETS)}")
    return SETS[name](root, cache)
