"""What bodies alone tell: Bandai's five styles with contents held out, the Kinect's emotions with recordings held out.

Small, classical models on statistics of each performance: with 54 and 184 of them, a network from scratch learns the
contents by heart.  The figures bound what the pose branch can be expected to tell of an unknown movement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.training.datasets.cameras import FRONTAL, CameraSettings, view
from emoje_edge.training.datasets.mocap import STYLES, Motion, read_bandai, read_kinect

VIEWS = 16  # cameras a motion
BLOCK = 4  # neighbouring recordings, held out together
_TINY = 1e-3
Rows = NDArray[np.float64]


def bandai(root: Path, seeds: int = 3) -> list[list[str]]:
    """Accuracy of the five styles, leaving out one content at a time, and one family of contents at a time."""
    motions = [m for m in read_bandai(root / "pose" / "bandai_train.npz") if m.style in STYLES]
    generator = np.random.default_rng(0)
    space = [[of_space(m)] for m in motions]
    front = [[of_view(view(m.positions, m.fps, generator, FRONTAL))] for m in motions]
    cameras = [[of_view(view(m.positions, m.fps, generator, CameraSettings())) for _ in range(VIEWS)] for m in motions]
    labels = np.array([STYLES.index(m.style) for m in motions])
    rows = [["seen as", "one content held out", "… and its kin", "all contents, one held out"]]
    for name, features in (("joints in space", space), ("from the front", front), ("random cameras", cameras)):
        scores = []
        for groups, alone in ((_contents(motions), False), (_families(motions), False), (_contents(motions), True)):
            scores.append([_accuracy(features, labels, groups, seed=s, alone=alone) for s in range(seeds)])
        rows.append([name, *(f"{np.mean(s):.3f} ± {np.std(s, ddof=min(1, seeds - 1)):.3f}" for s in scores)])
    return rows


def _contents(motions: Sequence[Motion]) -> list[str]:
    return [m.content for m in motions]


def _families(motions: Sequence[Motion]) -> list[str]:
    kin = {"byebye": "bye", "dash": "run"}
    return [kin.get(m.content, m.content.partition("-")[0]) for m in motions]


def _accuracy(
    features: Sequence[Sequence[Rows]], labels: NDArray[np.int64], groups: list[str], *, seed: int, alone: bool
) -> float:
    """Held-out accuracy over performances; a performance's views vote.

    Contents that were performed in one style only tell the style by the content: they count only with `alone`.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    group = np.array(groups)
    shared = np.array([alone or len(set(labels[group == g])) == len(STYLES) for g in group])
    right = np.zeros(len(labels), bool)
    for held_out in sorted(set(group[shared])):
        train = np.flatnonzero(shared & (group != held_out)).tolist()
        model = ExtraTreesClassifier(200, min_samples_leaf=2, class_weight="balanced", random_state=seed)
        rows = np.concatenate([np.stack(features[i]) for i in train])
        model.fit(rows, np.concatenate([[labels[i]] * len(features[i]) for i in train]))
        for i in np.flatnonzero(group == held_out).tolist():
            right[i] = model.predict_proba(np.stack(features[i])).mean(0).argmax() == labels[i]
    return float(right[shared].mean())


def of_space(motion: Motion) -> Rows:
    """Posture, range, speed and its change of the joints in the body's own frame, and how it travels."""
    p = motion.positions.astype(np.float64)
    hips = (p[:, 7] + p[:, 8]) / 2
    across = p[:, 7] - p[:, 8]
    turn = np.arctan2(across[:, 2], across[:, 0])
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    q = p - hips[:, None]
    q = np.stack([q[..., 0] * cos + q[..., 2] * sin, q[..., 1], q[..., 2] * cos - q[..., 0] * sin], -1)
    speed = np.diff(q, axis=0) * motion.fps
    change = np.diff(speed, axis=0) * motion.fps
    travel = np.linalg.norm(np.diff(hips[:, [0, 2]], axis=0), axis=-1) * motion.fps
    parts = [q.mean(0), q.std(0), np.log(np.abs(speed).mean(0) + _TINY), np.log(np.abs(change).mean(0) + _TINY)]
    return np.concatenate([*map(np.ravel, parts), [hips[:, 1].mean(), hips[:, 1].std(), travel.mean(), travel.std()]])


def of_view(landmarks: NDArray[np.float32]) -> Rows:
    """The same of a view [T, 13, 3], over the frames in which a joint is seen; and how often that is."""
    p, seen = landmarks[..., :2].astype(np.float64), landmarks[..., 2:] > 0
    parts = [_mean(p, seen)]
    parts.append(np.sqrt(_mean((p - parts[0]) ** 2, seen)))
    step, change = np.abs(np.diff(p, axis=0)), np.abs(np.diff(p, 2, axis=0))
    both = seen[1:] & seen[:-1]
    parts += [np.log(_mean(step, both) + _TINY), np.log(_mean(change, both[1:] & both[:-1]) + _TINY)]
    return np.concatenate([*map(np.ravel, parts), seen.mean(0).ravel()])


def _mean(values: Rows, there: NDArray[np.bool_]) -> Rows:
    return np.asarray((values * there).sum(0) / np.maximum(there.sum(0), 1))


def kinect(root: Path, seeds: int = 3) -> list[list[str]]:
    """Accuracy of the six classes in blocks of neighbouring recordings."""
    data = read_kinect(root / "pose" / "kinect_train.npz")
    turned = [np.concatenate([np.sin(a[:n]), np.cos(a[:n])], 1) for a, n in zip(data.angles, data.length, strict=True)]
    posture = np.stack([t.mean(0) for t in turned])
    moves = np.stack([np.log(np.abs(np.diff(t, axis=0)).mean(0) + _TINY) for t in turned])
    blocks = (data.recording - 1) // BLOCK
    rows = [["features", "extra trees", "support vectors", "both"]]
    for name, x in (("motion", moves), ("posture", posture), ("both", np.hstack([posture, moves]))):
        scores = np.array([_kinect_scores(x, data.labels, blocks, s) for s in range(seeds)])
        deviation = scores.std(0, ddof=min(1, seeds - 1))
        rows.append([name, *(f"{a:.3f} ± {b:.3f}" for a, b in zip(scores.mean(0), deviation, strict=True))])
    return rows


def _kinect_scores(x: Rows, labels: NDArray[np.int64], blocks: NDArray[np.int64], seed: int) -> list[float]:
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    makers: list[Callable[[], Any]] = [
        lambda: ExtraTreesClassifier(200, min_samples_leaf=2, random_state=seed),
        lambda: make_pipeline(StandardScaler(), SVC(C=3, gamma=0.3 / x.shape[1], probability=True, random_state=seed)),
    ]
    found = np.zeros((2, len(labels), int(labels.max()) + 1))
    for block in np.unique(blocks):
        held_out = blocks == block
        for i, make in enumerate(makers):
            found[i, held_out] = make().fit(x[~held_out], labels[~held_out]).predict_proba(x[held_out])
    return [float((p.argmax(1) == labels).mean()) for p in (*found, found.sum(0))]
