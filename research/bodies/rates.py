"""What fewer pictures a second do to the emotion that a body tells, by the fp32 network of the model that ships.

    python -m research.bodies.rates DATA        # the folder with pose/ and video/

Bandai's held-out contents are seen through cameras of 25 pictures a second and more, of which as many are looked at as
the rate allows, as a file's are (`readers.VideoReader`).  The clips are looked at anew at each rate; their labels are
those at 12.5.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.cli.model_options import load_model
from emoje_edge.modality import Modality
from emoje_edge.perception.bodies.estimator import BlazePose, first_joints
from emoje_edge.perception.features import pose_feature
from emoje_edge.perception.media import VideoFrame, decode
from emoje_edge.shapes import LONGEST, POSE_RATE
from emoje_edge.training.batching import Collator
from emoje_edge.training.datasets.base import Corpus, Sample
from emoje_edge.training.datasets.cameras import STAGE, CameraSettings, filmed
from emoje_edge.training.datasets.mocap import STYLES, read_bandai
from emoje_edge.training.labels import to_emotions
from emoje_edge.training.predict import TorchPredictor
from research.evidence.pose import CLIPS

RATES = (POSE_RATE, 8.3, 6.25)  # pictures a second
HELD = ("byebye", "dash", "walk-left")  # contents that the shipped branch was not trained on
VIEWS = 24  # cameras a performance
WINDOW, HOP = 3.0, 1.5  # s, of the clips
Landmarks = NDArray[np.float32]
Predict = Callable[[Corpus], NDArray[np.float32]]


def looked_at(times: NDArray[np.float64], rate: float) -> NDArray[np.bool_]:
    """Which pictures a stage of this rate looks at: the first in each of its slots."""
    slots = np.floor(times * rate + 0.01)
    return np.concatenate([[True], slots[1:] > slots[:-1]])


def bandai(root: Path, settings: CameraSettings, rate: float) -> Corpus:
    """The held-out performances at this rate, the same cameras and noise at every rate."""
    steady = replace(settings, fps=(30.0, 30.0))
    samples = []
    for motion in read_bandai(root / "pose" / "bandai_train.npz"):
        if motion.style not in STYLES or motion.content not in HELD:
            continue
        for number in range(VIEWS):
            g = np.random.default_rng((0, number, zlib.crc32(motion.name.encode())))
            times, landmarks = filmed(motion.positions, motion.fps, g, steady)
            kept = looked_at(times, rate)
            feature = pose_feature(times[kept], landmarks[kept])
            if feature is not None:
                name = f"{motion.name}/{number}"
                samples.append(Sample(name, 0, STYLES.index(motion.style), features={Modality.POSE: feature}))
    return to_emotions(Corpus("bandai", STYLES, tuple(samples))).keep(lambda s: s.label >= 0)


def clip(path: Path, rate: float) -> list[tuple[float, Landmarks]]:
    """Beginning (s) and feature of each window of a clip in which somebody is seen."""
    times, joints = [], []
    with BlazePose() as estimator:
        for frame in decode(path, audio=False, fps=rate):
            if isinstance(frame, VideoFrame):
                times.append(frame.time)
                joints.append(first_joints(estimator.estimate(frame.pixels, frame.time)))
    at, found = np.array(times), np.array(joints)
    windows = []
    for start in np.arange(0, max(at[-1] - WINDOW, 0) + 1e-9, HOP):
        inside = (at >= start) & (at < start + min(WINDOW, LONGEST))
        feature = pose_feature(at[inside], found[inside]) if inside.sum() > 1 else None
        if feature is not None:
            windows.append((float(start), feature))
    return windows


def recall(corpus: Corpus, probabilities: NDArray[np.float32]) -> float:
    """Mean over the classes that are there of the share found right."""
    labels = np.array([sample.label for sample in corpus.samples])
    right = probabilities.argmax(1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def main(root: Path) -> None:
    """Print both tables in Markdown."""
    run = load_model(None).run
    predictor = TorchPredictor(run.network, Collator(run.network.config))

    def predict(corpus: Corpus) -> NDArray[np.float32]:
        return predictor.predict(corpus).probabilities

    print("| Bandai, held-out contents | pictures a second | unweighted recall | same label as at 12.5 |")
    print("|---|---|---|---|")
    for name, settings in (("before the whole body", STAGE), ("anywhere", CameraSettings())):
        first: NDArray[np.int64] | None = None
        for rate in RATES:
            corpus = bandai(root, settings, rate)
            found = predict(corpus)
            labels = found.argmax(1)
            first = labels if first is None else first
            same = float((labels == first).mean())
            print(f"| {name}, {len(labels)} views | {rate:g} | {recall(corpus, found):.3f} | {same:.3f} |", flush=True)
    print("\n| clips | pictures a second | windows | same label as at 12.5 | mean change of the probabilities |")
    print("|---|---|---|---|---|")
    paths = [path for pattern in CLIPS for path in sorted((root / "video").glob(pattern))]
    for rate, row in zip(RATES, _clips(paths, predict), strict=True):
        print(f"| {len(paths)} | {rate:g} | {row[0]} | {row[1]:.3f} | {row[2]:.3f} |", flush=True)


def _clips(paths: Sequence[Path], predict: Predict) -> list[tuple[int, float, float]]:
    """Windows that both have, share with the same label, mean change of the probabilities: a row a rate."""
    found: list[dict[str, NDArray[np.float32]]] = []
    for rate in RATES:
        windows = {f"{path.name} {start:g}": x for path in paths for start, x in clip(path, rate)}
        samples = tuple(Sample(name, 0, features={Modality.POSE: x}) for name, x in windows.items())
        rows = predict(Corpus("clips", (), samples))
        found.append(dict(zip(windows, rows, strict=True)))
    table = []
    for one in found:
        both = sorted(one.keys() & found[0].keys())
        a, b = (np.array([rows[name] for name in both]) for rows in (found[0], one))
        table.append((len(both), float((a.argmax(1) == b.argmax(1)).mean()), float(np.abs(a - b).mean())))
    return table


if __name__ == "__main__":
    main(Path(sys.argv[1]))
