"""Class-matched composites: utterances put together from corpora that were never recorded together.

There is no corpus here with text, sound and body of the same utterance under the seven emotions.  A composite joins
one line, one clip and one motion of the same label; it teaches the fusion which modality to trust and fills all seven
masks, but it holds no real dependence between modalities, and whatever is measured on it says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoje_edge.modality import Modality
from emoje_edge.training.datasets import Corpus, Sample


def compose(text: Corpus, audio: Corpus, pose: Corpus, *, count: int, seed: int, unrelated: float = 0.0) -> Corpus:
    """`count` utterances, the classes in turn; a modality without that class (pose has four of seven) is left out.

    Args:
        text, audio, pose: corpora with the seven emotions, of the same part (training or held out).
        unrelated: share of the utterances of a class without motions that take any motion nevertheless.  Else a body
            in the picture would say that it is not fear, disgust or surprise, whatever the words and the voice say.
    """
    g = np.random.default_rng(seed)
    pools = {m: _by_class(c) for m, c in zip(Modality, (text, audio, pose), strict=True)}
    samples = []
    for number in range(count):
        label = number % len(text.classes)
        parts = {m: _draw(pool[label], g) for m, pool in pools.items() if pool[label]}
        if Modality.POSE not in parts and g.random() < unrelated:
            parts[Modality.POSE] = _draw(pose.samples, g)
        line = parts.pop(Modality.TEXT, None)
        samples.append(
            Sample(
                dialogue=str(number),
                index=0,
                label=label,
                text=line.text if line else None,
                features={m: sample.features[m] for m, sample in parts.items()},
                source=" + ".join(s.source for s in (*([line] if line else []), *parts.values())),
            )
        )
    return Corpus("composite", text.classes, tuple(samples))


def _by_class(corpus: Corpus) -> list[list[Sample]]:
    return [[s for s in corpus.samples if s.label == c] for c in range(len(corpus.classes))]


def _draw(pool: Sequence[Sample], g: np.random.Generator) -> Sample:
    return pool[int(g.integers(len(pool)))]
