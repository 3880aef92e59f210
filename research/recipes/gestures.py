"""Hands that talk: bodies that move as much as acted ones and tell no emotion, for the joint stage.

Whoever signs, explains or tells a story moves the arms in front of a body that stands or sits.  No corpus here has
such bodies, and a network that knows stillness and acting only takes them for acting.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emoje_edge.evaluation import conditions as make
from emoje_edge.evaluation.conditions import Flavour
from emoje_edge.perception.skeleton import RATE

Array = NDArray[np.float32]
_HIPS, _SHOULDERS, _ELBOWS, _WRISTS = [7, 8], [1, 2], [3, 4], [5, 6]
_UPPER = 0.95  # length of the upper arm in shoulder widths; a camera can only shorten it


def gesturing(seconds: float, g: np.random.Generator, *, flavour: Flavour) -> Array:
    """Somebody who stands or sits and talks with one hand or both: float32 [T, 13, 3] landmarks at 12.5 Hz."""
    body = make.still_body(seconds, g, flavour=flavour)
    t = len(body)
    shoulders = body[:, _SHOULDERS, :2]
    width = float(np.median(np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=-1)))
    if width <= 0:
        return body
    hands = ((True, False), (False, True), (True, True), (True, True))[g.integers(4)]
    pace, reach = g.uniform(0.18, 0.7), g.uniform(0.4, 1.0)
    chest = shoulders.mean(1)
    rest = np.array([g.uniform(-0.1, 0.5), g.uniform(0.3, 1.2)])
    for side in np.flatnonzero(hands):
        out = np.sign(np.median(shoulders[:, side, 0] - chest[:, 0])) or 1.0
        x, y = (_strokes(t, pace, reach, g) for _ in range(2))
        wrist = chest + width * np.stack([out * (rest[0] + 0.9 * x), rest[1] + 0.9 * y], -1)
        body[:, _WRISTS[side], :2] = wrist
        body[:, _ELBOWS[side], :2] = _elbow(shoulders[:, side], wrist, width, out)
        body[:, [_ELBOWS[side], _WRISTS[side]], 2] = np.clip(g.uniform(0.6, 1) + g.normal(0, 0.05, (t, 2)), 0, 1)
    body[..., :2] += width * 0.02 * g.standard_normal(body[..., :2].shape)
    return body


def _strokes(frames: int, pace: float, reach: float, g: np.random.Generator) -> NDArray[np.float64]:
    """A hand's way along one axis: from place to place every `pace` seconds or so, with rests; shoulder widths."""
    count = int(frames / RATE / pace) + 3
    at = np.cumsum(g.uniform(0.6, 1.4, count) * pace) - pace
    places = g.normal(0, 0.5 * reach, count)
    rests = g.random(count) < 0.25
    for i in np.flatnonzero(rests[1:]) + 1:
        places[i] = places[i - 1]
    way = np.interp(np.arange(frames) / RATE, at, places)
    return np.convolve(np.pad(way, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")


def _elbow(shoulder: Array, wrist: NDArray[np.float64], width: float, out: float) -> NDArray[np.float64]:
    """Where the elbow hangs: below and outside the line from the shoulder to the wrist, never further than an arm."""
    across = wrist - shoulder
    bend = np.sqrt(np.maximum((_UPPER * width) ** 2 - (across**2).sum(-1) / 4, 0))
    return shoulder + across / 2 + np.stack([0.4 * out * bend, 0.8 * bend], -1)
