import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emoje_edge.errors import UsageError
from emoje_edge.perception import audio


def _sound(seconds: float, seed: int = 0) -> np.ndarray:
    time = np.arange(int(seconds * audio.SAMPLE_RATE)) / audio.SAMPLE_RATE
    noise = np.random.default_rng(seed).standard_normal(time.size)
    return (0.3 * np.sin(2 * np.pi * (200 + 400 * time) * time) + 0.01 * noise).astype(np.float32)


def test_log_mel_equals_transformers():
    reference = pytest.importorskip("transformers.audio_utils")
    filters = reference.mel_filter_bank(
        num_frequency_bins=257,
        num_mel_filters=64,
        min_frequency=60,
        max_frequency=7600,
        sampling_rate=16000,
        mel_scale="htk",
    )
    sound = _sound(1.3)
    expected = reference.spectrogram(
        sound,
        reference.window_function(400, "hann"),
        frame_length=400,
        hop_length=160,
        fft_length=512,
        power=2.0,
        center=False,
        mel_filters=filters,
        mel_floor=audio.FLOOR,
        log_mel="log",
    ).T
    actual = audio.log_mel(sound)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, atol=2e-3)


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (399, 1), (400, 1), (559, 1), (560, 2), (16000, 98)])
def test_frame_count(samples, frames):
    mel = audio.log_mel(np.zeros(samples, dtype=np.float32))
    assert mel.shape == (frames, audio.BANDS)
    assert mel.dtype == np.float32
    assert audio.normalise(mel).shape == mel.shape


def test_longest_utterance_fits_the_engine_input():
    assert len(audio.log_mel(np.zeros(int(7.68 * audio.SAMPLE_RATE), dtype=np.float32))) <= 768


def test_blocks_join_without_a_seam():
    sound = _sound(30.0)
    whole = audio.log_mel(sound)
    assert len(whole) > audio._BLOCK
    part = audio.log_mel(sound[(audio._BLOCK - 5) * audio.HOP :])
    np.testing.assert_allclose(part, whole[audio._BLOCK - 5 :], atol=1e-5)


def test_normalise_takes_the_gain_out_and_keeps_the_tilt():
    mel = audio.log_mel(_sound(2.0))
    louder = audio.log_mel(4 * _sound(2.0))
    np.testing.assert_allclose(audio.normalise(louder), audio.normalise(mel), atol=1e-2)
    normal = audio.normalise(mel)
    assert abs(float(normal.mean())) < 1e-3
    assert abs(float(normal.std()) - 1) < 1e-3
    assert float(normal.mean(axis=0).std()) > 0.1


def test_silence_stays_small_and_finite():
    assert not audio.normalise(audio.log_mel(np.zeros(16000, dtype=np.float32))).any()
    broken = _sound(0.5)
    broken[100:200] = np.nan
    broken[300] = np.inf
    assert np.isfinite(audio.normalise(audio.log_mel(broken))).all()


def test_two_channels_are_refused():
    with pytest.raises(UsageError, match=r"\(2, 16000\)"):
        audio.log_mel(np.zeros((2, 16000), dtype=np.float32))


def test_silent_ends_go_and_what_is_said_stays():
    sound = np.concatenate([np.zeros(8000), _sound(0.5), np.zeros(3200), _sound(0.7, 1), np.zeros(12000)])
    mel = audio.log_mel(sound.astype(np.float32) + 1e-5)
    kept = mel[audio.speech_span(mel)]
    # 1.4 s of speech and pause, with a tenth of a second at each end
    assert abs(len(kept) - 160) <= 4
    # the first loud frame lies a tenth of a second after the cut
    assert abs(int(np.argmax(kept.mean(axis=1) > -5)) - audio.MARGIN) <= 2


def test_an_even_background_is_not_cut():
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.01
    for mel in (audio.log_mel(noise), np.zeros((0, audio.BANDS), np.float32), np.zeros((3, audio.BANDS), np.float32)):
        assert len(mel[audio.speech_span(mel)]) == len(mel)


