"""What the joint stage puts beside lines: voices and sounds as life brings them, bodies that act and that do not.

    python -m research.recipes.material DATA OUT

Every sound is made of samples and goes through perception, so that its quality is measured as in inference.  Each kind
is computed once and kept in OUT; what is trained on is what was read back.  Training takes RAVDESS' actors 1 to 16 and
Bandai's training contents before `TRAINING` noises, evaluation actors 17 to 20 and the contents held out before
`EVALUATION` noises.  Nobody talks without acting in any corpus here: synthetic voices reading MELD's lines stand in
(flite and espeak-ng, where they are installed), other ones in training than in evaluation.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.calibration_data.synthetic import body as moving_body
from emoje_edge.evaluation import conditions as make
from emoje_edge.evaluation.conditions import EVALUATION, TRAINING, Flavour
from emoje_edge.modality import Modality
from emoje_edge.perception import skeleton
from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.features import level_utterance, log_mel_feature, pose_feature
from emoje_edge.perception.quality import pose_quality, sound_quality
from emoje_edge.shapes import BANDS
from emoje_edge.training.datasets import UNLABELLED, open_dataset
from emoje_edge.training.datasets.blends import jostle
from emoje_edge.training.datasets.raw import read_samples
from emoje_edge.training.labels import to_emotions
from research.augmentation.stretches import spoken_part
from research.recipes import audio as audio_recipe
from research.recipes import pose as pose_recipe
from research.recipes.gestures import gesturing
from research.words.voices import ESPEAK, FLITE, Voice, plain

FOLD = 4  # of RAVDESS: actors 17 to 20 are held out
HELD_OUT = ("byebye", "dash", "walk-left")  # of Bandai; others of their kind are trained on
VERSIONS = 4  # of each voice: the whole clip, what voice activity finds of it, and either as life brings it
SOUNDS, TALKS, ACTS, BODIES = 450, 500, 2400, 1800
GAIN = 25.0  # dB, up or down
NOBODY = -1
Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Items:
    """One kind of material.

    Attributes:
        features: N arrays [T, ...].
        quality: [N, 2].
        labels: [N], an emotion's index or UNLABELLED.
        speakers: [N], who speaks, a number; NOBODY where nobody does.
    """

    features: list[Array]
    quality: Array
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True, eq=False)
class Material:
    """What may come beside words: `voices` and `acts` are labelled, the rest says nothing."""

    voices: Items
    talks: Items
    sounds: Items
    acts: Items
    bodies: Items


# feature, quality, label, speaker; no feature where there is nothing in it
Made = Iterable[tuple[Array | None, Array, int, int]]


Heard = Callable[[Array], tuple[Array | None, Array]]  # samples -> feature, quality


def read(root: Path, folder: Path, *, evaluation: bool = False, share: float = 1.0, bands: int = BANDS) -> Material:
    """All material of training or of evaluation, from `folder` where it is there.

    Args:
        share: of the numbers above; less to try the recipe out.
        bands: of the sound feature, 80 for ears of Whisper.
    """
    seed, flavour = (1, EVALUATION) if evaluation else (0, TRAINING)
    hears = partial(_heard, bands=bands)
    count = [max(8, round(n * share * (0.4 if evaluation else 1))) for n in (SOUNDS, TALKS, ACTS, BODIES)]
    part = "evaluation" if evaluation else "training"
    makers: dict[str, Callable[[np.random.Generator], Made]] = {
        "voices": partial(voices, root, evaluation, share, hears),
        "talks": partial(talks, root, evaluation, count[1], hears),
        "sounds": partial(sounds, flavour, count[0], hears),
        "acts": partial(acts, root, evaluation, count[2]),
        "bodies": partial(bodies, flavour, count[3]),
    }
    found = {}
    for name, maker in makers.items():
        heard = f"-{bands}" if name in ("voices", "talks", "sounds") else ""
        store = folder / f"{part}-{name}-{share:g}{heard}.npz"
        if not store.is_file():
            _save(store, maker(np.random.default_rng((seed, len(name)))))
        found[name] = _load(store)
    return Material(**found)


def voices(root: Path, evaluation: bool, share: float, hears: Heard, g: np.random.Generator) -> Made:
    """RAVDESS under the seven emotions: whole, as `infer` finds them, and before noises, through telephones."""
    corpus = to_emotions(open_dataset("ravdess", root / "ravdess"))
    chosen = audio_recipe.fold(corpus, FOLD)[evaluation]
    actors = sorted({s.group for s in chosen.samples})
    for sample in chosen.samples[:: max(1, round(1 / share))]:
        samples = read_samples(Path(sample.source))
        for version in range(1 if evaluation else VERSIONS):
            part = spoken_part(samples, g) if version % 2 else samples
            yield *hears(lived(part, g) if version > 1 else part), sample.label, actors.index(sample.group)


def talks(root: Path, evaluation: bool, count: int, hears: Heard, g: np.random.Generator) -> Made:
    """Synthetic voices reading MELD's lines at some speed and pitch; nothing without the programs that speak."""
    names = [Voice("flite", n) for n in FLITE[evaluation::2]] if shutil.which("flite") else []
    names += [Voice("espeak-ng", n) for n in ESPEAK[evaluation::2]] if shutil.which("espeak-ng") else []
    lines = open_dataset("meld", root / "meld", split="dev" if evaluation else "train").samples
    for _ in range(count if names else 0):
        speaker, line = int(g.integers(len(names))), plain(lines[int(g.integers(len(lines)))].text or "Well.")
        samples = names[speaker].say(line)
        if len(samples) > SAMPLE_RATE // 4:
            yield *hears(lived(_faster(samples, g.uniform(0.85, 1.15)), g)), UNLABELLED, speaker


