import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.media import AudioBlock, decode
from emoje_edge.perception.transcribe import LEAST_LOGPROB, Transcriber, Words, log_mel, mel_filters
from emoje_edge.shipped import WHISPER

from .conftest import SPEECH, tone

pytest.importorskip("ctranslate2")


def _sound(path: Path) -> np.ndarray:
    return np.concatenate([item.samples for item in decode(path) if isinstance(item, AudioBlock)])


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber()


def test_two_sentences_are_written_down(transcriber):
    words = transcriber.transcribe(_sound(SPEECH / "two_turns.flac"))
    assert words.sure
    assert re.sub(r"[.,]", "", words.text).lower() == (
        "i lost the keys to my house this morning they were lying on the kitchen table"
    )
    assert 0.7 < words.confidence <= 1.0


def test_acted_speech(transcriber, shared_data):
    """RAVDESS clip 01-01-01 of actor 1 says this."""
    words = transcriber.transcribe(_sound(shared_data / "ravdess" / "03-01-01-01-01-01-01.flac"))
    assert words.text == "Kids are talking by the door."
    assert words.sure


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(4 * SAMPLE_RATE, np.float32),
        np.random.default_rng(0).normal(0, 0.01, 4 * SAMPLE_RATE).astype(np.float32),
        tone(4.0),
        np.full(SAMPLE_RATE, np.nan, np.float32),
        np.zeros(0, np.float32),
    ],
)
def test_nothing_is_heard_in_noise(transcriber, sound):
    assert not transcriber.transcribe(sound).sure


def test_another_language_is_not_taken_for_english(transcriber):
    words = transcriber.transcribe(_sound(SPEECH / "german.flac"))
    assert not words.sure
    assert words.logprob < LEAST_LOGPROB - 0.25  # -1.10, and no near miss


def test_a_long_and_a_very_short_sound(transcriber):
    twice = np.tile(_sound(SPEECH / "two_turns.flac"), 3)
    assert twice.size > 15 * SAMPLE_RATE
    assert transcriber.transcribe(twice).text.lower().count("kitchen table") >= 2
    assert isinstance(transcriber.transcribe(twice[: int(0.4 * SAMPLE_RATE)]), Words)


def test_features_are_whispers_own():
    transformers = pytest.importorskip("transformers")
    reference = transformers.WhisperFeatureExtractor(feature_size=80, chunk_length=15)
    sound = _sound(SPEECH / "two_turns.flac")
    expected = reference(sound, sampling_rate=SAMPLE_RATE, return_tensors="np").input_features[0]
    mel = log_mel(sound, 15.0)
    assert mel.shape == expected.shape == (80, 1500)
    np.testing.assert_allclose(mel, expected, atol=2e-3)
    np.testing.assert_allclose(mel_filters(80), reference.mel_filters, atol=1e-6)


@pytest.mark.parametrize(
    ("logprob", "no_speech", "compression", "text", "sure"),
    [
        (-0.2, 0.1, 1.0, "Hi.", True),
        (-0.81, 0.1, 1.0, "Hi.", False),
        (-0.2, 0.61, 1.0, "Hi.", False),
        (-0.2, 0.1, 2.41, "no no no", False),
        (-0.2, 0.1, 1.0, "...", False),
    ],
)
def test_what_counts(logprob, no_speech, compression, text, sure):
    assert Words(text, logprob, no_speech, compression).sure is sure


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(UsageError, match=r"no model\.bin"):
        Transcriber(tmp_path)
    with pytest.raises(UsageError, match="is no Whisper model"):
        Transcriber(tmp_path / "nowhere")


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "whisper"
    shutil.copytree(WHISPER, folder)
    return folder


def test_a_half_copied_model(copy):
    data = (copy / "model.bin").read_bytes()
    (copy / "model.bin").write_bytes(data[: len(data) // 2])
    with pytest.raises(WorkError, match="is not the file that was added"):
        Transcriber(copy)


def test_a_tokenizer_of_another_model(copy):
    text = json.loads((copy / "tokenizer.json").read_text())
    text["added_tokens"] = []
    (copy / "tokenizer.json").write_text(json.dumps(text))
    with pytest.raises((UsageError, WorkError)):
        Transcriber(copy)


def test_a_language_that_the_model_does_not_know():
    with pytest.raises(UsageError, match="English only"):
        Transcriber(language="de")
    assert Transcriber(language="en").language == "en"
