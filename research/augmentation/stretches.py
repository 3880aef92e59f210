"""Clips as `infer` hears them: the stretch in which somebody speaks, with little or none of the silence around it.

A studio's clip has a second of silence at both ends, by which its features are levelled; voice activity leaves hardly
any.  A branch that only ever heard whole clips loses eight points of recall on what is cut out of them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.modality import Modality
from emoje_edge.perception.voice_activity import VoiceActivity
from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.training.datasets import Corpus, Options
from emoje_edge.training.datasets.raw import cached, read_samples
from research.words.noises import utterances

MARGIN = 0.5  # s of what is around a stretch that is heard with it, at most


def spoken(samples: NDArray[np.float32]) -> tuple[float, float] | None:
    """Start and end (s) of the longest utterance that voice activity finds in a sound of 16 kHz, [N]."""
    return max(utterances(VoiceActivity(), samples), key=lambda span: span[1] - span[0], default=None)


def spoken_part(samples: NDArray[np.float32], g: np.random.Generator) -> NDArray[np.float32]:
    """That utterance, with 0 to `MARGIN` of what is around it on either side; all where nobody is found to speak."""
    span = spoken(samples)
    if span is None:
        return samples
    before, after = g.uniform(0.0, MARGIN, 2)
    first, last = (round(t * SAMPLE_RATE) for t in (span[0] - before, span[1] + after))
    return samples[max(0, first) : last]


def as_found(
    corpus: Corpus, options: Options, *, margin: float | None = None, name: str = "found", seed: int = 0
) -> Corpus:
    """Each clip's longest stretch of speech; clips in which none is found are left out.

    Args:
        margin: s on both sides; None: 0 to `MARGIN`, drawn for each side.
    """
    g = np.random.default_rng(seed)
    samples = []
    for sample in corpus.samples:
        span = spoken(read_samples(Path(sample.source)))
        before, after = g.uniform(0.0, MARGIN, 2) if margin is None else (margin, margin)
        if span is not None:
            start, end = max(0.0, float(span[0] - before)), float(span[1] + after)
            sound = cached(
                Path(sample.source), Modality.AUDIO, options.cache, start=start, end=end, bands=options.bands
            )
            uid = f"{sample.dialogue}~{name}"
            samples.append(replace(sample, dialogue=uid, features={**sample.features, Modality.AUDIO: sound}))
    return Corpus(f"{corpus.name}, {name}", corpus.classes, tuple(samples))
