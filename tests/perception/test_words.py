"""Words where there are no subtitles: the whole way from a file to text, and what keeps words away."""

import threading
import wave

import numpy as np
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.perception.background_transcriber import BackgroundTranscriber
from emoje_edge.perception.media import AudioBlock, decode
from emoje_edge.perception.perceive import perceive
from emoje_edge.perception.text import Tokenizer
from emoje_edge.perception.transcribe import Transcriber, Words
from emoje_edge.perception.voice_activity import VoiceActivity
from emoje_edge.shipped import TOKENIZER

from .conftest import SPEECH

pytest.importorskip("ctranslate2")
SENTENCES = ["I lost the keys to my house this morning.", "They were lying on the kitchen table."]
TEXT, AUDIO = Modality.TEXT, Modality.AUDIO


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(TOKENIZER)


@pytest.fixture(scope="module")
def turns() -> np.ndarray:
    return np.concatenate([block.samples for block in decode(SPEECH / "two_turns.flac")])


def test_speech_gets_its_words(tokenizer):
    found = list(perceive(SPEECH / "two_turns.flac", tokenizer=tokenizer, words=Transcriber))
    assert [u.text for u in found] == [
        "I lost the keys to my house this morning.",
        "They were lying on the kitchen table.",
    ]
    for utterance in found:
        assert utterance.text_from == "recognised"
        assert set(utterance.features) == {TEXT, AUDIO}
        assert 0.6 < utterance.quality[TEXT][1] < 1.0
        assert utterance.latency_ms["text"] > 10
    assert np.array_equal(found[0].features[TEXT], tokenizer.encode(found[0].text))


def test_words_alone_need_no_audio_in_the_mask(tokenizer):
    found = list(perceive(SPEECH / "two_turns.flac", "text", tokenizer=tokenizer, words=Transcriber))
    assert [set(u.features) for u in found] == [{TEXT}, {TEXT}]


def test_a_mask_without_text_writes_nothing_down(tokenizer):
    def never() -> Transcriber:
        raise AssertionError("opened")

    found = list(perceive(SPEECH / "two_turns.flac", "audio", tokenizer=tokenizer, words=never))
    assert [(u.text, u.words, u.spoken) for u in found] == [(None, None, True)] * 2


def test_subtitles_are_believed(tokenizer, tmp_path):
    def never() -> Transcriber:
        raise AssertionError("opened")

    cues = tmp_path / "a.srt"
    cues.write_text("1\n00:00:00,500 --> 00:00:02,800\nMIA: Something else.\n")
    (found,) = perceive(SPEECH / "two_turns.flac", tokenizer=tokenizer, text=cues, words=never)
    assert (found.text, found.text_from, found.words) == ("Something else.", "subtitles", None)
    assert found.quality[TEXT][1] == 1.0


def test_speech_that_is_not_english_gets_no_words(tokenizer):
    found = list(perceive(SPEECH / "german.flac", tokenizer=tokenizer, words=Transcriber))
    assert found
    for utterance in found:
        assert utterance.spoken
        assert utterance.text is None
        assert utterance.text_from is None
        assert not utterance.words.sure
        assert set(utterance.features) == {AUDIO}


class Foreign:
    """As a multilingual model hears German."""

    def transcribe(self, samples):
        return Words("Ich habe den Schlüssel verloren.", -0.1, 0.01, 1.0, "de", 0.98)


def test_another_language_is_written_down_and_not_judged(tokenizer):
    found = list(perceive(SPEECH / "two_turns.flac", tokenizer=tokenizer, words=Foreign))
    assert found[0].text == "Ich habe den Schlüssel verloren."
    assert set(found[0].features) == {AUDIO}


def test_words_come_while_the_source_is_still_read(turns, clip, tokenizer):
    written, reached = threading.Event(), []

    class Watched(Transcriber):
        def transcribe(self, samples):
            words = super().transcribe(samples)
            written.set()
            return words

    def progress(time: float) -> None:
        reached.append(time)
        if time > 10:
            assert written.wait(60)

    path = clip("long.mkv", seconds=20, rate=5, sound=np.concatenate([turns, np.zeros(14 * 16000, np.float32)]))
    found = perceive(path, "text", tokenizer=tokenizer, words=Watched, progress=progress)
    assert next(found).text == SENTENCES[0]
    assert reached[-1] < 15
    found.close()


def test_no_sound_is_heard_twice(turns, clip):
    """Half a word at a cut, heard on both sides of it, made Whisper mix up whole sentences."""
    sizes = []

    class Counting:
        def transcribe(self, samples):
            sizes.append(samples.size)
            return Words("Yes.", -0.1, 0.0, 1.0)

    voice = np.tile(turns[int(0.6 * 16000) : int(2.7 * 16000)], 8)
    found = list(perceive(clip("long.m4a", pictures=False, sound=voice), "text", words=Counting))
    assert len(found) == len(sizes) >= 2
    assert sum(sizes) <= voice.size + 16000 * 0.25


def _wav(path, samples, *, rate=16000, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat((samples * 32767).astype("<i2"), channels).tobytes())
    return path


def test_a_telephone_and_a_mixing_desk(turns, tmp_path):
    """8 kHz, and twelve channels of which each holds the voice."""
    slow = np.convolve(turns, np.ones(2) / 2, "same")[::2]
    phone = list(perceive(_wav(tmp_path / "phone.wav", slow, rate=8000), words=Transcriber))
    assert phone[0].text.endswith("to my house this morning.")
    assert phone[1].text == SENTENCES[1]
    desk = list(perceive(_wav(tmp_path / "desk.wav", turns, channels=12), words=Transcriber))
    assert [u.text for u in desk] == SENTENCES


def test_a_hole_in_the_sound_loses_neither_sentence(turns):
    half = int(3.3 * 16000)
    heard = VoiceActivity()
    found = heard.add_audio(AudioBlock(0.0, turns[:half])) + heard.add_audio(AudioBlock(60.0, turns[half:]))
    found += heard.finish(60.0 + (len(turns) - half) / 16000)
    assert [u.spoken for u in found] == [True, True]
    assert found[1].start > 60


def test_a_very_short_utterance_is_a_row(turns, tmp_path):
    shout = np.concatenate([np.zeros(16000, np.float32), turns[int(0.7 * 16000) : int(1.15 * 16000)], np.zeros(16000)])
    found = list(perceive(_wav(tmp_path / "short.wav", shout), words=Transcriber))
    assert len(found) == 1
    assert found[0].end - found[0].start < 0.9
    assert AUDIO in found[0].features


def test_a_model_that_does_not_open_is_told():
    def missing() -> Transcriber:
        return Transcriber("nowhere")

    with pytest.raises(UsageError, match="is no Whisper model"):
        list(perceive(SPEECH / "two_turns.flac", words=missing))


def test_what_the_library_fails_with_is_told(turns):
    class Broken:
        def transcribe(self, samples):
            raise RuntimeError("out of memory")

    transcriber = BackgroundTranscriber(Broken)
    with pytest.raises(WorkError, match="out of memory"):
        transcriber.submit(turns).result()
    transcriber.close()
