"""Sounds in which nobody speaks to us: noise, music, applause, a street, babble; nothing is to be read from them.

Made from numbers (babble from given voices) by the makers of `conditions` and three more.  Training shows them with a
uniform target.  Evaluation takes another `Flavour` and other seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emoje_edge.evaluation import conditions
from emoje_edge.evaluation.conditions import EVALUATION, TRAINING, Flavour
from emoje_edge.modality import Modality
from emoje_edge.perception.features import audio_feature
from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.training.datasets import Corpus, Sample
from research.augmentation.channels import sixteen_bits

Array = NDArray[np.float32]
SECONDS = (1.5, 4.0)
TALKERS = {TRAINING: (5, 11), EVALUATION: (4, 9)}
# claps a second; seconds that one takes to die away
CLAPS = {TRAINING: ((4.0, 400.0), (0.001, 0.008)), EVALUATION: ((10.0, 250.0), (0.002, 0.006))}
# events of a street; seconds that one takes to pass
EVENTS = {TRAINING: ((1, 5), (0.05, 0.8)), EVALUATION: ((1, 4), (0.1, 1.0))}


def applause(seconds: float, g: np.random.Generator, *, flavour: Flavour) -> Array:
    """Claps of few or many hands before a quiet hall."""
    samples = round(seconds * SAMPLE_RATE)
    (few, many), decay = CLAPS[flavour]
    sound, width = 0.01 * g.standard_normal(samples), SAMPLE_RATE // 40
    clap = np.arange(width) / SAMPLE_RATE
    for first in g.integers(0, samples, g.poisson(seconds * np.exp(g.uniform(np.log(few), np.log(many))))):
        part = g.exponential() * g.standard_normal(width) * np.exp(-clap / g.uniform(*decay))
        end = min(samples, first + width)
        sound[first:end] += part[: end - first]
    return conditions.mix(_scaled(sound), conditions.noise(seconds, g, level=-20.0, flavour=flavour), 20.0)


def street(seconds: float, g: np.random.Generator, *, flavour: Flavour) -> Array:
    """A rumble, before which engines and horns pass."""
    sound = conditions.noise(seconds, g, level=-20.0, flavour=flavour).astype(np.float64)
    (least, most), width = EVENTS[flavour]
    time = np.arange(sound.size) / SAMPLE_RATE
    for _ in range(g.integers(least, most)):
        passing = np.exp(-(((time - g.uniform(0, seconds)) / g.uniform(*width)) ** 2))
        if g.random() < 0.6:
            event = conditions.noise(seconds, g, level=-20.0, flavour=flavour).astype(np.float64)
        else:
            hertz = np.exp(g.uniform(np.log(80), np.log(1200)))
            event = 0.1 * sum(np.sin(2 * np.pi * k * hertz * time + k) / k for k in range(1, 6))
        sound += g.uniform(0.3, 3) * passing * event
    return _scaled(sound)


def babble(seconds: float, g: np.random.Generator, voices: Sequence[Array], *, flavour: Flavour) -> Array:
    """Several people who talk at once, none of them to us."""
    sound = np.zeros(round(seconds * SAMPLE_RATE))
    for _ in range(g.integers(*TALKERS[flavour])):
        voice = voices[int(g.integers(len(voices)))]
        placed = np.roll(np.resize(voice, sound.size), g.integers(sound.size))
        sound += g.uniform(0.4, 1) * placed / (voice.std() + 1e-9)
    return _scaled(sound)


def makers(voices: Sequence[Array], flavour: Flavour) -> dict[str, Callable[[float, np.random.Generator], Array]]:
    """Kind -> maker of seconds of it; babble only where there are voices."""
    found: dict[str, Callable[[float, np.random.Generator], Array]] = {
        "steady": lambda t, g: conditions.hiss(t, g, level=-25.0),
        "noise": lambda t, g: conditions.noise(t, g, level=-25.0, flavour=flavour),
        "music": lambda t, g: conditions.music(t, g, level=-20.0, flavour=flavour),
        "applause": lambda t, g: applause(t, g, flavour=flavour),
        "street": lambda t, g: street(t, g, flavour=flavour),
        "near silence": lambda t, g: sixteen_bits(conditions.noise(t, g, level=-75.0, flavour=flavour), 0.0),
    }
    if voices:
        found["babble"] = lambda t, g: babble(t, g, voices, flavour=flavour)
    return found


def noise_corpus(
    classes: tuple[str, ...], *, each: int, seed: int, voices: Sequence[Array] = (), flavour: Flavour = TRAINING
) -> Corpus:
    """`each` sounds of every kind, without a label; the group is the kind."""
    g = np.random.default_rng(seed)
    samples = []
    for kind, make in makers(voices, flavour).items():
        for number in range(each):
            feature = audio_feature(make(g.uniform(*SECONDS), g))
            if feature is not None:
                name = f"{kind}-{number}"
                samples.append(Sample(name, 0, features={Modality.AUDIO: feature}, group=kind, source=name))
    return Corpus("noises", classes, tuple(samples))


def _scaled(sound: NDArray[np.float64]) -> Array:
    return (0.5 * sound / max(float(np.abs(sound).max()), 1e-9)).astype(np.float32)
