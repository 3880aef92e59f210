"""The recipes' own parts: tokenizer training, augmentation, composites, the audio branch in the default."""

import numpy as np
import pytest

from emoje_edge.emotion import EMOTIONS
from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje
from emoje_edge.perception.audio import normalise
from emoje_edge.training.datasets import Corpus, Sample
from emoje_edge.training.recipes import audio, default, pose, tokeniser
from emoje_edge.training.recipes.augment import LONGEST, augment, augment_log_mel, before_background
from emoje_edge.training.recipes.composite import compose

LINES = ["Oh my God!!!", "I can’t believe it…", "WHAT?!", "you're [NAME], right?"] * 5


def test_tokens_are_numbered_by_spelling() -> None:
    # the library numbers tokens of equal count in hash order: files would differ from run to run
    vocabulary = tokeniser.train(iter(LINES), 300).get_vocab()
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    special = len(tokeniser.special_tokens())
    assert words[:special] == tokeniser.special_tokens()
    assert words[special:] == sorted(words[special:])


def test_tokenizer_keeps_what_carries_emotion() -> None:
    trained = tokeniser.train(iter(LINES), 300)
    assert trained.encode("WHAT ?!").tokens == ["what", "?!"]
    assert trained.encode("God!!!!!").tokens[-1] == "!!"
    assert trained.encode("it…").tokens == trained.encode("it....").tokens
    assert (trained.token_to_id("[PAD]"), trained.token_to_id("[UNK]")) == (0, 1)


@pytest.mark.parametrize("frames", [2, 150, 330, 900])
def test_augmented_log_mel_stays_log_mel(frames: int) -> None:
    x = normalise(np.random.default_rng(0).standard_normal((frames, 64)).astype(np.float32))
    for seed in range(20):
        y = augment_log_mel(x, np.random.default_rng(seed))
        assert y.dtype == np.float32
        assert y.shape[1] == 64
        assert 1 <= len(y) <= LONGEST
        assert np.isfinite(y).all()
    again = augment_log_mel(x, np.random.default_rng(19))
    np.testing.assert_array_equal(y, again)


def test_a_background_covers_pauses_before_it_covers_speech() -> None:
    x = np.full((120, 64), -1.0, np.float32)
    x[40:80] = 2.0  # speech between two pauses
    x = normalise(x)
    loudness = []
    for seed in range(30):
        y = before_background(x, np.random.default_rng(seed))
        assert y.dtype == np.float32
        assert y.shape == x.shape
        assert np.isfinite(y).all()
        loudness.append([y[:40].std(), y[40:80].mean() - y[:40].mean()])
    changed, above = np.array(loudness).T
    assert (changed > 0.05).mean() > 0.9
    assert (above > 0).all()


def test_augmentation_leaves_pose_alone() -> None:
    x = np.ones((5, 13, 3), np.float32)
    assert augment(Modality.POSE, x, np.random.default_rng(0)) is x


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


def test_branches_trained_alone_fit_into_the_default() -> None:
    whole = AmEmoje(default.model()).state_dict()
    for config, name in ((audio.model(EMOTIONS), "audio"), (pose.model(), "pose")):
        own = {k: v for k, v in AmEmoje(config).state_dict().items() if k.startswith(f"encoders.{name}.")}
        assert own
        assert all(whole[k].shape == v.shape for k, v in own.items())
