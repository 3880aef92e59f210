import itertools

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.loudness import Loudness
from emoje_edge.perception.media import AudioBlock, decode
from emoje_edge.perception.segmentation import LONGEST, SHORTEST, Utterance
from emoje_edge.perception.voice_activity import VoiceActivity

from .conftest import SPEECH

NOISE = np.random.default_rng(3)


def _recording(*parts: tuple[float, float], noise: float = 0.001) -> np.ndarray:
    """Sound from (seconds, loudness) parts: noise whose loudness wavers four times a second, as syllables do."""
    pieces = []
    for seconds, loudness in parts:
        time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * time)
        pieces.append(NOISE.standard_normal(time.size) * (loudness * syllables + noise))
    return np.concatenate(pieces).astype(np.float32)


def _segments(samples: np.ndarray, *, block: int = 1024, fill: float | None = None, start: float = 0.0):
    voice = VoiceActivity(fill, Loudness())
    found = []
    for first in range(0, len(samples), block):
        found += voice.add_audio(AudioBlock(start + first / SAMPLE_RATE, samples[first : first + block]))
        assert voice.horizon <= start + (first + block) / SAMPLE_RATE
    return found + voice.finish(start + len(samples) / SAMPLE_RATE)


def test_speech_between_pauses_is_found():
    found = _segments(_recording((2, 0), (1.5, 0.1), (1, 0), (2.5, 0.1), (1.5, 0)))
    assert len(found) == 2
    assert [t for u in found for t in (u.start, u.end)] == pytest.approx([2, 3.5, 4.5, 7.0], abs=0.3)


def test_an_utterance_comes_as_soon_as_it_is_over():
    voice, sound = VoiceActivity(detector=Loudness()), _recording((1, 0), (2, 0.1), (3, 0))
    for first in range(0, len(sound), 320):
        found = voice.add_audio(AudioBlock(first / SAMPLE_RATE, sound[first : first + 320]))
        if found:
            break
    assert first / SAMPLE_RATE == pytest.approx(3.5, abs=0.15)
    assert voice.horizon > 2.9


def test_a_louder_room_raises_the_floor():
    found = _segments(_recording((6, 0), (2, 0.3), (3, 0), noise=0.03))
    spoken = [u for u in found if u.start > 2]
    assert len(spoken) == 1
    assert (spoken[0].start, spoken[0].end) == pytest.approx((6, 8), abs=0.4)


@pytest.mark.parametrize("sound", [np.zeros(5 * SAMPLE_RATE, np.float32), _recording((5, 0), noise=1e-5)])
def test_silence_holds_no_utterance(sound):
    assert _segments(sound) == []


def test_long_speech_is_cut_where_it_is_quietest():
    found = _segments(_recording((1, 0), (6, 0.1), (0.1, 0.0), (8, 0.1), (1, 0)))
    assert len(found) >= 2
    assert all(u.end - u.start <= LONGEST + 0.05 for u in found)
    assert found[0].end == pytest.approx(7.05, abs=0.15)
    for before, after in itertools.pairwise(found):
        assert before.end <= after.start < before.end + 0.1  # the pause at most


def test_the_quiet_around_an_utterance_is_heard_with_it_but_no_neighbour():
    found = _segments(_recording((1, 0), (2, 0.1), (0.8, 0), (2, 0.1), (1, 0)))
    assert [t for u in found for t in (u.lead, u.tail)] == pytest.approx([0.3] * 4)
    long = _segments(_recording((1, 0), (20, 0.1), (1, 0)))  # cut where nobody pauses
    assert long[0].lead == long[-1].tail == pytest.approx(0.3)
    for before, after in itertools.pairwise(long):
        assert before.end + before.tail <= after.start + VoiceActivity._LEAD
        assert after.start - after.lead >= before.end


