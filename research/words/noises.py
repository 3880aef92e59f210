"""A labelled test of voice activity: RAVDESS clips with pauses before ten backgrounds, and minutes without speech.

python -m research.words.noises DATA                what is published
python -m research.words.noises DATA development    other clips before the noises of training: for finding thresholds
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.evaluation import conditions
from emoje_edge.evaluation.conditions import TRAINING, Flavour
from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.loudness import Loudness
from emoje_edge.perception.media import AudioBlock, decode
from emoje_edge.perception.voice_activity import VoiceActivity
from research.augmentation import backgrounds as trained

Sound = NDArray[np.float32]
LEVEL, CLIPS, STEP = 0.05, 48, 160  # RMS of speech; RAVDESS clips in a recording; samples a label
# Speech lies that far (dB) below a clip's loudest 10 ms at most: breath and sobs lie lower; holes (10 ms) to close;
# what stands alone and is shorter (10 ms) is a click.
_RANGE_DB, _HOLE, _CLICK = 25.0, 30, 15


def main(data: Path, part: str = "published") -> None:
    """Print F1, recall and false speech of Silero and of energy on every background."""
    rng = np.random.default_rng(0)
    cases = development(data, rng) if part == "development" else {**backgrounds(data, rng), **silent(data, rng)}
    print("| sound | Silero F1 | recall | false s/min | energy F1 | false s/min |\n|---|---|---|---|---|---|")
    for name, (sound, spoken) in cases.items():
        network = scores(VoiceActivity(), sound, spoken)
        energy = scores(VoiceActivity(detector=Loudness()), sound, spoken)
        found = f"{network[0]:.3f} | {network[1]:.3f}" if spoken.any() else "– | –"
        old = f"{energy[0]:.3f}" if spoken.any() else "–"
        print(f"| {name} | {found} | {network[2]:.1f} | {old} | {energy[2]:.1f} |", flush=True)


def backgrounds(data: Path, rng: np.random.Generator) -> dict[str, tuple[Sound, NDArray[np.bool_]]]:
    """Speech before nothing, and before three noises at three signal-to-noise ratios (dB), with its labels."""
    speech, spoken = conversation(data, rng)
    cases = {"clean": (speech + LEVEL * 1e-3 * white(speech.size, rng), spoken)}
    for name, make in noises(data).items():
        noise = make(speech.size, rng)
        for ratio in (20, 10, 5):
            cases[f"{name}, {ratio} dB"] = (speech + np.float32(LEVEL * 10 ** (-ratio / 20)) * noise, spoken)
    return cases


def development(data: Path, rng: np.random.Generator) -> dict[str, tuple[Sound, NDArray[np.bool_]]]:
    """As `backgrounds`, with clips that are not among those, and other noises."""
    speech, spoken = conversation(data, rng, first=CLIPS)
    cases = {"clean": (speech + LEVEL * 1e-3 * white(speech.size, rng), spoken)}
    for name, make in {"street": trained.street, "noise": _noise, "applause": trained.applause}.items():
        parts = [_unit(make(20.0, rng, flavour=TRAINING)) for _ in range(speech.size // (20 * SAMPLE_RATE) + 1)]
        noise = np.concatenate(parts)[: speech.size]
        for ratio in (20, 10, 5):
            cases[f"{name}, {ratio} dB"] = (speech + np.float32(LEVEL * 10 ** (-ratio / 20)) * noise, spoken)
    return cases


def _noise(seconds: float, rng: np.random.Generator, *, flavour: Flavour) -> Sound:
    return conditions.noise(seconds, rng, level=-20.0, flavour=flavour)


def silent(data: Path, rng: np.random.Generator, seconds: float = 60.0) -> dict[str, tuple[Sound, NDArray[np.bool_]]]:
    """Minutes in which nobody speaks."""
    size = round(seconds * SAMPLE_RATE)
    sounds = {f"{name} alone": 0.03 * make(size, rng) for name, make in noises(data).items()}
    sounds["applause alone"] = 0.05 * applause(size, rng)
    sounds["digital silence"] = np.zeros(size, np.float32)
    sounds["near silence (hiss at -70 dB)"] = np.float32(3e-4) * white(size, rng)
    return {name: (sound.astype(np.float32), np.zeros(size // STEP, bool)) for name, sound in sounds.items()}


def scores(segmenter: VoiceActivity, sound: Sound, spoken: NDArray[np.bool_]) -> tuple[float, float, float]:
    """F1 and recall over time, and false speech in seconds a minute."""
    found = np.zeros(spoken.size, bool)
    for start, end in utterances(segmenter, sound):
        found[round(100 * start) : round(100 * end)] = True
    hit, false, missed = (int(x.sum()) for x in (found & spoken, found & ~spoken, ~found & spoken))
    minutes = spoken.size / 6000
    return 2 * hit / max(1, 2 * hit + false + missed), hit / max(1, hit + missed), false / 100 / minutes


def utterances(segmenter: VoiceActivity, sound: Sound, block: int = 1024) -> list[tuple[float, float]]:
    """Start and end (s) of what the segmenter finds in a sound that comes in blocks."""
    closed = []
    for first in range(0, sound.size, block):
        closed += segmenter.add_audio(AudioBlock(first / SAMPLE_RATE, sound[first : first + block]))
    closed += segmenter.finish(sound.size / SAMPLE_RATE)
    return [(u.start, u.end) for u in closed if u.spoken]


def conversation(data: Path, rng: np.random.Generator, first: int = 0) -> tuple[Sound, NDArray[np.bool_]]:
    """Acted clips at one level with pauses of 0.7 to 4 s, and a label every 10 ms."""
    paths = sorted((data / "ravdess").glob("*.flac"))
    sounds, labels = [], []
    for path in rng.permutation(np.array(paths, dtype=object))[first : first + CLIPS]:
        clip, active = _trimmed(load(path))
        pause = int(rng.uniform(70, 400))
        sounds += [np.zeros(pause * STEP, np.float32), clip * np.float32(LEVEL / np.sqrt(np.mean(clip**2)))]
        labels += [np.zeros(pause, bool), active]
    return np.concatenate(sounds), np.concatenate(labels)


def _trimmed(clip: Sound) -> tuple[Sound, NDArray[np.bool_]]:
    """A clean clip without its silent ends, and where in it is speech: loud 10 ms frames, short holes closed."""
    size = clip.size // STEP
    level = 10 * np.log10(np.square(clip[: size * STEP].reshape(size, STEP)).mean(axis=1) + 1e-10)
    loud = np.flatnonzero(level > level.max() - _RANGE_DB)
    active = np.zeros(size, bool)
    for part in np.split(loud, np.flatnonzero(np.diff(loud) > _HOLE) + 1):
        if part[-1] - part[0] >= _CLICK:
            active[part[0] : part[-1] + 1] = True
    first, last = np.flatnonzero(active)[[0, -1]]
    return clip[first * STEP : (last + 1) * STEP], active[first : last + 1]


def load(path: Path) -> Sound:
    """All sound of a file."""
    return np.concatenate([item.samples for item in decode(path, video=False) if isinstance(item, AudioBlock)])


def noises(data: Path) -> dict[str, Callable[[int, np.random.Generator], Sound]]:
    """Makers of a background of N samples, RMS 1."""
    street = load(data / "video" / "openpose_video.avi")
    return {"pink": pink, "music": music, "street": lambda n, rng: _unit(np.resize(street, n))}


def white(size: int, rng: np.random.Generator) -> Sound:
    return rng.standard_normal(size).astype(np.float32)


def pink(size: int, rng: np.random.Generator) -> Sound:
    spectrum = np.fft.rfft(rng.standard_normal(size))
    return _unit(np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(spectrum.size))), size))


def music(size: int, rng: np.random.Generator) -> Sound:
    """Decaying chords with harmonics every 0.3 s, and a drum with every other."""
    out, beat = np.zeros(size), round(0.3 * SAMPLE_RATE)
    for number, first in enumerate(range(0, size, beat)):
        time = np.arange(min(4 * beat, size - first)) / SAMPLE_RATE
        root = 110 * 2 ** (rng.choice([0, 3, 5, 7, 8, 10]) / 12)
        for ratio in (1, 1.26, 1.5, 2):
            for k in range(1, 6):
                tone = np.sin(2 * np.pi * root * ratio * k * time + 6 * rng.random()) / k
                out[first : first + time.size] += tone * np.exp(-3 * time)
        if number % 2 == 0:
            out[first : first + time.size] += 6 * rng.standard_normal(time.size) * np.exp(-50 * time)
    return _unit(out)


def applause(size: int, rng: np.random.Generator) -> Sound:
    """A hall of hands: 60 claps a second, each a burst of noise of its own colour."""
    out = np.zeros(size)
    for first in rng.integers(0, size, size * 60 // SAMPLE_RATE):
        time = np.arange(min(960, size - first)) / SAMPLE_RATE
        clap = np.convolve(rng.standard_normal(time.size), rng.standard_normal(8), "same")
        out[first : first + time.size] += clap * np.exp(-time / rng.uniform(0.004, 0.02)) * rng.uniform(0.2, 1)
    return _unit(out)


def _unit(sound: NDArray[np.floating]) -> Sound:
    return (sound / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
