"""Do the training views of motion capture look like a pose estimator's output?  A table and a picture.

Each clip's landmarks go through the same perception as inference; each distribution is compared joint by joint: how
often it is seen, where it lies, how fast it moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.perception.perceive import perceive
from emoje_edge.perception.skeleton import BONES, JOINTS, RATE
from emoje_edge.shapes import LONGEST
from emoje_edge.training.datasets.cameras import CameraSettings, view
from emoje_edge.training.datasets.mocap import STYLES, read_bandai

CLIPS = ("face_recognition_short_hamilton.mp4", "liveportrait_d13.mp4", "intel_asl/*.mkv")
VIEWS = 8  # cameras a motion
SHORTEST = 10  # frames
Landmarks = NDArray[np.float32]


def filmed(root: Path, cache: Path) -> list[Landmarks]:
    """Landmarks of the clips under `root`/video in windows of at most 96 frames, each [T, 13, 3], normalised."""
    file = cache / "filmed.npz"
    if not file.is_file():
        paths = [path for pattern in CLIPS for path in sorted((root / "video").glob(pattern))]
        if not paths:
            raise UsageError(f"no clips under {root / 'video'}", f"there should be {', '.join(CLIPS)}")
        cache.mkdir(parents=True, exist_ok=True)
        windows = [w for path in paths for w in _windows(path)]
        named: dict[str, Any] = {f"{i:03d}": w for i, w in enumerate(windows)}
        np.savez(file, **named)
    with np.load(file) as z:
        return [z[key] for key in sorted(z.files)]


def _windows(path: Path) -> list[Landmarks]:
    """Landmarks of one clip, 7.68 s at a time, as the engines get them."""
    found = perceive(path, "pose", window=LONGEST, hop=LONGEST)
    poses = [seen.features[Modality.POSE] for seen in found if Modality.POSE in seen.features]
    return [x for x in poses if len(x) >= SHORTEST]


def trained(root: Path, *, seed: int = 0, settings: CameraSettings | None = None) -> list[Landmarks]:
    """Random views of Bandai's affective styles, as the network is trained on."""
    generator = np.random.default_rng(seed)
    motions = [m for m in read_bandai(root / "pose" / "bandai_train.npz") if m.style in STYLES]
    settings = settings or CameraSettings()
    return [view(m.positions, m.fps, generator, settings) for m in motions for _ in range(VIEWS)]


def measures(windows: Sequence[Landmarks]) -> dict[str, NDArray[np.float64]]:
    """Per joint, [13, ...]: `seen` (share of frames), `x`, `y` and `speed` (5th, 50th, 95th percentile; shoulder
    widths, shoulder widths a second)."""
    seen = np.concatenate([w[..., 2] > 0 for w in windows])
    points = np.concatenate([w[..., :2] for w in windows]).astype(np.float64)
    speeds: list[list[float]] = [[] for _ in JOINTS]
    for w in windows:
        both = (w[1:, :, 2] > 0) & (w[:-1, :, 2] > 0)
        step = np.linalg.norm(np.diff(w[..., :2], axis=0), axis=-1) * RATE
        for j in range(len(JOINTS)):
            speeds[j].extend(step[both[:, j], j].tolist())

    def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.percentile(values, [5, 50, 95]) if len(values) else np.full(3, np.nan)

    return {
        "seen": seen.mean(0),
        "x": np.stack([spread(points[seen[:, j], j, 0]) for j in range(len(JOINTS))]),
        "y": np.stack([spread(points[seen[:, j], j, 1]) for j in range(len(JOINTS))]),
        "speed": np.stack([spread(np.array(speeds[j])) for j in range(len(JOINTS))]),
    }


def covered(windows: Sequence[Landmarks], by: Sequence[Landmarks]) -> NDArray[np.float64]:
    """Share of each joint's positions in `windows` that lie within the central 98 % of those in `by`, x and y: [13]."""
    mine, theirs = (np.concatenate(list(w)) for w in (windows, by))
    out = np.full(len(JOINTS), np.nan)
    for j in range(len(JOINTS)):
        a, b = (p[p[:, j, 2] > 0, j, :2] for p in (mine, theirs))
        if len(a) and len(b):
            low, high = np.percentile(b, [1, 99], axis=0)
            out[j] = ((a >= low) & (a <= high)).all(1).mean()
    return out


def table(real: Sequence[Landmarks], made: Sequence[Landmarks]) -> list[list[str]]:
    """Rows of the comparison, the first being its head."""
    a, b, inside = measures(real), measures(made), covered(real, made)
    head = ["joint", "seen: clips", "training", "x: clips", "training", "y: clips", "training", "speed: clips"]
    rows = [[*head, "training", "inside"]]
    for j, name in enumerate(JOINTS):
        cells = [name.replace("_", " "), f"{a['seen'][j]:.2f}", f"{b['seen'][j]:.2f}"]
        for key in ("x", "y", "speed"):
            cells += [_range(m[key][j]) for m in (a, b)]
        rows.append([*cells, "–" if np.isnan(inside[j]) else f"{inside[j]:.2f}"])
    return rows


def _range(values: NDArray[np.float64]) -> str:
    low, middle, high = values
    return "–" if np.isnan(middle) else f"{middle:.1f} ({low:.1f} to {high:.1f})"


def picture(real: Sequence[Landmarks], made: Sequence[Landmarks], path: Path) -> None:
    """Where the joints lie and how fast they move, clips beside training views."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 5.2), constrained_layout=True)
    for axis, windows, title in ((axes[0], real, "filmed, BlazePose"), (axes[1], made, "training views")):
        points = np.concatenate(list(windows))[::3]
        for j, name in enumerate(JOINTS):
            there = points[points[:, j, 2] > 0, j][:2500]
            axis.scatter(there[:, 0], there[:, 1], s=1, alpha=0.25, color=f"C{j % 10}", label=name, rasterized=True)
        sample = windows[0][min(5, len(windows[0]) - 1)]
        for i, k in BONES:
            if sample[i, 2] and sample[k, 2]:
                axis.plot(sample[[i, k], 0], sample[[i, k], 1], color="black", lw=1)
        axis.set(title=title, xlim=(-4, 4), ylim=(4.5, -4), xlabel="shoulder widths", aspect="equal")
    for windows, title in ((real, "filmed"), (made, "training")):
        speed = measures(windows)["speed"]
        error = np.abs(speed[:, [0, 2]] - speed[:, [1]]).T
        shift = -0.15 if windows is real else 0.15
        axes[2].errorbar(speed[:, 1], np.arange(len(JOINTS)) + shift, xerr=error, fmt="o", ms=4, capsize=2, label=title)
    axes[2].set_yticks(range(len(JOINTS)), [name.replace("_", " ") for name in JOINTS])
    axes[2].set(title="speed, 5th to 95th percentile", xlabel="shoulder widths a second", xscale="symlog")
    axes[2].invert_yaxis()
    axes[2].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    plt.close(figure)
