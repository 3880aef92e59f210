"""Motion capture: Bandai-Namco's styled motions in the one skeleton, and the Kinect recordings of joint angles.

Bandai-Namco Research Motion Dataset 1 (CC BY-NC 4.0) holds contents (walk, bow, bye …) each performed in fifteen
styles.  Splits are by content: the same content never lies on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.skeleton import JOINTS
from emoje_edge.training.datasets.bvh import read_bvh

STYLES: tuple[str, ...] = ("angry", "happy", "normal", "sad", "tired")
"""The five affective styles that are classified; `training.labels` says which emotion each is."""

KINECT_CLASSES: tuple[str, ...] = ("Angry", "Happy", "Normal", "Reflexive", "Sad", "Surprised")

# joint of the one skeleton -> Bandai's joint where that articulation lies
_BANDAI = {
    "left_shoulder": "UpperArm_L",
    "right_shoulder": "UpperArm_R",
    "left_elbow": "LowerArm_L",
    "right_elbow": "LowerArm_R",
    "left_wrist": "Hand_L",
    "right_wrist": "Hand_R",
    "left_hip": "UpperLeg_L",
    "right_hip": "UpperLeg_R",
    "left_knee": "LowerLeg_L",
    "right_knee": "LowerLeg_R",
    "left_ankle": "Foot_L",
    "right_ankle": "Foot_R",
}
_CM = 0.01


@dataclass(frozen=True)
class Motion:
    """One performance.

    Attributes:
        name: of the clip.
        content, style: what is done, and how.
        positions: [T, 13, 3] float32, metres; Y up, the performer begins facing +Z.
        fps: frames a second.
    """

    name: str
    content: str
    style: str
    positions: NDArray[np.float32]
    fps: float = 30.0


def to_skeleton(joints: Sequence[str], positions: NDArray[np.floating]) -> NDArray[np.float32]:
    """Bandai's joints [T, J, 3] -> the thirteen of the one skeleton [T, 13, 3], in the same unit.

    The head point is where a camera's face landmarks have their centre: above the skull's base and before it.

    Raises:
        UsageError: a joint that is needed is not among `joints`.
    """
    missing = [name for name in ("Head", "Neck", *_BANDAI.values()) if name not in joints]
    if missing:
        raise UsageError(f"no joint {missing[0]!r} in this motion capture", "Bandai-Namco's joint names are needed")
    at = {name: positions[:, list(joints).index(name)] for name in ("Head", "Neck", *_BANDAI.values())}
    across = at["UpperArm_L"] - at["UpperArm_R"]
    up = at["Head"] - at["Neck"]
    length = np.linalg.norm(up, axis=-1, keepdims=True)
    ahead = np.cross(across, up)
    ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-9)
    head = at["Head"] + 1.2 * up + 0.8 * length * ahead
    return np.stack([head, *(at[_BANDAI[joint]] for joint in JOINTS[1:])], 1).astype(np.float32)


def read_bandai(path: Path | str) -> list[Motion]:
    """Motions of an `.npz` of positions (`content_style_take` -> [T, J, 3] cm, and `joint_names`), or of a folder of
    the official BVH files (`dataset-1_content_style_take.bvh`), sorted by name.

    Raises:
        WorkError: nothing there, a broken file, a NaN (with its name).
    """
    path = Path(path)
    motions = _read_folder(path) if path.is_dir() else _read_archive(path)
    if not motions:
        raise WorkError(f"no motions in {path}", "give an npz of positions or the folder of the official BVH files")
    return sorted(motions, key=lambda m: m.name)


def _read_archive(path: Path) -> list[Motion]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            joints = [str(name) for name in archive["joint_names"]]
            clips = {key: archive[key] for key in archive.files if key != "joint_names"}
    except (OSError, ValueError, KeyError) as error:
        raise WorkError(f"cannot read {path} as positions: {error}", "an npz with joint_names is needed") from error
    return [_motion(key, joints, positions, fps=30.0) for key, positions in clips.items()]


def _read_folder(path: Path) -> list[Motion]:
    motions = []
    for file in sorted(path.rglob("*.bvh")):
        clip = read_bvh(file)
        name = file.stem.partition("_")[2] if file.stem.startswith("dataset-") else file.stem
        motions.append(_motion(name, clip.joints, clip.positions, fps=clip.fps))
    return motions


def _motion(name: str, joints: Sequence[str], positions: NDArray[np.floating], *, fps: float) -> Motion:
    parts = name.split("_")
    if len(parts) != 3:
        raise WorkError(f"clip {name!r} is not named content_style_take", "keep the names of the release")
    if positions.ndim != 3 or positions.shape[1:] != (len(joints), 3) or not np.isfinite(positions).all():
        raise WorkError(f"clip {name!r}: positions {positions.shape} with {len(joints)} joints, or NaN", "remove it")
    return Motion(name, parts[0], parts[1], to_skeleton(joints, positions) * np.float32(_CM), fps)


def content_folds(motions: Sequence[Motion], folds: int = 5) -> NDArray[np.int64]:
    """A fold number for every motion, [N].  Contents that are one movement (run and dash, bye and byebye, every way
    of walking) share a fold, so that a held-out content is new.

    Raises:
        UsageError: fewer than two folds.
    """
    if folds < 2:
        raise UsageError(f"{folds} folds", "two or more")
    kin = {"dash": "run", "byebye": "bye", "dance-short": "dance", "dance-long": "dance"}
    family = [kin.get(m.content, "walk" if m.content.startswith("walk") else m.content) for m in motions]
    size = {name: family.count(name) for name in set(family)}
    load = [0] * folds
    fold = {}
    for name in sorted(size, key=lambda n: (-size[n], n)):
        fold[name] = int(np.argmin(load))
        load[fold[name]] += size[name]
    return np.array([fold[name] for name in family], np.int64)


def trim(motion: Motion, start: float, end: float) -> Motion:
    """The part from `start` to `end` seconds."""
    first, last = int(start * motion.fps), max(int(np.ceil(end * motion.fps)), int(start * motion.fps) + 2)
    return replace(motion, positions=motion.positions[first:last])


@dataclass(frozen=True)
class KinectSet:
    """Recordings of joint angles.

    Attributes:
        angles: [N, 29, 23] float32 radians, NaN replaced by the frame before, zero past `length`.
        hands: [N, 29, 2] int8, open or closed.
        length: [N] frames.
        labels: [N] numbers into `KINECT_CLASSES`.
        recording: [N]; neighbouring numbers were recorded together: block splits by it.
    """

    angles: NDArray[np.float32]
    hands: NDArray[np.int8]
    length: NDArray[np.int64]
    labels: NDArray[np.int64]
    recording: NDArray[np.int64]


def read_kinect(path: Path | str) -> KinectSet:
    """Read the Kinect-V2 recordings.

    Raises:
        WorkError: not that file, or an unknown label.
    """
    try:
        with np.load(path, allow_pickle=False) as z:
            angles, hands, length = z["angles"].astype(np.float32), z["hands"], z["length"].astype(np.int64)
            names, recording = [str(x) for x in z["label"]], z["rec_index"].astype(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise WorkError(f"cannot read {path} as Kinect recordings: {error}", "see docs for its format") from error
    odd = sorted(set(names) - set(KINECT_CLASSES))
    if odd:
        raise WorkError(f"{path}: unknown label {odd[0]!r}", f"allowed: {', '.join(KINECT_CLASSES)}")
    for row, n in zip(angles, length, strict=True):
        row[n:] = 0.0
        for t in range(n):
            row[t] = np.where(np.isfinite(row[t]), row[t], row[t - 1] if t else 0.0)
    labels = np.array([KINECT_CLASSES.index(name) for name in names], np.int64)
    return KinectSet(angles, hands, length, labels, recording)
