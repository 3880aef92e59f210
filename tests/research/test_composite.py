"""Composites match in class, and lack what a corpus lacks."""

import numpy as np

from emoje_edge.emotion import EMOTIONS
from emoje_edge.modality import Modality
from emoje_edge.training.datasets import Corpus, Sample
from research.augmentation.composite import compose


def _labelled(name: str, labels: range, **given: object) -> Corpus:
    samples = (Sample(f"{name}{i}", 0, i, source=f"{name}{i}", **given) for i in labels)  # type: ignore[arg-type]
    return Corpus(name, EMOTIONS, tuple(samples))


SOUND = {Modality.AUDIO: np.ones((3, 64), np.float32)}
BODY = {Modality.POSE: np.ones((3, 13, 3), np.float32)}


def _corpora() -> tuple[Corpus, Corpus, Corpus]:
    """Words and sounds of all seven classes, motions of three."""
    words, sounds = _labelled("t", range(7), text="hm"), _labelled("a", range(7), features=SOUND)
    return words, sounds, _labelled("p", range(3), features=BODY)


def test_composites_match_in_class_and_leave_out_what_a_corpus_lacks() -> None:
    made = compose(*_corpora(), count=14, seed=0)
    assert made.labels().tolist() == [*range(7), *range(7)]
    for sample in made.samples:
        assert (Modality.POSE in sample.modalities) == (sample.label < 3)
        assert all(part[1:] == str(sample.label) for part in sample.source.split(" + "))


def test_a_class_without_motions_may_take_another_ones() -> None:
    made = compose(*_corpora(), count=700, seed=0, unrelated=0.5)
    bodies = [s for s in made.samples if Modality.POSE in s.modalities]
    rare = [s for s in bodies if s.label >= 3]
    assert 150 < len(rare) < 250  # half of four sevenths
    assert len(bodies) - len(rare) == 300
    assert {s.source.split(" + ")[-1] for s in rare} == {"p0", "p1", "p2"}
