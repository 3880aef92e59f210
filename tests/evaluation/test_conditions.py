"""Sounds and bodies that say nothing: what each promises, and that training's differ from evaluation's."""

import numpy as np
import pytest

from emoje_edge.evaluation.conditions import (
    EVALUATION,
    TRAINING,
    Array,
    hiss,
    mix,
    music,
    noise,
    shaken,
    silence,
    still_body,
    talking_head,
)
from emoje_edge.perception.features import audio_feature, pose_feature
from emoje_edge.perception.skeleton import JOINTS, VISIBLE

FLAVOURS = pytest.mark.parametrize("flavour", [TRAINING, EVALUATION], ids=["training", "evaluation"])


def decibels(sound: Array) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))))


def generator() -> np.random.Generator:
    return np.random.default_rng(3)


@FLAVOURS
@pytest.mark.parametrize("level", [-60.0, -30.0])
def test_sounds_have_the_level_that_was_asked_for(flavour, level: float) -> None:  # type: ignore[no-untyped-def]
    g = generator()
    for sound in (
        hiss(2.0, g, level=level),
        noise(2.0, g, level=level, flavour=flavour),
        music(2.0, g, level=level, flavour=flavour),
    ):
        assert sound.dtype == np.float32
        assert sound.shape == (32_000,)
        assert decibels(sound) == pytest.approx(level, abs=0.5)
    assert not silence(2.0).any()
    assert audio_feature(silence(2.0)) is None


def test_sounds_are_drawn_and_a_seed_gives_them_again() -> None:
    first, again = (noise(1.0, generator(), level=-30, flavour=TRAINING) for _ in range(2))
    g = generator()
    a, b = music(1.0, g, level=-30, flavour=TRAINING), music(1.0, g, level=-30, flavour=TRAINING)
    assert np.array_equal(first, again)
    assert not np.array_equal(a, b)
    assert not np.array_equal(
        music(1.0, generator(), level=-30, flavour=TRAINING), music(1.0, generator(), level=-30, flavour=EVALUATION)
    )


def test_music_has_pitches_and_noise_has_none() -> None:
    def flatness(sound: Array) -> float:
        power = np.abs(np.fft.rfft(sound))[100:8000] ** 2 + 1e-12
        return float(np.exp(np.log(power).mean()) / power.mean())

    g = generator()
    assert flatness(hiss(2.0, g, level=-20)) > 0.5
    assert flatness(music(2.0, g, level=-20, flavour=EVALUATION)) < 0.15


@pytest.mark.parametrize("snr", [-10.0, 0.0, 20.0])
def test_a_mixture_has_the_ratio_that_was_asked_for(snr: float) -> None:
    g = generator()
    voice = music(2.0, g, level=-20, flavour=TRAINING)
    background = noise(1.0, g, level=-50, flavour=TRAINING)  # shorter: repeated
    mixed = mix(voice, background, snr)
    assert decibels(voice) - decibels(mixed - voice) == pytest.approx(snr, abs=0.1)


@FLAVOURS
def test_a_still_body_is_a_body_and_still(flavour) -> None:  # type: ignore[no-untyped-def]
    g = generator()
    for _ in range(10):
        body = still_body(3.0, g, flavour=flavour)
        assert body.shape == (38, len(JOINTS), 3)
        seen = body[..., 2] >= VISIBLE
        assert seen.mean(0)[:9].min() > 0.9
        shoulders = np.linalg.norm(body[:, 1, :2] - body[:, 2, :2], axis=-1).mean()
        assert body[:, :9, :2].std(0).max() < 0.25 * shoulders
        assert pose_feature(np.arange(38) / 12.5, body) is not None


@FLAVOURS
def test_of_a_talking_head_only_head_and_shoulders_are_seen(flavour) -> None:  # type: ignore[no-untyped-def]
    body = talking_head(3.0, generator(), flavour=flavour)
    seen = (body[..., 2] >= VISIBLE).mean(0)
    assert seen[:3].min() > 0.9
    assert seen[3:].max() == 0
    head, shoulders = body[:, 0, :2], body[:, 1:3, :2].mean(1)
    assert (head - shoulders).std(0).max() > (shoulders).std(0).min() / 2
    assert pose_feature(np.arange(len(body)) / 12.5, body) is not None


def test_a_shaken_body_has_the_ratio_that_was_asked_for() -> None:
    g = generator()
    body = talking_head(7.0, g, flavour=EVALUATION)
    body[:, 1:3, 0] += 0.05 * np.sin(np.arange(len(body)))[:, None]  # shoulders that move
    seen = body[..., 2] > 0
    moving = np.sqrt(np.mean([body[:, j, :2].std(0) ** 2 for j in range(13)]))
    for snr in (0.0, 20.0):
        jumps = (shaken(body, g, snr) - body)[..., :2][seen].std()
        assert 20 * np.log10(moving / jumps) == pytest.approx(snr, abs=1.0)
    nobody = np.zeros((10, 13, 3), np.float32)
    assert not shaken(nobody, g, 0.0).any()