def sounds(flavour: Flavour, count: int, hears: Heard, g: np.random.Generator) -> Made:
    """Hiss, noise and music at any level."""
    for number in range(count):
        level, seconds = g.uniform(-70, -8), g.uniform(0.5, 7)
        if number % 3 == 0:
            sound = make.hiss(seconds, g, level=level)
        elif number % 3 == 1:
            sound = make.noise(seconds, g, level=level, flavour=flavour)
        else:
            sound = make.music(seconds, g, level=level, flavour=flavour)
        yield *hears(_channel(sound, g)), UNLABELLED, NOBODY


def acts(root: Path, evaluation: bool, count: int, g: np.random.Generator) -> Made:
    """Bandai's motions through random cameras; half of the training ones hidden in part, shaken or cut."""
    corpus = pose_recipe.motions(root).keep(lambda s: (s.group in HELD_OUT) == evaluation)
    for number, i in enumerate(g.permutation(len(corpus))[:count]):
        sample = corpus.samples[i]
        body = sample.feature(Modality.POSE)
        if not evaluation:
            body = jostle(Modality.POSE, body, g)
        if not evaluation and number % 2:
            body = _obscured(body, g)
        yield body, pose_quality(body), sample.label, NOBODY


def bodies(flavour: Flavour, count: int, g: np.random.Generator) -> Made:
    """Somebody who stands, sits, talks to the camera or with the hands, and somebody who moves as nobody does."""
    for number in range(count):
        seconds = g.uniform(0.6, 7)
        if number % 4 == 0:
            body = make.still_body(seconds, g, flavour=flavour)
        elif number % 4 == 1:
            body = make.talking_head(seconds, g, flavour=flavour)
        elif number % 4 == 2:
            body = gesturing(seconds, g, flavour=flavour)
        else:
            body = moving_body(g)
        feature = pose_feature(np.arange(len(body)) / skeleton.RATE, body)
        yield feature, pose_quality(feature if feature is not None else body[:0]), UNLABELLED, NOBODY


def lived(samples: Array, g: np.random.Generator) -> Array:
    """A recording as life brings it: cut short, through some channel, before noise or music, at any volume."""
    if g.random() < 0.25:
        length = int(g.uniform(0.6, 2.0) * SAMPLE_RATE)
        first = int(g.integers(max(1, len(samples) - length)))
        samples = samples[first : first + length]
    if g.random() < 0.6:
        seconds = len(samples) / SAMPLE_RATE
        behind = make.noise if g.random() < 0.6 else make.music
        samples = make.mix(samples, behind(seconds, g, level=-25.0, flavour=TRAINING), g.uniform(-10, 30))
    return _channel(samples, g)


def _channel(samples: Array, g: np.random.Generator) -> Array:
    """Volume; for some, a band of frequencies, an offset and hum."""
    out = samples.astype(np.float64)
    if g.random() < 0.3:
        spectrum, hertz = np.fft.rfft(out), np.fft.rfftfreq(len(out), 1 / SAMPLE_RATE)
        out = np.fft.irfft(spectrum * (hertz > g.uniform(50, 400)) * (hertz < g.uniform(3000, 8000)), len(out))
    loud = float(np.sqrt(np.mean(out**2))) + 1e-9
    if g.random() < 0.2:
        out += loud * g.uniform(0.02, 0.3) * np.sin(2 * np.pi * g.choice((50, 60)) * np.arange(len(out)) / SAMPLE_RATE)
    if g.random() < 0.2:
        out += loud * g.uniform(-1, 1)
    return np.clip(out * 10 ** (g.uniform(-GAIN, GAIN) / 20), -1, 1).astype(np.float32)


def _faster(samples: Array, speed: float) -> Array:
    """Played faster or slower, the pitch with it."""
    at = np.arange(0, len(samples) - 1, speed)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def _obscured(body: Array, g: np.random.Generator) -> Array:
    """Legs, or all but head and shoulders, out of the picture; landmarks that jump; a moment of it only."""
    body = body.copy()
    hidden = (slice(9, 13), slice(3, 13), slice(13, 13))[g.integers(3)]
    body[:, hidden] = 0
    if g.random() < 0.5:
        body = make.shaken(body, g, g.uniform(-10, 30))
    if g.random() < 0.3:
        body = body[: int(g.integers(6, 30))]
    return body


def _heard(samples: Array, bands: int) -> tuple[Array | None, Array]:
    sound = level_utterance(samples)
    return log_mel_feature(sound, bands), sound_quality(sound)


def _save(store: Path, made: Made) -> None:
    rows = [(f, *rest) for f, *rest in made if f is not None and len(f)]
    store.parent.mkdir(parents=True, exist_ok=True)
    partial_file = store.with_suffix(".part.npz")
    features, quality, labels, speakers = zip(*rows, strict=True) if rows else ((), (), (), ())
    np.savez(
        partial_file,
        features=(np.concatenate(features) if rows else np.zeros((0, 1))).astype(np.float16),
        lengths=np.array([len(f) for f in features], np.int64),
        quality=np.array(quality, np.float32).reshape(-1, 2),
        labels=np.array(labels, np.int64),
        speakers=np.array(speakers, np.int64),
    )
    partial_file.replace(store)


def _load(store: Path) -> Items:
    with np.load(store, allow_pickle=False) as z:
        ends = np.cumsum(z["lengths"])
        features = np.split(z["features"].astype(np.float32), ends[:-1]) if len(ends) else []
        return Items(features, z["quality"], z["labels"], z["speakers"])


if __name__ == "__main__":
    for part in (False, True):
        made = read(Path(sys.argv[1]), Path(sys.argv[2]), evaluation=part)
        print({k: len(v) for k, v in vars(made).items()}, flush=True)
