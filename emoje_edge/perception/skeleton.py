"""The one body skeleton: thirteen joints, normalised, at one frame rate (numpy only).

Landmarks of a camera and joints of motion capture meet here, so that what is learned on one holds on the other.
J = 13 joints; x to the right, y down, in any one unit (pixels, or image heights); visibility 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError
from emoje_edge.shapes import POSE_RATE

Landmarks = NDArray[np.float32]

JOINTS: tuple[str, ...] = (
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
BONES: tuple[tuple[int, int], ...] = (
    (1, 2),
    (1, 3),
    (3, 5),
    (2, 4),
    (4, 6),
    (1, 7),
    (2, 8),
    (7, 8),
    (7, 9),
    (9, 11),
    (8, 10),
    (10, 12),
)  # pairs of joints that a skeleton drawing joins; the head is a point of its own
RATE = POSE_RATE
VISIBLE = 0.5  # below it a joint is not there: BlazePose guesses what it does not see, and says so
REACH = 6.0  # shoulder widths; beyond it a landmark is a detector's slip

_HEAD, _SHOULDERS, _HIPS = 0, (1, 2), (7, 8)
# Lengths in shoulder widths of a standing adult seen from the front.  They only serve where the shoulders are
# seen from the side, or the hips are out of the picture.
_TORSO, _NECK = 1.45, 0.75


def normalise(landmarks: Landmarks) -> Landmarks:
    """Landmarks of one person and one utterance, moved to the hips and scaled to the shoulder width.

    Origin and scale are medians over the whole utterance, so steps, bows and turns survive.  Where the hips are
    out of the picture the origin lies where they would be, a torso below the shoulders.  The scale is the largest
    of shoulder width, torso and (without hips) neck, each in the unit of shoulder widths: a person seen from the
    side has hardly any shoulder width, and projection can only shorten.

    Args:
        landmarks: [T, 13, 3] float: x, y (equal units, y down), visibility.  A frame without a person is all zero.

    Returns:
        [T, 13, 3] float32: x, y in shoulder widths from the hips, visibility; all zero for a joint that is not
        visible, and everywhere if no size can be told (both shoulders are never seen together).

    Raises:
        UsageError: another shape.
    """
    points, seen = _checked(landmarks)
    shoulders, hips = _middle(points, seen, _SHOULDERS), _middle(points, seen, _HIPS)
    head = _middle(points, seen, (_HEAD,))
    torso = _median_length(shoulders - hips)
    lengths = [_median_length(points[:, 1, :2] - points[:, 2, :2], seen[:, 1] & seen[:, 2]), torso / _TORSO]
    if np.isnan(torso):
        lengths.append(_median_length(shoulders - head) / _NECK)
    scale = max((x for x in lengths if np.isfinite(x)), default=0.0)
    out = np.zeros(points.shape, np.float32)
    if scale <= np.finfo(np.float32).tiny:
        return out
    origin = _median_point(hips)
    if np.isnan(origin).any():
        origin = _median_point(shoulders) + np.array([0.0, _TORSO * scale])
    out[..., :2] = np.clip((points[..., :2] - origin) / scale, -REACH, REACH)
    out[..., 2] = np.clip(points[..., 2], 0.0, 1.0)
    out[~seen] = 0.0
    return out


def resample(
    times: Sequence[float] | NDArray[np.floating],
    landmarks: Landmarks,
    rate: float = RATE,
    *,
    start: float | None = None,
    end: float | None = None,
    max_gap: float = 0.25,
) -> Landmarks:
    """Landmarks on an even grid; what was not seen is marked, not invented.

    A grid point between two sightings of a joint at most `max_gap` apart is interpolated; else it takes a sighting
    within half a grid step; else it is zero.

    Args:
        times: [T] seconds, rising.
        landmarks: [T, 13, 3]; a frame without a person is all zero.
        rate: of the grid, Hz.
        start, end: of the grid, s; the first and last time if None.
        max_gap: s.

    Returns:
        [N, 13, 3] float32, N = floor((end - start) * rate) + 1; none for no frames.

    Raises:
        UsageError: times that do not rise, another shape, a rate that is not positive.
    """
    at = np.asarray(times, np.float64)
    points, seen = _checked(landmarks)
    if at.shape != points.shape[:1] or not np.isfinite(at).all() or (np.diff(at) <= 0).any():
        raise UsageError(f"times of shape {at.shape} for {len(points)} frames", "one rising time in seconds a frame")
    if not rate > 0:
        raise UsageError(f"rate {rate} Hz", "give a positive frame rate")
    if not at.size:
        return np.zeros((0, len(JOINTS), 3), np.float32)
    first, last = (at[0] if start is None else start), (at[-1] if end is None else end)
    grid = first + np.arange(max(int(np.floor((last - first) * rate + 1e-6)) + 1, 0)) / rate
    out = np.zeros((grid.size, len(JOINTS), 3), np.float32)
    for joint in range(len(JOINTS)):
        here = np.flatnonzero(seen[:, joint])
        if here.size:
            out[:, joint] = _one_joint(grid, at[here], points[here, joint], max_gap=max_gap, near=0.5 / rate)
    return out


def _one_joint(
    grid: NDArray[np.float64], at: NDArray[np.float64], points: NDArray[np.float64], *, max_gap: float, near: float
) -> NDArray[np.float64]:
    """[N, 3] from the sightings [K, 3] of one joint, K at least 1."""
    after = np.searchsorted(at, grid, side="left")
    right, left = np.minimum(after, at.size - 1), np.maximum(after - 1, 0)
    gap = at[right] - at[left]
    share = np.divide(grid - at[left], gap, out=np.zeros_like(grid), where=gap > 0)
    between = (share >= 0) & (share <= 1) & (gap > 0) & (gap <= max_gap + 1e-9)
    mixed = points[left] + (points[right] - points[left]) * share[:, None]
    nearest = np.where(np.abs(grid - at[left]) <= np.abs(at[right] - grid), left, right)
    close = np.abs(grid - at[nearest]) <= near + 1e-9
    return np.where(between[:, None], mixed, np.where(close[:, None], points[nearest], 0.0))


def _checked(landmarks: Landmarks) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """[T, 13, 3] float64 without NaN and [T, 13] whether a joint is seen."""
    points = np.array(landmarks, np.float64)
    if points.ndim != 3 or points.shape[1:] != (len(JOINTS), 3):
        raise UsageError(f"landmarks of shape {points.shape}", f"give [frames, {len(JOINTS)}, 3]: x, y, visibility")
    finite = np.isfinite(points).all(-1)
    points[~finite] = 0.0
    return points, finite & (points[..., 2] >= VISIBLE)


def _middle(points: NDArray[np.float64], seen: NDArray[np.bool_], joints: Sequence[int]) -> NDArray[np.float64]:
    """Middle of joints a frame, [T, 2]; NaN where one of them is not seen."""
    middle = points[:, list(joints), :2].mean(1)
    middle[~seen[:, list(joints)].all(1)] = np.nan
    return middle


def _median_point(points: NDArray[np.float64]) -> NDArray[np.float64]:
    there = points[~np.isnan(points).any(1)]
    return np.median(there, 0) if there.size else np.full(2, np.nan)


def _median_length(vectors: NDArray[np.float64], seen: NDArray[np.bool_] | None = None) -> float:
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    lengths = lengths[np.isfinite(lengths) if seen is None else seen]
    return float(np.median(lengths)) if lengths.size else float("nan")
