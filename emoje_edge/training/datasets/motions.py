"""Motion capture as corpora: each performance seen plainly from the front, or by several random cameras.

Bandai-Namco's five affective styles, grouped by content; the Kinect recordings of joint angles, grouped by blocks of
neighbouring recordings (they were made in one go, so random rows would leak).
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from emoje_edge.modality import Modality
from emoje_edge.perception.skeleton import RATE, normalise, resample
from emoje_edge.training.datasets.base import Corpus, Lazy, Sample
from emoje_edge.training.datasets.cameras import FRAMES, CameraSettings, view
from emoje_edge.training.datasets.files import find_files, split_of
from emoje_edge.training.datasets.mocap import KINECT_CLASSES, STYLES, Motion, read_bandai, read_kinect
from emoje_edge.training.datasets.options import Options

BLOCK = 4  # recordings


def load_bandai(root: Path, options: Options) -> Corpus:
    """Landmarks [T, 13, 3] of the five affective styles; `options.views` random cameras each, or the plain front.

    Raises:
        UsageError, WorkError: no such files, or a broken one (named).
    """
    bvh = root.is_dir() and next(root.rglob("*.bvh"), None)
    paths = [root] if bvh else find_files(root, ("bandai*.npz",), "Bandai-Namco motions (bandai*.npz or BVH files)")
    samples = []
    for path in paths:
        for motion in (m for m in read_bandai(path) if m.style in STYLES):
            for number in range(max(1, options.views)):
                samples.append(
                    Sample(
                        dialogue=f"{motion.name}/{number}",
                        index=0,
                        label=STYLES.index(motion.style),
                        features={Modality.POSE: _seen(motion, number, options)},
                        group=motion.content,
                        split="" if path.is_dir() else split_of(path),
                        source=f"{path} {motion.name}",
                    )
                )
    return Corpus("bandai", STYLES, tuple(samples))


def _seen(motion: Motion, number: int, options: Options) -> Lazy:
    if not options.views:
        return Lazy(lambda: front(motion))
    # the camera depends on the clip's name, not on its place in the file
    seed = (options.seed, number, zlib.crc32(motion.name.encode()))
    return Lazy(lambda: view(motion.positions, motion.fps, np.random.default_rng(seed), CameraSettings()))


def front(motion: Motion) -> np.ndarray:
    """The motion from the front without perspective, whole, its middle 7.68 s where it is longer: [T, 13, 3]."""
    flat = motion.positions[..., :2] * [1.0, -1.0]
    landmarks = np.concatenate([flat, np.ones((*flat.shape[:2], 1))], -1).astype(np.float32)
    even = resample(np.arange(len(flat)) / motion.fps, landmarks, RATE)
    first = max(0, (len(even) - FRAMES) // 2)
    return normalise(even[first : first + FRAMES])


def load_kinect(root: Path, options: Options) -> Corpus:
    """Joint angles [T, 23] in radians, in the pose slot.

    Raises:
        UsageError, WorkError: no such file, or a broken one.
    """
    samples = []
    for path in find_files(root, ("kinect*.npz",), "Kinect recordings (kinect*.npz)"):
        data = read_kinect(path)
        for i, label in enumerate(data.labels.tolist()):
            recording = int(data.recording[i])
            samples.append(
                Sample(
                    dialogue=f"{KINECT_CLASSES[label]}{recording}",
                    index=0,
                    label=label,
                    features={Modality.POSE: data.angles[i, : data.length[i]]},
                    group=f"recordings{(recording - 1) // BLOCK}",
                    split=split_of(path),
                    source=f"{path} row {i}",
                )
            )
    return Corpus("kinect", KINECT_CLASSES, tuple(samples))
