"""What may come beside an utterance and say nothing about it: noise, music, silence, bodies that stand or sit.

Made from numbers, so that training and evaluation have them everywhere.  Both use the same makers under another
`Flavour` and other seeds: an evaluation on the very sounds of the training would measure memory.
Sounds are float32 [N] at 16 kHz of full scale 1; bodies float32 [T, 13, 3] at 12.5 Hz, x and y in picture heights (y
down) and visibility, as a pose estimator gives them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.skeleton import RATE

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Flavour:
    """Ranges from which sounds and bodies are drawn.

    Attributes:
        slope: of a noise's spectrum, dB an octave.
        flicker: how fast a noise swells and falls, Hz.
        tempo: of music, notes a minute.
        root: of its scale, Hz.
        scale: semitones above the root.
        partials: harmonics of an instrument, few and many.
        sway: of a still body, picture heights.
        jitter: deviation of a landmark, picture heights.
        nods: of a talking head, Hz.
    """

    slope: tuple[float, float]
    flicker: tuple[float, float]
    tempo: tuple[float, float]
    root: tuple[float, float]
    scale: tuple[int, ...]
    partials: tuple[int, int]
    sway: tuple[float, float]
    jitter: tuple[float, float]
    nods: tuple[float, float]


TRAINING = Flavour(
    slope=(-9.0, 3.0),
    flicker=(0.2, 3.0),
    tempo=(90.0, 260.0),
    root=(80.0, 330.0),
    scale=(0, 2, 4, 7, 9),
    partials=(2, 6),
    sway=(0.0, 0.02),
    jitter=(0.0005, 0.006),
    nods=(0.5, 2.0),
)
EVALUATION = Flavour(
    slope=(-7.0, 0.0),
    flicker=(0.5, 5.0),
    tempo=(120.0, 400.0),
    root=(110.0, 260.0),
    scale=(0, 2, 3, 5, 7, 8, 11),
    partials=(3, 10),
    sway=(0.002, 0.012),
    jitter=(0.001, 0.004),
    nods=(0.8, 2.5),
)

# A person of height 1 who stands before the camera, the feet at y = 1: [13, 2], joints as in `skeleton.JOINTS`.
_STANDING = np.array(
    [
        (0.0, 0.07), (0.11, 0.19), (-0.11, 0.19), (0.15, 0.36), (-0.15, 0.36), (0.16, 0.5), (-0.16, 0.5),
        (0.08, 0.52), (-0.08, 0.52), (0.08, 0.75), (-0.08, 0.75), (0.08, 0.97), (-0.08, 0.97),
    ]
)  # fmt: skip
# The same sitting, seen from the front: thighs towards the camera, hands on them.
_SITTING = _STANDING + np.array(
    [
        (0, 0.3), (0, 0.3), (0, 0.3), (0, 0.29), (0, 0.29), (-0.06, 0.25), (0.06, 0.25),
        (0, 0.28), (0, 0.28), (0.02, 0.12), (-0.02, 0.12), (0.02, 0.0), (-0.02, 0.0),
    ]
)  # fmt: skip
_LEGS, _FEET, _ARMS_AND_BELOW = slice(9, 13), slice(11, 13), slice(3, 13)


def silence(seconds: float) -> Array:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def hiss(seconds: float, g: np.random.Generator, *, level: float) -> Array:
    """White noise of a level (RMS) in dB below full scale."""
    return _at_level(g.standard_normal(round(seconds * SAMPLE_RATE)), level)


def noise(seconds: float, g: np.random.Generator, *, level: float, flavour: Flavour) -> Array:
    """A fan, a street, the sea: noise with a sloping spectrum that swells and falls; level as for `hiss`."""
    samples = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(g.standard_normal(samples))
    hertz = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 50.0)
    sound = np.fft.irfft(spectrum * (hertz / 1000) ** (g.uniform(*flavour.slope) / 6.02), samples)
    time = np.arange(samples) / SAMPLE_RATE
    swell = 1 + g.uniform(0, 0.9) * np.sin(2 * np.pi * (g.uniform(*flavour.flicker) * time + g.random()))
    return _at_level(sound * swell, level)


def music(seconds: float, g: np.random.Generator, *, level: float, flavour: Flavour) -> Array:
    """A melody over a bass and a beat, all drawn at random; level as for `hiss`."""
    samples = round(seconds * SAMPLE_RATE)
    sound = np.zeros(samples)
    root, step = g.uniform(*flavour.root), max(1, round(60 / g.uniform(*flavour.tempo) * SAMPLE_RATE))
    shape = 1 / np.arange(1, g.integers(*flavour.partials) + 1) ** g.uniform(0.7, 1.6)
    beat = np.asarray(hiss(0.05, g, level=-6.0) * np.exp(-np.arange(800) / 160), np.float64)
    for number, first in enumerate(range(0, samples, step)):
        degree = flavour.scale[g.integers(len(flavour.scale))]
        _add(sound, first, _note(root * 2 ** (1 + degree / 12), 1.5 * step, shape))
        if number % 4 == 0:
            _add(sound, first, 1.5 * _note(root / 2 * 2 ** (degree / 12), 4.0 * step, shape))
        _add(sound, first, (1.0 if number % 2 else 0.4) * beat)
    return _at_level(sound, level)


def mix(sound: Array, background: Array, snr: float) -> Array:
    """A sound before a background (repeated or cut to its length), `snr` dB louder than it (RMS)."""
    behind = np.resize(background, sound.shape)
    gain = _rms(sound) / _rms(behind) * 10 ** (-snr / 20)
    return (sound + np.float32(gain) * behind).astype(np.float32)


def still_body(seconds: float, g: np.random.Generator, *, flavour: Flavour) -> Array:
    """Somebody who stands or sits and does nothing, whole, to the knees or to the hips in the picture."""
    pose = _STANDING if g.random() < 0.5 else _SITTING
    body = _recorded(pose, seconds, g, flavour)
    cut = (None, _FEET, _LEGS)[g.integers(3)]
    if cut is not None:
        body[:, cut, 2] = g.uniform(0.0, 0.3)
    return body


def talking_head(seconds: float, g: np.random.Generator, *, flavour: Flavour) -> Array:
    """Head and shoulders before a camera that stands near; the head moves as people's do who talk."""
    body = _recorded(_SITTING, seconds, g, flavour)
    body[..., :2] = (body[..., :2] - body[:, 1:3, :2].mean(1, keepdims=True)) * g.uniform(2.0, 3.0) + (0.6, 0.75)
    time = np.arange(len(body)) / RATE
    for axis in (0, 1):
        course = np.sin(2 * np.pi * (g.uniform(*flavour.nods) * time + g.random()))
        body[:, 0, axis] += g.uniform(0.005, 0.03) * course * np.sin(2 * np.pi * 0.3 * time + g.random())
    body[:, _ARMS_AND_BELOW, 2] = g.uniform(0.0, 0.3)
    return body


