"""The calibration set that ships: sentences of our own, voices and bodies made here.  Free of anybody's data.

Good enough to build and check engines anywhere; a set from the place where the device will listen is better.
Voices are harmonics through moving formants (source and filter: Fant, 1960), bodies a standing skeleton with swinging
limbs; both go through the same feature code as a recording.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emoje_edge.engine.calibration_set import CalibrationSet, pad_rows
from emoje_edge.modality import QUALITIES, Modality
from emoje_edge.model.config import LandmarkEncoder, LogMelEncoder, ModelConfig, TextEncoder, WhisperEncoder
from emoje_edge.model.network import input_shape
from emoje_edge.perception import audio, skeleton
from emoje_edge.perception.features import pose_feature, sound_feature
from emoje_edge.perception.text import Tokenizer
from emoje_edge.shipped import SENTENCES, TOKENIZER

SHIPPED = "synthetic"
VOICES = 40  # then they repeat, beside other words and bodies
_FORMANTS = np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480], [570, 840, 2410]])


def synthetic_set(config: ModelConfig, tokenizer: Path | None, samples: int) -> CalibrationSet:
    """`samples` utterances of every modality that the model has; the same ones each time."""
    generator = np.random.default_rng(20240210)
    rows: dict[Modality, list[np.ndarray]] = {}
    for m in config.mask:
        match config.encoder(m):
            case TextEncoder(tokens=length):
                rows[m] = _texts(tokenizer, length, samples, generator)
            case LogMelEncoder(bands=bands) | WhisperEncoder(bands=bands):
                made = (sound_feature(voice(generator), bands) for _ in range(min(samples, VOICES)))
                rows[m] = [heard for heard in made if heard is not None]
            case LandmarkEncoder():
                rows[m] = [seen for _ in range(samples) if (seen := _seen(body(generator))) is not None]
            case _:  # features computed elsewhere: unit variance is all that is known of them
                shape = input_shape(config, m)
                rows[m] = list(generator.standard_normal((samples, *shape)).astype(np.float32))
    # drawn, not measured: made voices are no speech to the network that looks for it
    quality = {m: list(generator.uniform(0, 1, (len(rows[m]), QUALITIES)).astype(np.float32)) for m in rows}
    return pad_rows(rows, config, samples, SHIPPED, quality=quality)


def _seen(joints: np.ndarray) -> np.ndarray | None:
    return pose_feature(np.arange(len(joints)) / skeleton.RATE, joints)


def _texts(tokenizer: Path | None, length: int, samples: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Each sentence alone, then in pairs."""
    encode = Tokenizer(tokenizer or TOKENIZER, length=length).encode
    sentences = SENTENCES.read_text(encoding="utf-8").split("\n")
    sentences = [s for s in sentences if s]
    texts = sentences[:samples]
    while len(texts) < samples:
        first, second = generator.choice(sentences, 2, replace=False)
        texts.append(f"{first} {second}")
    return [encode(text) for text in texts]


def voice(generator: np.random.Generator) -> np.ndarray:
    """A made voice: float32 [N] at 16 kHz, 0.8 to 7.7 s, with syllables, melody, breath and a room's noise."""
    rate = audio.SAMPLE_RATE
    n = int(generator.uniform(0.8, 7.7) * rate)
    t = np.arange(n) / rate
    melody = np.interp(t, np.linspace(0, t[-1], 8), generator.uniform(0.8, 1.3, 8))
    pitch = generator.uniform(90, 260) * melody
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    vowels = _FORMANTS[generator.integers(0, len(_FORMANTS), 12)] * generator.uniform(0.9, 1.2)
    formants = np.stack([np.interp(t, np.linspace(0, t[-1], 12), vowels[:, i]) for i in range(3)])
    sound = np.zeros(n)
    for harmonic in range(1, 26):
        frequency = harmonic * pitch
        gain = (1 / (1 + ((frequency - formants) / 120) ** 2)).sum(0)
        sound += gain * np.sin(harmonic * phase) * (frequency < rate / 2) / harmonic**0.5
    syllables = np.clip(np.sin(2 * np.pi * generator.uniform(2.5, 5.0) * t + generator.uniform(0, 6)), 0, 1) ** 0.7
    breath = generator.standard_normal(n) * np.clip(-np.sin(9 * t), 0, 1) * 0.2
    noise = generator.standard_normal(n) * 10 ** generator.uniform(-3.5, -1.5)
    loudness = 10 ** generator.uniform(-2, -0.5)
    return ((sound * syllables + breath) * loudness / max(np.abs(sound).max(), 1e-9) + noise * loudness).astype(
        np.float32
    )


def body(generator: np.random.Generator) -> np.ndarray:
    """A made body: float32 [T, 13, 3] landmarks at 12.5 Hz in image heights, 12 to 96 frames."""
    frames = int(generator.integers(12, 97))
    t = np.arange(frames) / skeleton.RATE
    half = np.array([0.0, 1, -1, 1.3, -1.3, 1.2, -1.2, 0.6, -0.6, 0.6, -0.6, 0.6, -0.6]) / 2
    down = np.array([-0.75, 0, 0, 0.8, 0.8, 1.5, 1.5, 1.45, 1.45, 2.5, 2.5, 3.5, 3.5])
    turn = np.cos(generator.uniform(-1, 1) + 0.3 * np.sin(t))[:, None]
    lean = 0.3 * generator.standard_normal() * (1.45 - down)[None] * (1 + 0.2 * np.sin(2 * t))[:, None]
    x, y = half[None] * turn + lean, np.repeat(down[None], frames, 0)
    swing = generator.uniform(0, 1.2, (2, 13)) * np.array([0.2, 0.1, 0.1, 1, 1, 2, 2, 0, 0, 0.4, 0.4, 0.8, 0.8]) / 2
    speed, start = generator.uniform(0.3, 4, 13), generator.uniform(0, 6, (2, 13))
    x = x + swing[0] * np.sin(speed * t[:, None] + start[0])
    y = y - np.abs(swing[1] * np.sin(speed * t[:, None] + start[1]))
    visible = np.clip(generator.uniform(0.6, 1, 13) + 0.05 * generator.standard_normal((frames, 13)), 0, 1)
    if generator.random() < 0.5:  # legs out of the picture, as in most conversations
        visible[:, 9:] = 0
    pose = np.stack([x, y, visible], -1)
    pose[..., :2] = 0.5 + 0.12 * pose[..., :2] + 0.002 * generator.standard_normal((frames, 13, 2))
    return pose.astype(np.float32)
