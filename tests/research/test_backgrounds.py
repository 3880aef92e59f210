import numpy as np
import pytest

from emoje_edge.evaluation.conditions import EVALUATION, TRAINING
from emoje_edge.modality import Modality
from emoje_edge.perception.speech import speech_share
from emoje_edge.shapes import SAMPLE_RATE
from research.augmentation.backgrounds import SECONDS, makers, noise_corpus


def _voices():
    g = np.random.default_rng(1)
    return [g.standard_normal(SAMPLE_RATE).astype(np.float32) for _ in range(3)]


@pytest.mark.parametrize("flavour", [TRAINING, EVALUATION], ids=["training", "evaluation"])
@pytest.mark.parametrize("kind", sorted(makers(_voices(), TRAINING)))
def test_a_noise_is_finite_as_long_as_asked_and_the_same_again(kind, flavour):
    make = makers(_voices(), flavour)[kind]
    sound = make(2.0, np.random.default_rng(3))
    assert sound.shape == (2 * SAMPLE_RATE,)
    assert sound.dtype == np.float32
    assert 0 < np.abs(sound).max() <= 1
    np.testing.assert_array_equal(sound, make(2.0, np.random.default_rng(3)))
    assert not np.array_equal(sound, make(2.0, np.random.default_rng(4)))


@pytest.mark.parametrize("kind", ["applause", "street", "music"])
def test_what_is_made_is_no_speech(kind):
    g = np.random.default_rng(0)
    make = makers((), EVALUATION)[kind]
    assert np.mean([speech_share(make(2.0, g)) for _ in range(4)]) < 0.1


def test_the_corpus_has_every_kind_and_no_label():
    corpus = noise_corpus(("x", "y"), each=2, seed=0, voices=_voices())
    assert {s.group for s in corpus.samples} == set(makers(_voices(), TRAINING))
    assert all(s.label < 0 and not s.speaker for s in corpus.samples)
    longest = round(SECONDS[1] * 100)
    assert all(0 < len(s.feature(Modality.AUDIO)) <= longest for s in corpus.samples)