def test_a_long_utterance_ends_at_its_first_pause():
    # a pause of .15 s ends nothing at 2 s, but all that comes after 5.7 s
    found = _segments(_recording((1, 0), (2, 0.1), (0.15, 0), (4, 0.1), (0.15, 0), (2, 0.1), (1, 0)))
    assert [t for u in found for t in (u.start, u.end)] == pytest.approx([1, 7.15, 7.2, 9.3], abs=0.2)


def test_speech_without_a_pause_is_cut_at_most_half_a_second_back():
    voice, sound = VoiceActivity(detector=Loudness()), _recording((1, 0), (12, 0.1))
    for first in range(0, len(sound), 320):
        found = voice.add_audio(AudioBlock(first / SAMPLE_RATE, sound[first : first + 320]))
        if found:
            break
    assert (first + 320) / SAMPLE_RATE - found[0].end < 0.7


def test_a_lost_stream_ends_the_utterance_that_is_open():
    voice, sound = VoiceActivity(detector=Loudness()), _recording((1, 0), (2, 0.1))
    assert voice.open_utterance is None
    assert voice.add_audio(AudioBlock(0.0, sound)) == []
    so_far = voice.open_utterance
    assert so_far is not None
    assert (so_far.start, so_far.end) == pytest.approx((1, 3), abs=0.3)
    assert voice.close_before(3.2) == [so_far]
    assert voice.open_utterance is None


def test_clicks_are_no_utterance():
    assert _segments(_recording((2, 0), (0.04, 0.3), (2, 0), (0.04, 0.3), (2, 0))) == []


def test_windows_stand_in_where_nobody_speaks():
    found = _segments(_recording((10, 0), (2, 0.1), (1, 0)), fill=3.0)
    assert [u.spoken for u in found] == [False, False, False, True]
    assert [t for u in found[:3] for t in (u.start, u.end)] == pytest.approx([0, 3, 3, 6, 6, 9])
    assert found[3].start == pytest.approx(10, abs=0.3)


def test_a_silent_clip_shorter_than_a_window_is_one():
    found = _segments(np.zeros(SAMPLE_RATE, np.float32), fill=3.0)
    assert found == [Utterance(0.0, 1.0, spoken=False)]


def test_sound_that_ends_before_the_picture():
    voice = VoiceActivity(3.0, Loudness())
    found = voice.add_audio(AudioBlock(0.0, _recording((1, 0), (2, 0.1))))
    for time in np.arange(3, 60, 0.08):
        found += voice.advance(float(time))
    found += voice.finish(60.0)
    assert found[0].spoken
    assert not any(u.spoken for u in found[1:])
    assert found[-1].end >= 57
    for before, after in itertools.pairwise(found):
        assert after.start >= before.end - 1e-6


def test_a_hole_in_the_sound_ends_an_utterance():
    voice, sound = VoiceActivity(detector=Loudness()), _recording((0.5, 0), (1.5, 0.1))
    found = voice.add_audio(AudioBlock(0.0, sound)) + voice.add_audio(AudioBlock(30.0, sound)) + voice.finish(32.0)
    assert len(found) == 2
    assert found[0].end == pytest.approx(2.0, abs=0.3)
    assert found[1].start == pytest.approx(30.5, abs=0.3)


def test_real_speech(shared_data):
    path = sorted((shared_data / "ravdess").glob("*.flac"))[0]
    sound = np.concatenate([item.samples for item in decode(path) if isinstance(item, AudioBlock)])
    found = _segments(sound)
    assert len(found) == 1
    # the loudest tenth of the recording lies within
    energy = np.convolve(sound**2, np.ones(800), "same")
    loud = np.flatnonzero(energy > np.quantile(energy, 0.9)) / SAMPLE_RATE
    assert found[0].start < loud[0]
    assert found[0].end > loud[-1]
    assert av.open(str(path)).duration / 1e6 - (found[0].end - found[0].start) > 0.5


