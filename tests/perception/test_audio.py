import numpy as np
import pytest

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
    kept = audio.spoken(mel)
    # 1.4 s of speech and pause, with a tenth of a second at each end
    assert abs(len(kept) - 160) <= 4
    # the first loud frame lies a tenth of a second after the cut
    assert abs(int(np.argmax(kept.mean(axis=1) > -5)) - audio.MARGIN) <= 2


def test_an_even_background_is_not_cut():
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.01
    for mel in (audio.log_mel(noise), np.zeros((0, audio.BANDS), np.float32), np.zeros((3, audio.BANDS), np.float32)):
        assert len(audio.spoken(mel)) == len(mel)
