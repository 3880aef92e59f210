import numpy as np
import torch

from emoje_edge.modality import Modality
from emoje_edge.model import LogMelEncoder, ModelConfig
from emoje_edge.training.batching import Collator
from emoje_edge.training.datasets import Sample
from emoje_edge.training.speaker_histories import SpeakerHistories

CONFIG = ModelConfig(text=None, pose=None, audio=LogMelEncoder(width=32), width=32, heads=2, classes=("a", "b"))


def _batch(names):
    g = np.random.default_rng(0)
    sound = {Modality.AUDIO: g.standard_normal((20, 64)).astype(np.float32)}
    return Collator(CONFIG)([(Sample(f"{s}{i}", 0, label=0, speaker=s, features=sound),) for i, s in enumerate(names)])


def _heard(batch, width=32):
    """Descriptors that tell whose they are: row i is i everywhere."""
    rows = torch.arange(float(len(batch.samples)))[:, None].expand(-1, width)
    return batch.voice + torch.cat([rows, torch.ones(len(rows), 1)], 1)


def test_a_past_is_of_the_same_speaker_and_of_other_utterances():
    voices, g = SpeakerHistories(), np.random.default_rng(0)
    batch = voices.with_random_history(_batch("aaaabb"), 32, g)
    assert not batch.voice.any()  # nothing was heard yet
    voices.remember(batch, _heard(batch))
    for row, total in enumerate((1 + 2 + 3, 0 + 2 + 3, 0 + 1 + 3, 0 + 1 + 2, 5, 4)):
        past = voices.with_history(_batch("aaaabb"), 32, 20, g).voice[row]
        assert past[0] == total
        assert past[-1] == (3 if row < 4 else 1)


def test_lengths_of_the_past_differ_and_are_bounded():
    voices, g = SpeakerHistories(most=5), np.random.default_rng(0)
    batch = voices.with_random_history(_batch("a" * 30), 32, g)
    voices.remember(batch, _heard(batch))
    counts = {int(n) for _ in range(5) for n in voices.with_random_history(_batch("a" * 30), 32, g).voice[:, -1]}
    assert counts == {0, 1, 2, 3, 4, 5}


def test_who_has_no_name_has_no_past():
    voices, g = SpeakerHistories(), np.random.default_rng(0)
    batch = voices.with_random_history(_batch(["", "", ""]), 32, g)
    voices.remember(batch, _heard(batch))
    assert not voices.with_history(_batch(["", "", ""]), 32, 20, g).voice.any()
