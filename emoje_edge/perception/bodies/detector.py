"""Where bodies are in a picture: BlazePose's detector, decoded as in MediaPipe's `pose_detection_cpu` graph.

Each of 2,254 anchors gives a score, a box, and four key points.  The first two say where the crop lies: the middle of
the hips, and a point on the circle around the body; the third, the middle of the shoulders, tells two bodies apart.
Boxes of one body are averaged by their scores (weighted non-maximum suppression, Bazarevsky et al., 2019, arXiv
1907.05047).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.bodies.networks import DETECTOR_SIDE, Networks, sigmoid
from emoje_edge.perception.bodies.person import width_of
from emoje_edge.perception.bodies.regions import Floats, Pixels, Region, around, crops, squares

_SCORE, _OVERLAP = 0.5, 0.3  # least score of a detection; intersection over union of one body's boxes
_SAME = 0.5  # shoulder widths between the places at which two squares show one body


class Found(NamedTuple):
    """A body: how sure (0 to 1), the crop that holds it, and the middle of its shoulders [2] in px."""

    score: float
    region: Region
    place: NDArray[np.float64]


def find(networks: Networks, picture: Pixels, *, small: bool = False) -> list[Found]:
    """Bodies in a picture [H, W, 3], best first.

    Args:
        small: look at overlapping squares of the picture too, for several or distant people.
    """
    height, width = picture.shape[:2]
    places = squares(width, height) if small else squares(width, height)[:1]
    boxes, logits = networks.detect(crops(picture, places, DETECTOR_SIDE, black=True))
    found = [one for place, b, s in zip(places, boxes, logits, strict=True) for one in _decode(b, s, place)]
    found.sort(key=lambda one: -one.score)
    return _distinct(found)


def _distinct(found: Sequence[Found]) -> list[Found]:
    kept: list[Found] = []
    for one in found:
        if not any(_same(one, better) for better in kept):
            kept.append(one)
    return kept


def _same(one: Found, other: Found) -> bool:
    width = min(width_of(one.region), width_of(other.region))
    alike = 0.5 < one.region.side / other.region.side < 2
    return alike and float(np.hypot(*(one.place - other.place))) < _SAME * width


def _anchors() -> Floats:
    """[2254, 2] centres, 0 to 1: two a cell of 28 x 28 and 14 x 14, six of 7 x 7."""
    made = []
    for cells, each in ((28, 2), (14, 2), (7, 6)):
        y, x = np.mgrid[:cells, :cells]
        made.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2) + 0.5, each, 0) / cells)
    return np.concatenate(made).astype(np.float32)


_ANCHORS = _anchors()


def _decode(raw: Floats, logits: Floats, square: Region) -> list[Found]:
    """Bodies of one square from the network's [2254, 12] and [2254]."""
    scores = sigmoid(logits)
    kept = np.flatnonzero(scores >= _SCORE)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    scores = scores[kept]
    points = raw[kept].reshape(-1, 6, 2) / DETECTOR_SIDE  # centre, size, four key points
    points[:, [0, 2, 3, 4, 5]] += _ANCHORS[kept, None]
    boxes = np.concatenate([points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2], 1)
    corner = np.array([square.x, square.y]) - square.side / 2
    found, left = [], np.arange(len(kept))
    while left.size:
        same = _overlap(boxes[left], boxes[left[0]]) > _OVERLAP
        same[0] = True  # a box without area overlaps nothing, itself neither
        one = left[same]
        mean = np.average(points[one], axis=0, weights=scores[one]) * square.side + corner
        found.append(Found(float(scores[left[0]]), around(mean[2], mean[3]), mean[4].astype(np.float64)))
        left = left[~same]
    return [one for one in found if one.region.side >= 1]


def _overlap(boxes: Floats, box: Floats) -> Floats:
    """Intersection over union of boxes [N, 4] with one [4]."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    both = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return np.asarray(both / np.maximum(area - both, 1e-12))
