"""The points of the body in a crop: BlazePose's landmark network, as in MediaPipe's `pose_landmark_cpu` graph.

Of its 33 landmarks nine of the face, the hands' and the feet's end here: they are never read from the network's
output.  The two ears go as far as `joints_of`, which leaves their middle, one point that says where the head is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emoje_edge.perception.bodies.networks import CROP_SIDE, Networks, sigmoid
from emoje_edge.perception.bodies.regions import Floats, Pixels, Region, crops

# Landmarks that are read: ears; shoulders, elbows, wrists, hips, knees, ankles, left before right; and two auxiliary
# ones, the middle of the hips and a point on the circle around the body.
_READ = np.array([7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 33, 34])
BODY, SHOULDERS, CENTER, RIM = slice(0, 14), slice(2, 4), 14, 15  # where they are then
_PRESENCE = 0.5  # of a body in the crop, least
_HALF, _SURE = 4, 0.5  # heatmap: half the window around a landmark, least peak that is believed


def look(networks: Networks, picture: Pixels, regions: Sequence[Region]) -> list[Floats | None]:
    """All crops in one call: [16, 3] of the body in each (x, y in px of the picture, visibility), None without one."""
    if not regions:
        return []
    points, presence, heat = networks.landmarks(crops(picture, regions, CROP_SIDE))
    found: list[Floats | None] = []
    for region, p, there, h in zip(regions, points[:, _READ], presence, heat, strict=True):
        if not there > _PRESENCE:
            found.append(None)
            continue
        xy = _refine(p[:, :2] / CROP_SIDE, h) * CROP_SIDE
        m = region.matrix(CROP_SIDE)
        found.append(np.column_stack([xy @ m[:, :2].T + m[:, 2], sigmoid(p[:, 3])]).astype(np.float32))
    return found


def joints_of(points: Floats) -> Floats:
    """[14, 3] of ears and body -> [13, 3] in the order of `skeleton.JOINTS`."""
    return np.concatenate([points[:2].mean(axis=0, keepdims=True), points[2:14]])


def _refine(xy: Floats, heat: Floats) -> Floats:
    """Each landmark [16, 2] (0 to 1) moves to its heatmap's centre of mass nearby, where the heatmap is sure of it."""
    size = heat.shape[0]
    at = (xy * size).astype(int)
    inside = ((at >= 0) & (at < size)).all(1)
    at = np.clip(at, 0, size - 1)
    step = np.arange(-_HALF, _HALF + 1)
    col, row = at[:, 0, None] + step, at[:, 1, None] + step  # [16, 9]
    valid = ((row >= 0) & (row < size))[:, :, None] & ((col >= 0) & (col < size))[:, None, :]
    near_row, near_col = np.clip(row, 0, size - 1), np.clip(col, 0, size - 1)
    window = heat[near_row[:, :, None], near_col[:, None, :], _READ[:, None, None]]  # [16, 9, 9]
    mass = np.where(valid, sigmoid(window), 0)
    total = np.maximum(mass.sum((1, 2)), 1e-12)
    mean = np.stack([(mass.sum(1) * col).sum(1), (mass.sum(2) * row).sum(1)], 1) / total[:, None] / size
    return np.asarray(np.where((inside & (mass.max((1, 2)) >= _SURE))[:, None], mean, xy))
