"""New contents from old ones: the legs and the path of one view, the trunk and the arms of another of its class.

Few contents, each in every style, let a network know the style by the content.  A walk with the arms of a bow is
neither, and keeps the style that both have.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emoje_edge.modality import Modality
from emoje_edge.training.datasets.base import Corpus, Lazy, Sample
from emoje_edge.training.datasets.cameras import LEFT_RIGHT

_UPPER = slice(0, 7)  # head, shoulders, elbows, wrists
_HIPS = (7, 8)
Views = NDArray[np.float32]


def with_blends(corpus: Corpus, copies: int, *, seed: int = 0) -> Corpus:
    """The corpus of landmarks [T, 13, 3], and `copies` blends of every sample with a random one of its class.

    Blends keep the group of their legs: make them after the split, or what is held out would lend its arms.
    """
    by: dict[int, list[Sample]] = defaultdict(list)
    for sample in corpus.samples:
        by[sample.label].append(sample)
    generator = np.random.default_rng(seed)
    made = list(corpus.samples)
    for copy in range(copies):
        for number, legs in enumerate(corpus.samples):
            arms = by[legs.label][int(generator.integers(len(by[legs.label])))]
            made.append(_sample(legs, arms, copy, (seed, copy, number)))
    return replace(corpus, samples=tuple(made))


def _sample(legs: Sample, arms: Sample, copy: int, seed: tuple[int, ...]) -> Sample:
    def make() -> Views:
        return blend(legs.feature(Modality.POSE), arms.feature(Modality.POSE), np.random.default_rng(seed))

    source = f"legs of {legs.source}, arms of {arms.source}"
    return replace(legs, dialogue=f"{legs.dialogue}/blend{copy}", features={Modality.POSE: Lazy(make)}, source=source)


def blend(legs: Views, arms: Views, g: np.random.Generator) -> Views:
    """Legs, hips and length of the one, what is above the hips of the other, played to and fro from a random frame.

    Args:
        legs, arms: [T, 13, 3], [T', 13, 3], normalised as in perception.

    Returns:
        [T, 13, 3].
    """
    if not len(arms):
        return legs
    period = max(1, 2 * (len(arms) - 1))
    at = (int(g.integers(period)) + np.arange(len(legs))) % period
    upper = arms[np.minimum(at, period - at)]
    moved = upper[:, _UPPER].copy()
    there = moved[..., 2:] > 0
    moved[..., :2] = (moved[..., :2] - _hips(upper) + _hips(legs)) * there
    out = legs.copy()
    out[:, _UPPER] = moved
    return out


def _hips(view: Views) -> Views:
    """[T, 1, 2]; the origin, where hips would be, in frames that do not show them."""
    both = np.all(view[:, _HIPS, 2] > 0, axis=1)
    return (view[:, _HIPS, :2].mean(1) * both[:, None])[:, None]


def jostle(modality: Modality, x: NDArray[np.float32], g: np.random.Generator) -> NDArray[np.float32]:
    """A `Transform` for training: landmarks are mirrored in half of the cases and cut to a part in half of them."""
    if modality is not Modality.POSE or x.shape[1:] != (13, 3):
        return x
    if g.random() < 0.5:
        x = x[:, LEFT_RIGHT] * np.array([-1, 1, 1], np.float32)
    if g.random() < 0.5 and len(x) > 20:
        length = int(g.integers(max(16, len(x) // 2), len(x) + 1))
        first = int(g.integers(len(x) - length + 1))
        x = x[first : first + length]
    return x
