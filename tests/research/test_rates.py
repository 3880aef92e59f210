"""The study of rates: which pictures are looked at."""

import numpy as np

from emoje_edge.training.datasets.base import Corpus, Sample
from research.bodies.rates import looked_at, recall


def test_the_first_picture_of_each_slot_is_looked_at():
    times = np.arange(30) / 30
    assert times[looked_at(times, 6.25)].round(2).tolist() == [0.0, 0.17, 0.33, 0.5, 0.67, 0.8, 0.97]
    assert looked_at(times, 30).all()


def test_recall_is_the_mean_over_classes():
    corpus = Corpus("made", ("a", "b"), tuple(Sample(str(i), 0, label) for i, label in enumerate((0, 0, 0, 1))))
    probabilities = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]]
    assert recall(corpus, probabilities) == (2 / 3 + 1) / 2