@settings(max_examples=30, deadline=None)
@given(
    parts=st.lists(st.tuples(st.floats(0.05, 4), st.sampled_from([0.0, 0.02, 0.1, 0.5])), min_size=1, max_size=6),
    block=st.integers(1, 4000),
    fill=st.sampled_from([None, 3.0]),
)
def test_utterances_are_ordered_bounded_and_independent_of_blocks(parts, block, fill):
    sound = _recording(*parts)
    found = _segments(sound, block=block + 200, fill=fill)
    assert found == _segments(sound, block=len(sound), fill=fill)
    for before, after in itertools.pairwise(found):
        assert after.start >= before.end - 1e-6
    for utterance in found:
        assert 0 <= utterance.start < utterance.end <= len(sound) / SAMPLE_RATE + 0.2
        assert utterance.end - utterance.start <= LONGEST + 0.05
        if utterance.spoken:
            assert utterance.end - utterance.start >= SHORTEST


def _network(samples: np.ndarray, block: int = 1024) -> list[tuple[float, float]]:
    """What the shipped network finds in a sound."""
    voice, found = VoiceActivity(), []
    for first in range(0, len(samples), block):
        found += voice.add_audio(AudioBlock(first / SAMPLE_RATE, samples[first : first + block]))
    return [(u.start, u.end) for u in found + voice.finish(len(samples) / SAMPLE_RATE) if u.spoken]


@pytest.fixture(scope="module")
def turns() -> np.ndarray:
    """Two sentences, at 0.5 to 2.83 s and 4.03 to 6.05 s."""
    return np.concatenate([block.samples for block in decode(SPEECH / "two_turns.flac")])


@pytest.mark.parametrize("block", [160, 1024, 100_000])
def test_the_network_finds_two_turns(turns, block):
    found = _network(turns, block)
    assert len(found) == 2
    assert [t for turn in found for t in turn] == pytest.approx([0.5, 2.83, 4.03, 6.05], abs=0.15)


def test_the_network_hears_speech_and_no_music(turns):
    beat = 1 + np.sign(np.sin(2 * np.pi * 2 * np.arange(turns.size) / SAMPLE_RATE))
    chord = sum(np.sin(2 * np.pi * hertz * np.arange(turns.size) / SAMPLE_RATE) for hertz in (220, 277, 330))
    music = (0.01 * beat * chord).astype(np.float32)
    assert _network(music) == []
    assert len(_network(turns + music)) == 2


def test_speech_after_a_muted_beginning_is_the_same_later(turns):
    """Case: 12 s of digital silence made the energy detector cut the speech after it in the middle of words."""
    later = _network(np.concatenate([np.zeros(12 * SAMPLE_RATE, np.float32), turns]))
    assert np.array(later) - 12 == pytest.approx(np.array(_network(turns)), abs=0.1)


def test_a_voice_that_never_pauses_is_cut_at_its_least_likely_frame(turns):
    sentence = turns[int(0.6 * SAMPLE_RATE) : int(2.7 * SAMPLE_RATE)]
    found = _network(np.tile(sentence, 10))
    assert len(found) >= 3
    assert all(SHORTEST <= end - start <= LONGEST + 0.05 for start, end in found)
    for (_, end), (start, _) in itertools.pairwise(found):
        assert start - end < 0.6


def test_late_sound_is_left_out(turns):
    """Sound that a pipe delivers again, older than what was judged, must not shift what comes after it."""
    voice = VoiceActivity()
    half = 3 * SAMPLE_RATE
    found = voice.add_audio(AudioBlock(0.0, turns[:half]))
    found += voice.add_audio(AudioBlock(1.0, turns[SAMPLE_RATE : 2 * SAMPLE_RATE]))
    found += voice.add_audio(AudioBlock(3.0, turns[half:])) + voice.finish(len(turns) / SAMPLE_RATE)
    assert [t for u in found for t in (u.start, u.end)] == pytest.approx([0.5, 2.83, 4.03, 6.05], abs=0.15)
