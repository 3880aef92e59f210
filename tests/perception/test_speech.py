import numpy as np
import pytest

from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.media import decode
from emoje_edge.perception.speech import FRAME, LevelledSpeech, SpeechStream, speech_share

from .conftest import SPEECH, tone

# s, where the two sentences lie in the recording
TURNS = ((0.5, 2.83), (4.03, 6.05))


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    return np.concatenate([block.samples for block in decode(SPEECH / "two_turns.flac")])


def test_speech_is_where_somebody_speaks(recording):
    whole = recording[: len(recording) // FRAME * FRAME]
    speech = SpeechStream().levels(whole) >= 0.5
    times = np.arange(len(speech)) * FRAME / SAMPLE_RATE
    said = np.logical_or.reduce([(times >= start) & (times < end) for start, end in TURNS])
    assert (speech == said).mean() > 0.9
    assert speech_share(recording) == pytest.approx(said.mean(), abs=0.1)


@pytest.mark.parametrize("volume", [0.1, 3.0])
def test_volume_does_not_decide_who_speaks(recording, volume):
    """In a noise 10 dB below the voice; the network alone calls 7 of 100 frames otherwise at three times the volume."""
    whole = recording[: len(recording) // FRAME * FRAME]
    noisy = whole + np.random.default_rng(0).normal(0, 0.3 * whole.std(), whole.size).astype(np.float32)
    here, there = (LevelledSpeech().levels(noisy * np.float32(gain)) >= 0.35 for gain in (1.0, volume))
    assert (here == there).mean() > 0.97


@pytest.mark.parametrize(
    "sound", [np.zeros(9 * SAMPLE_RATE, np.float32), 0.001 * tone(9.0), np.full(SAMPLE_RATE, np.nan)]
)
def test_silence_is_not_made_speech_by_turning_it_up(sound):
    whole = sound[: len(sound) // FRAME * FRAME].astype(np.float32)
    assert (LevelledSpeech().levels(whole) < 0.2).all()


@pytest.mark.parametrize("frames", [1, 4, 7])
def test_pieces_give_what_the_whole_gives(recording, frames):
    whole = recording[: len(recording) // (28 * FRAME) * 28 * FRAME]
    stream = SpeechStream()
    pieces = [stream.levels(piece) for piece in np.split(whole, len(whole) // (frames * FRAME))]
    np.testing.assert_allclose(np.concatenate(pieces), SpeechStream().levels(whole), atol=1e-3)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(SAMPLE_RATE, np.float32),
        np.random.default_rng(0).normal(0, 0.05, 3 * SAMPLE_RATE).astype(np.float32),
        tone(3.0) + tone(3.0, hertz=554.4) + tone(3.0, hertz=659.3),
        np.full(SAMPLE_RATE, np.nan, np.float32),
        np.zeros(FRAME - 1, np.float32),
        np.zeros(0, np.float32),
    ],
)
def test_noise_and_chords_are_no_speech(sound):
    assert speech_share(sound) == pytest.approx(0.0, abs=0.05)
