"""Sets whose modalities are several tokens each, for what is asked of fusion.

Two modalities of one token each give attention one key: both descriptors would be equal, and no gate could tell them
apart.  A sound is segments of its frames, a line its words; what is only there as one vector is cut into parts, each a
token in which the other parts are zero.  Every feature has mean 0 and deviation 1 over its set, so that noise of a
known strength can be mixed in (`research.evidence.degrade`).  No shipped weights come of these sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets import Corpus, Options, Sample, open_dataset
from research.evidence.composites import composites
from research.evidence.feature_sets import ENCODER, FeatureSet

SEGMENTS = 12  # of a sound
WORDS = 8  # tokens of a line: neighbouring words share one where there are more
COMPONENTS, OF_SOUND = 64, 32  # principal ones of vectors, and of a segment
UNIT_PARTS, MELD_PARTS, MOSI_PARTS = 5, 4, 4
VISUAL_NOISE = 4.0  # deviations on MOSI's visual vectors, which know their labels: .64 of them are told then
Array = NDArray[np.float32]


def ravdess_frames(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """Voice (log-mel frames of 12 segments, mean and deviation, 32 principal components) and face action units (35 in 5
    parts) of 1,200 clips of 20 actors; 8 emotions."""
    del encoder
    corpus = open_dataset("ravdess-au", root / "ravdess", options=Options(cache=cache / "sounds"))
    names = [s.dialogue for s in corpus.samples]
    voice = kept(cache / "ravdess_segments.npz", lambda: np.stack([_heard(s) for s in corpus.samples]), names)
    voice = components(np.concatenate(list(voice)), OF_SOUND).reshape(len(voice), SEGMENTS, OF_SOUND)
    units = np.concatenate([s.feature(Modality.POSE) for s in corpus.samples])
    return _set("ravdess-frames", corpus, {Modality.AUDIO: list(voice), Modality.POSE: parts(units, UNIT_PARTS)}, "uar")


def mosi_tokens(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """Words (a sentence encoder's, that saw no label of MOSI), voice and visual vectors of 1,447 utterances of 62
    reviews; positive or not.

    The visual vectors were made from these very labels: with noise on them they stand for a witness that tells
    something.  For differences between variants only.
    """
    corpus = open_dataset("mosi", root / "mosi")
    texts = [(s.text or "").lower() for s in corpus.samples]
    flat = kept(cache / "mosi_word_tokens.npz", lambda: word_tokens(texts, encoder), texts)
    there = np.abs(flat).sum(2) > 0
    rows = iter(np.split(components(flat[there]), np.cumsum(there.sum(1))[:-1]))
    words = [next(rows) for _ in flat]
    voice, visual = (np.concatenate([s.feature(m) for s in corpus.samples]) for m in (Modality.AUDIO, Modality.POSE))
    noise = VISUAL_NOISE * np.random.default_rng(0).standard_normal(visual.shape)
    features = {
        Modality.TEXT: words,
        Modality.AUDIO: parts(voice, MOSI_PARTS),
        Modality.POSE: parts(_even(visual) + noise, MOSI_PARTS),
    }
    return _set("mosi-tokens", corpus, features, "accuracy", context=True)


def meld_tokens(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """Text and voice vectors (64 principal components in 4 parts) of 1,108 utterances of MELD dev; 7 emotions."""
    del cache, encoder
    corpus = open_dataset("meld-features", root / "meld")
    found = {
        m: components(np.concatenate([s.feature(m) for s in corpus.samples])) for m in (Modality.TEXT, Modality.AUDIO)
    }
    return _set("meld-tokens", corpus, {m: parts(x, MELD_PARTS) for m, x in found.items()}, "weighted_f1", context=True)


def _set(
    name: str, corpus: Corpus, features: Mapping[Modality, list[Array]], metric: str, *, context: bool = False
) -> FeatureSet:
    """The corpus with these features [L, F], each at mean 0 and deviation 1 where it is not padding."""
    scaled = {m: _unit(rows) for m, rows in features.items()}
    samples = tuple(
        replace(s, text=None, features={m: rows[i] for m, rows in scaled.items()}) for i, s in enumerate(corpus.samples)
    )
    return FeatureSet(Corpus(name, corpus.classes, samples), metric, context, scaled=True)


def segments(frames: NDArray[np.floating], count: int = SEGMENTS) -> Array:
    """Mean and deviation of the frames of `count` stretches of a sound: [T, F] -> [count, 2 F]."""
    ends = np.linspace(0, len(frames), count + 1)
    stretches = [frames[int(a) : max(int(a) + 1, int(np.ceil(b)))] for a, b in pairwise(ends)]
    return np.stack([np.r_[x.mean(0), x.std(0)] for x in stretches]).astype(np.float32)


def parts(rows: NDArray[np.floating], count: int) -> list[Array]:
    """Vectors [N, F] cut into `count` tokens each: N arrays [count, F], a token holding its part and zeros."""
    rows = _even(rows)
    owner = np.arange(rows.shape[1]) * count // rows.shape[1]
    return list((rows[:, None] * (owner[None, None] == np.arange(count)[None, :, None])).astype(np.float32))


def word_tokens(texts: list[str], encoder: str) -> Array:
    """The words' vectors of each text, [texts, WORDS, hidden size], zeros where there are fewer.

    Args:
        encoder: a name or folder for transformers.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()
    out = np.zeros((len(texts), WORDS, network.config.hidden_size), np.float32)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for first in range(0, len(texts), 64):
        rows = order[first : first + 64]
        given = tokenizer([texts[i] for i in rows], padding=True, truncation=True, max_length=64, return_tensors="pt")
        with torch.no_grad():
            hidden = network(**given).last_hidden_state.numpy()
        for i, line, length in zip(rows, hidden, given["attention_mask"].sum(1).tolist(), strict=True):
            words = np.arange(1, max(2, length - 1))  # without the marks of beginning and end
            for j, group in enumerate(np.array_split(words, min(WORDS, len(words)))):
                out[i, j] = line[group].mean(0)
    return out


def kept(file: Path, make: Callable[[], Array], names: list[str]) -> Array:
    """What was made for these names before, or is made and kept in `file` now: [names, ...]."""
    if file.is_file():
        with np.load(file) as z:
            if z["names"].tolist() == names:
                return z["rows"]
    rows = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, rows=rows, names=np.array(names))
    return rows


