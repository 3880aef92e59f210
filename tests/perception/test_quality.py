"""How good each modality is: known answers for words, voices, noises and bodies, real ones where they are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emoje_edge.perception import audio
from emoje_edge.perception.quality import audio_quality, good, pose_quality, signal_to_noise, text_quality
from emoje_edge.perception.text import Tokenizer
from emoje_edge.shipped import TOKENIZER

VOICES = sorted((Path(__file__).parents[3] / "shared" / "data" / "ravdess").glob("03-01-05-02-01-01-*.flac"))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(TOKENIZER)


@pytest.mark.parametrize("text", ["I hate you! Get out!", "Oh my God, Chandler's moving!", "...", "Well?! 42"])
def test_plain_english_is_known(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.known(text) == 1.0


@pytest.mark.parametrize("text", ["Ich hasse dich über alles", "你好 мир", "zzxq blorpf vnrtk"])
def test_other_tongues_and_garble_are_mostly_unknown(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.known(text) < 0.5


def test_steady_noise_has_no_signal_whatever_its_level() -> None:
    noise = np.random.default_rng(0).standard_normal(3 * audio.SAMPLE_RATE).astype(np.float32)
    for level in (0.2, 0.01):
        assert signal_to_noise(level * noise) < 4
    # bursts 40 dB above it, half of the time
    bursts = noise * np.where(np.arange(len(noise)) // 8000 % 2, 0.1, 0.001).astype(np.float32)
    assert signal_to_noise(bursts) == pytest.approx(40, abs=2)
    assert signal_to_noise(np.zeros(0, np.float32)) == 0


def test_noise_is_no_speech() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(3 * audio.SAMPLE_RATE).astype(np.float32)
    assert audio_quality(noise) == pytest.approx([0, 0], abs=0.15)


@pytest.mark.skipif(not VOICES, reason="RAVDESS is not beside the checkout")
def test_a_clean_voice_is_good_and_a_drowned_one_is_not() -> None:
    from emoje_edge.perception.media import AudioBlock, decode

    blocks = decode(VOICES[0], video=False, audio=True)
    voice = np.concatenate([b.samples for b in blocks if isinstance(b, AudioBlock)])
    clean = audio_quality(voice)
    noise = voice.std() * np.random.default_rng(0).standard_normal(voice.size).astype(np.float32)
    assert clean[0] > 0.3
    assert clean[1] == 1.0
    assert audio_quality(voice + noise)[1] < 0.6
    assert audio_quality(0.1 * voice) == pytest.approx(clean, abs=0.15)


def test_a_body_counts_as_far_as_it_is_seen() -> None:
    poses = np.zeros((10, 13, 3), np.float32)
    assert pose_quality(poses).tolist() == [0, 0]
    poses[:5, :, 2] = 0.8
    assert pose_quality(poses) == pytest.approx([0.5, 0.8])
    poses[:5, 7:, 2] = 0  # no legs
    assert pose_quality(poses) == pytest.approx([0.5, 0.8 * 7 / 13])
    assert pose_quality(poses[:0]).tolist() == [0, 0]


@given(arrays.arrays(np.float32, st.integers(0, 4000), elements=st.floats(-2, 2, width=32)))
def test_any_sound_gives_two_shares(samples: np.ndarray) -> None:
    assert good().shape == (2,)
    found = audio_quality(samples)
    assert found.dtype == np.float32
    assert ((found >= 0) & (found <= 1)).all()
    assert text_quality(0.5, 7.0).tolist() == [0.5, 1.0]