def _words(seed: int = 0) -> np.ndarray:
    """A made voice: gliding harmonics in bursts, hisses between them, and a pause of room noise."""
    g = np.random.default_rng(seed)
    sound = 1e-4 * g.standard_normal(2 * audio.SAMPLE_RATE)
    for at in np.arange(0.15, 1.8, 0.3):
        time = np.arange(int(0.2 * audio.SAMPLE_RATE)) / audio.SAMPLE_RATE
        pitch = g.uniform(110, 220) * (1 + 0.3 * time)
        voice = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 30)) + 0.3 * g.standard_normal(time.size)
        first = int(at * audio.SAMPLE_RATE)
        sound[first : first + time.size] += 0.1 * g.uniform(0.3, 1) * voice * np.hanning(time.size)
    return sound.astype(np.float32)


@given(decibels=st.floats(-40, 25), offset=st.floats(-0.5, 0.5), seed=st.integers(0, 20))
@settings(max_examples=30, deadline=None)
def test_neither_gain_nor_offset_changes_what_is_heard(decibels, offset, seed):
    sound = _words(seed)
    changed = (sound * 10 ** (decibels / 20) + offset).astype(np.float32)
    heard = audio.utterance_frames(sound)
    # float32 beside an offset keeps 24 bits of the sum, less of a quiet sound
    tolerance = 1e-4 if offset == 0 else 0.1
    if abs(offset) < 0.05 * np.abs(changed).max() or offset == 0:
        np.testing.assert_allclose(audio.utterance_frames(changed), heard, atol=tolerance)
    assert audio.utterance_frames(changed).shape == heard.shape


@pytest.mark.parametrize("mains", [49.93, 50.04, 59.98, 60.1])
@pytest.mark.parametrize("loudness", [1.0, 10.0])
def test_a_hum_is_taken_out_and_the_voice_stays(mains, loudness):
    sound = _words()
    time = np.arange(sound.size) / audio.SAMPLE_RATE
    hum = sum(np.sin(2 * np.pi * mains * k * time + k) / k for k in (1, 2, 3, 5, 7))
    both = sound + (loudness * sound.std() / hum.std() * hum).astype(np.float32)
    clean, mended = audio.log_mel(sound), audio.log_mel(audio.without_hum(both, audio.SAMPLE_RATE))
    loud = clean > clean.max() - 7  # the voice itself, 30 dB down
    assert np.abs(audio.log_mel(both) - clean)[loud].mean() > 2 * np.abs(mended - clean)[loud].mean()
    assert np.abs(mended - clean)[loud].mean() < 0.15
    assert audio.without_hum(sound, audio.SAMPLE_RATE) is sound


def test_a_band_that_a_narrow_channel_emptied_sounds_as_its_neighbour():
    sound = _words()
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(sound.size, 1 / audio.SAMPLE_RATE) > 3700] = 0
    wide, narrow = (audio.utterance_frames(x) for x in (sound, np.fft.irfft(spectrum).astype(np.float32)))
    hertz = audio._hertz(np.linspace(audio._mel(audio.LOW_HZ), audio._mel(audio.HIGH_HZ), audio.BANDS + 2))[1:-1]
    last = int(np.flatnonzero(hertz < 3600)[-1])
    assert np.abs(narrow[:, hertz > 4200] - narrow[:, [last]]).mean() < 0.5
    # one mean and deviation of all bands, as before the change, moves the rest by more than half a deviation
    assert np.abs(narrow - wide)[:, : last - 2].mean() < 0.2


@pytest.mark.parametrize("kind", ["zeros", "offset", "last bit", "hum"])
def test_what_holds_no_sound_is_silence(kind):
    time = np.arange(2 * audio.SAMPLE_RATE) / audio.SAMPLE_RATE
    sounds = {
        "zeros": 0 * time,
        "offset": 0 * time + 0.4,
        "last bit": np.random.default_rng(0).integers(-1, 2, time.size) / 32768,
        "hum": 0.2 * np.sin(2 * np.pi * 50.03 * time) + 0.1 * np.sin(2 * np.pi * 150.09 * time),
    }
    assert audio.utterance_frames(sounds[kind].astype(np.float32)) is None


def test_quiet_speech_is_no_silence():
    assert audio.utterance_frames(0.005 * _words()) is not None