def shaken(body: Array, g: np.random.Generator, snr: float) -> Array:
    """A body whose landmarks jump about: noise `snr` dB below the joints' own movement (deviation over time)."""
    out, seen = body.copy(), body[..., 2] > 0
    if not seen.any():
        return out
    moving = [body[seen[:, j], j, :2].std(0) for j in range(body.shape[1]) if seen[:, j].any()]
    scale = float(np.sqrt(np.mean(np.square(moving)))) * 10 ** (-snr / 20)
    out[..., :2] += (g.normal(0, scale, out[..., :2].shape) * seen[..., None]).astype(np.float32)
    return out


def _recorded(pose: NDArray[np.float64], seconds: float, g: np.random.Generator, flavour: Flavour) -> Array:
    """[T, 13, 3] of a pose: a person of some size at some place, swaying a little, with an estimator's jitter."""
    frames = max(2, round(seconds * RATE))
    time = np.arange(frames) / RATE
    body = np.empty((frames, len(pose), 3), np.float32)
    sway = g.uniform(*flavour.sway) * np.sin(2 * np.pi * (g.uniform(0.1, 0.5) * time + g.random()))
    height = 1 - pose[:, 1]  # what is higher sways further
    body[..., 0] = g.uniform(0.4, 0.9) + g.uniform(0.9, 1.1) * pose[:, 0] + sway[:, None] * height
    body[..., 1] = pose[:, 1]
    body[..., :2] *= g.uniform(0.5, 0.95)
    body[..., :2] += g.normal(0, g.uniform(*flavour.jitter), body[..., :2].shape)
    body[..., 2] = np.clip(g.normal(0.95, 0.03, body.shape[:2]), 0.6, 1.0)
    return body


def _note(hertz: float, samples: float, shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """A struck string: harmonics up to 7 kHz, falling off."""
    time = np.arange(round(samples)) / SAMPLE_RATE
    tone = sum(a * np.sin(2 * np.pi * hertz * k * time) for k, a in enumerate(shape, 1) if hertz * k < 7000)
    return np.asarray(tone) * np.exp(-2.5 * time) * np.minimum(1, 200 * time)


def _add(sound: NDArray[np.float64], first: int, part: NDArray[np.float64]) -> None:
    end = min(len(sound), first + len(part))
    sound[first:end] += part[: end - first]


def _at_level(sound: NDArray[np.float64], level: float) -> Array:
    scaled = sound * (10 ** (level / 20) / _rms(sound))
    return np.clip(scaled, -1.0, 1.0).astype(np.float32)


def _rms(sound: NDArray[np.floating]) -> float:
    return max(float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))), 1e-12)