def components(rows: NDArray[np.floating], count: int = COMPONENTS) -> Array:
    """The first principal components of [N, F], [N, count], each at deviation 1; found without any label."""
    centred = rows - rows.mean(0)
    values, axes = np.linalg.eigh(centred.T @ centred / len(rows))
    return (centred @ axes[:, ::-1][:, :count] / np.sqrt(values[::-1][:count])).astype(np.float32)


def _heard(sample: Sample) -> Array:
    return segments(sample.feature(Modality.AUDIO))


def _even(rows: NDArray[np.floating]) -> Array:
    return ((rows - rows.mean(0)) / (rows.std(0) + 1e-4)).astype(np.float32)


def _unit(rows: list[Array]) -> list[Array]:
    """Every feature at mean 0 and deviation 1 over the tokens that have it; a zero stays one in a cut vector."""
    flat = np.concatenate(rows)
    there = np.abs(flat) > 0
    count = np.maximum(there.sum(0), 1)
    mean = flat.sum(0) / count
    deviation = np.sqrt((there * (flat - mean) ** 2).sum(0) / count) + 1e-4
    return [(np.where(np.abs(x) > 0, x - mean, 0) / deviation).astype(np.float32) for x in rows]


TOKEN_SETS: Mapping[str, Callable[[Path, Path, str], FeatureSet]] = {
    "ravdess-frames": ravdess_frames,
    "mosi-tokens": mosi_tokens,
    "meld-tokens": meld_tokens,
    "composites": composites,
}


def load_token_set(name: str, root: Path, cache: Path, encoder: str = ENCODER) -> FeatureSet:
    """One of `TOKEN_SETS`.

    Args:
        root: the folder of the data sets (`ravdess`, `mosi`, `meld` beneath it).
        cache: where what was computed of sounds and words is kept.
        encoder: of words, for `mosi-tokens`.

    Raises:
        UsageError: no such set, or its files are not under `root`.
    """
    if name not in TOKEN_SETS:
        raise UsageError(f"unknown token set {name!r}", f"allowed: {', '.join(TOKEN_SETS)}")
    return TOKEN_SETS[name](root, cache, encoder)
