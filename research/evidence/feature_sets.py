"""Sets of utterances that have several modalities at once, one vector a modality.

The `pose` place holds whatever is visual: face action units (RAVDESS) and visual features (MOSI).  They test fusion
and missing modalities on real pairs; no shipped weights come of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.datasets.splits import k_fold
from research.evidence.functionals import functionals
from research.recipes import pair as pair_recipe

FOLDS = 5
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"  # never saw a label of MOSI

# deviations of noise added to MOSI's standardised text and visual vectors, see `mosi`
Noise = Mapping[Modality, float]
AS_TESTED: Noise = {Modality.TEXT: 8.5, Modality.POSE: 16.0}
MODERATE: Noise = {Modality.TEXT: 6.0, Modality.POSE: 4.0}
VISUAL_ALONE: Noise = {Modality.POSE: 16.0}


@dataclass(frozen=True)
class FeatureSet:
    """A corpus of vectors; groups are actors, videos or dialogues.

    Attributes:
        corpus: every feature is [L, F], one token here, several in `token_sets`.
        metric: the figure to report, a field of `Scores`.
        context: dialogues run through the causal state.
        folds: (training, held-out) parts of folds that have features of their own; else they are cut from the corpus.
        scaled: features have mean 0 and deviation 1 already, and stay as they are.
    """

    corpus: Corpus
    metric: str
    context: bool
    folds: tuple[tuple[Corpus, Corpus], ...] = ()
    scaled: bool = False

    @property
    def modalities(self) -> tuple[Modality, ...]:
        return tuple(m for m in Modality if any(m in s.features for s in self.corpus.samples))

    def size(self, modality: Modality) -> int:
        return int(self._all(modality)[0].shape[-1])

    def tokens(self, modality: Modality) -> int:
        return max(map(len, self._all(modality)))

    def _all(self, modality: Modality) -> list[np.ndarray]:
        return [s.feature(modality) for s in self.corpus.samples if modality in s.features]

    def fold(self, number: int) -> tuple[Corpus, Corpus]:
        """(training, held out) of fold `number` modulo `FOLDS`, groups whole."""
        return (self.folds or _folds(self.corpus))[number % FOLDS]


@lru_cache(maxsize=4)
def _folds(corpus: Corpus) -> tuple[tuple[Corpus, Corpus], ...]:
    return tuple(k_fold(corpus, FOLDS, seed=0))


def ravdess(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """Voice (statistics of log-mel) and face action units of 1,200 clips of 20 actors; 8 emotions."""
    del encoder
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
    return FeatureSet(pair_recipe.with_voice(corpus, voice), "uar", context=False)


def ravdess_voices(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """As `ravdess`, the voice described by the audio network of each fold (`recipes.audio` with `CACHE/audio` as OUT).

    A fold's network has never heard the actors held out, but it knows the training clips nearly by heart (.996): what
    is trained on these vectors needs noise on them (`Recipe.noise`).
    """
    del encoder
    parts = tuple((replace(a, name="ravdess-voices"), b) for a, b in pair_recipe.folds(root, cache / "audio"))
    return FeatureSet(parts[0][0], "uar", context=False, folds=parts)


def mosi(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """Text, voice and visual vectors of 1,447 utterances of 62 reviews; positive or not.

    The text and visual vectors were made by networks trained on these very labels: a logistic regression in folds by
    video scores .98 and .92 on them, where the official test gives .757 and .515.  So noise is added, once and with a
    fixed seed, of the strength that brings each down to its figure on the test.  What is measured is how fusion and
    context cope with evidence of that strength, not the accuracy on MOSI.
    """
    del cache, encoder
    return _mosi("mosi", open_dataset("mosi", root / "mosi"), AS_TESTED)


def mosi_given(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """The vectors as they are: LEAKING, see `mosi`.  For the differences between variants only."""
    del cache, encoder
    return _mosi("mosi-given", open_dataset("mosi", root / "mosi"), {})


def mosi_moderate(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """The vectors with less noise than in `mosi`, so that each still tells something (text .88, visual .64)."""
    del cache, encoder
    return _mosi("mosi-moderate", open_dataset("mosi", root / "mosi"), MODERATE)


def mosi_words(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """MOSI without the leak: the text vector is a sentence encoder's mean over the transcript's tokens.

    The voice is as given (it was not made from labels), the visual vector has its noise as in `mosi`.
    """
    corpus, file = open_dataset("mosi", root / "mosi"), cache / "mosi_words.npz"
    if file.is_file():
        words = np.load(file)["words"]
    else:
        words = sentences([(s.text or "").lower() for s in corpus.samples], encoder)
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, words=words)
    pairs = zip(corpus.samples, words, strict=True)
    samples = tuple(replace(s, features={**s.features, Modality.TEXT: w[None]}) for s, w in pairs)
    return _mosi("mosi-words", replace(corpus, samples=samples), VISUAL_ALONE)


def _mosi(name: str, corpus: Corpus, noise: Noise) -> FeatureSet:
    """Every vector at mean 0 and deviation 1, with noise of a fixed seed."""
    generator = np.random.default_rng(0)
    noisy: dict[Modality, np.ndarray] = {}
    for m in Modality:
        rows = np.concatenate([s.feature(m) for s in corpus.samples])
        rows = (rows - rows.mean(0)) / (rows.std(0) + 1e-4)
        noisy[m] = (rows + noise.get(m, 0.0) * generator.standard_normal(rows.shape)).astype(np.float32)
    samples = tuple(
        replace(s, text=None, features={m: noisy[m][i][None] for m in Modality}) for i, s in enumerate(corpus.samples)
    )
    return FeatureSet(Corpus(name, corpus.classes, samples), "accuracy", context=True)


def sentences(texts: list[str], encoder: str) -> np.ndarray:
    """Mean over the tokens of each text, [texts, hidden size]; `encoder` is a name or folder for transformers."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()
    rows = []
    for first in range(0, len(texts), 64):
        batch = tokenizer(texts[first : first + 64], padding=True, truncation=True, max_length=64, return_tensors="pt")
        with torch.no_grad():
            hidden = network(**batch).last_hidden_state
        there = batch["attention_mask"][..., None].float()
        rows.append(((hidden * there).sum(1) / there.sum(1)).numpy())
    return np.concatenate(rows)


def meld_dev(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """Text and voice vectors of 1,108 utterances of MELD's dev split; 7 emotions."""
    del cache, encoder
    corpus = open_dataset("meld-features", root / "meld")
    samples = tuple(replace(s, text=None) for s in corpus.samples)
    return FeatureSet(replace(corpus, samples=samples), "weighted_f1", context=True)


SETS: Mapping[str, Callable[[Path, Path, str], FeatureSet]] = {
    "ravdess": ravdess,
    "ravdess-voices": ravdess_voices,
    "mosi": mosi,
    "mosi-words": mosi_words,
    "mosi-moderate": mosi_moderate,
    "mosi-given": mosi_given,
    "meld-dev": meld_dev,
}


def load_set(name: str, root: Path, cache: Path, encoder: str = ENCODER) -> FeatureSet:
    """One of `SETS`.

    Args:
        root: the folder of the data sets (`ravdess`, `mosi`, `meld` beneath it).
        cache: where features of sounds are kept.
        encoder: of sentences, for `mosi-words`.

    Raises:
        UsageError: no such set, or its files are not under `root`.
    """
    if name not in SETS:
        raise UsageError(f"unknown feature set {name!r}", f"allowed: {', '.join(SETS)}")
    return SETS[name](root, cache, encoder)
