"""Motion capture as corpora: each performance seen plainly from the front, or by several cameras, two of three
before the whole body, the third anywhere.

Bandai-Namco's five affective styles, grouped by content; the Kinect recordings of joint angles, grouped by blocks of
neighbouring recordings (they were made in one go, so random rows would leak).
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from emoje_edge.modality import Modality
from emoje_edge.perception.features import pose_feature
from emoje_edge.shapes import LONGEST
from emoje_edge.training.datasets.base import Corpus, Lazy, Sample
from emoje_edge.training.datasets.cameras import STAGE, CameraSettings, view
from emoje_edge.training.datasets.find_files import find_files, split_of
from emoje_edge.training.datasets.mocap import KINECT_CLASSES, STYLES, Motion, read_bandai, read_kinect
from emoje_edge.training.datasets.options import Options

BLOCK = 4  # recordings
TILT = np.radians(12)  # of the plain front's camera, downwards


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
        return Lazy(lambda: front_view(motion))
    # the camera depends on the clip's name, not on its place in the file
    seed = (options.seed, number, zlib.crc32(motion.name.encode()))
    settings = CameraSettings() if number % 3 == 2 else STAGE
    return Lazy(lambda: view(motion.positions, motion.fps, np.random.default_rng(seed), settings))


def front_view(motion: Motion) -> np.ndarray:
    """The motion from the front without perspective, whole, its middle 7.68 s where it is longer: [T, 13, 3].

    The camera looks down a little: straight from the front a bent neck or back cannot be told from a short one.
    """
    x, y, z = np.moveaxis(motion.positions, -1, 0)
    flat = np.stack([x, z * np.sin(TILT) - y * np.cos(TILT)], -1)
    landmarks = np.concatenate([flat, np.ones((*flat.shape[:2], 1))], -1).astype(np.float32)
    times = np.arange(len(flat)) / motion.fps
    inside = np.abs(times - times[-1] / 2) <= LONGEST / 2
    found = pose_feature(times[inside], landmarks[inside])
    assert found is not None  # every joint is visible
    return found


def load_kinect(root: Path, options: Options) -> Corpus:
    """Sines and cosines of joint angles, [T, 46], in the pose slot: angles jump where they go round.

    Raises:
        UsageError, WorkError: no such file, or a broken one.
    """
    samples = []
    for path in find_files(root, ("kinect*.npz",), "Kinect recordings (kinect*.npz)"):
        data = read_kinect(path)
        for i, label in enumerate(data.labels.tolist()):
            recording = int(data.recording[i])
            angles = data.angles[i, : data.length[i]]
            samples.append(
                Sample(
                    dialogue=f"{KINECT_CLASSES[label]}{recording}",
                    index=0,
                    label=label,
                    features={Modality.POSE: np.concatenate([np.sin(angles), np.cos(angles)], 1)},
                    group=f"recordings{(recording - 1) // BLOCK}",
                    split=split_of(path),
                    source=f"{path} row {i}",
                )
            )
    return Corpus("kinect", KINECT_CLASSES, tuple(samples))
