"""Motion capture as a camera and a pose estimator would have seen it.

Bodies of other proportions, random cameras, parts of the body out of the picture, noise that grows with distance,
joints and frames that get lost, frame rates: what is learned on these holds on a pose estimator's output.  The
defaults were compared with landmarks of real clips (docs/evidence/pose.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.features import pose_feature
from emoje_edge.perception.skeleton import JOINTS
from emoje_edge.shapes import POSE_RATE, POSES

LEFT_RIGHT = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11]
# joints out of the picture when it ends at the ankles, knees, hips
_CROPS = {"body": (), "knees": (11, 12), "hips": (9, 10, 11, 12), "chest": (7, 8, 9, 10, 11, 12)}


@dataclass(frozen=True)
class CameraSettings:
    """Ranges that every view is drawn from.

    Attributes:
        yaw: largest turn of the camera to either side, degrees.
        back_share: of views from behind.
        pitch: lowest and highest camera angle, degrees; positive looks down.
        distance: nearest and farthest, metres.
        crop_shares: of pictures that end below the body, at knees, hips, chest.
        jitter: standard deviation of each landmark in shoulder widths at 2 m, growing with distance.
        lost_joint, lost_frame: share of joints and frames that are not found.
        follow_share: of cameras that follow the person, so that a walk stays in place.
        fps: lowest and highest frame rate, Hz.
        tempo: slowest and fastest play.
        still_wrist_share: of views in which a hand leaves the picture for a while.
        shoulders: narrowest and widest, times the performer's own.
    """

    yaw: float = 60.0
    back_share: float = 0.04
    pitch: tuple[float, float] = (-10.0, 20.0)
    distance: tuple[float, float] = (1.5, 6.0)
    crop_shares: tuple[float, float, float, float] = (0.25, 0.1, 0.35, 0.3)
    jitter: float = 0.012
    lost_joint: float = 0.02
    lost_frame: float = 0.02
    follow_share: float = 0.8
    fps: tuple[float, float] = (10.0, 30.0)
    tempo: tuple[float, float] = (0.7, 1.15)
    still_wrist_share: float = 0.2
    shoulders: tuple[float, float] = (1.25, 1.75)


FRONTAL = CameraSettings(
    yaw=0.0,
    back_share=0.0,
    pitch=(0.0, 0.0),
    distance=(4.0, 4.0),
    crop_shares=(1.0, 0.0, 0.0, 0.0),
    jitter=0.0,
    lost_joint=0.0,
    lost_frame=0.0,
    follow_share=1.0,
    fps=(30.0, 30.0),
    tempo=(1.0, 1.0),
    still_wrist_share=0.0,
)
"""No randomness: seen from the front at 4 m, whole and without noise."""

STAGE = CameraSettings(
    yaw=20.0,
    back_share=0.0,
    pitch=(0.0, 20.0),
    distance=(4.0, 9.0),
    crop_shares=(1.0, 0.0, 0.0, 0.0),
    jitter=0.005,
    lost_joint=0.0,
    lost_frame=0.0,
    follow_share=0.1,
    fps=(25.0, 30.0),
    tempo=(0.85, 1.15),
    still_wrist_share=0.0,
    shoulders=(0.95, 1.2),
)
"""A camera that stands before the whole body, and bodies much like the performer's."""


def view(
    positions: NDArray[np.floating], fps: float, generator: np.random.Generator, settings: CameraSettings
) -> NDArray[np.float32]:
    """One random view of a motion, in the network's form.

    Args:
        positions: [T, 13, 3] metres, Y up, facing +Z.
        fps: of `positions`, Hz.

    Returns:
        [N, 13, 3] float32, N at most 96 at 12.5 Hz: x, y, visibility, normalised as in perception.
    """
    found = pose_feature(*filmed(positions, fps, generator, settings))
    return np.zeros((1, len(JOINTS), 3), np.float32) if found is None else found


def filmed(
    positions: NDArray[np.floating], fps: float, generator: np.random.Generator, settings: CameraSettings
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The same view as a pose estimator gives it: times [T] s, landmarks [T, 13, 3]."""
    g = generator
    times = np.arange(len(positions)) / (fps * g.uniform(*settings.tempo))
    first, last = _window(times, g)
    keep = slice(int(np.searchsorted(times, first)), int(np.searchsorted(times, last, side="right")))
    # frames that the camera gives: a lower rate, unevenly timed by a tenth of a frame
    step = max(1, round(1 / g.uniform(*settings.fps) / (times[1] - times[0]))) if len(times) > 1 else 1
    body, times = positions[keep][::step], times[keep][::step]
    seen = (_other_body(body, g, settings.shoulders) if settings.jitter else body).astype(np.float64)
    flat, distance = _project(seen, g, settings)
    if g.random() < 0.5 and settings.yaw:
        flat = flat[:, LEFT_RIGHT] * [-1.0, 1.0]
    unit = 0.36 / distance  # a shoulder width in the picture
    flat = flat + _noise(flat.shape, g) * settings.jitter * unit * np.sqrt(distance / 2.0)
    seen = _visibility(flat, unit, g, settings)
    return times, np.concatenate([flat, seen[..., None]], -1).astype(np.float32)


def _window(times: NDArray[np.float64], g: np.random.Generator) -> tuple[float, float]:
    """A part of the motion as long as an utterance: 1.6 to 7.6 s, the whole where it is shorter."""
    length = min(times[-1], g.uniform(1.6, (POSES - 1) / POSE_RATE))
    start = g.uniform(0, times[-1] - length) if times[-1] > length else 0.0
    return float(start), float(start + length)


def _other_body(
    body: NDArray[np.floating], g: np.random.Generator, shoulders: tuple[float, float]
) -> NDArray[np.float64]:
    """The same motion by a body of other proportions: every bone scaled, symmetrically.

    The captured performer has narrow shoulders for the torso (a ratio of 0.52, where people filmed have 0.6 to 0.8),
    so the default widens the shoulders always.
    """
    p = np.asarray(body, np.float64)
    shoulder, hip = (p[:, 1] + p[:, 2]) / 2, (p[:, 7] + p[:, 8]) / 2
    out = np.empty_like(p)
    new_shoulder = hip + (shoulder - hip) * g.uniform(0.9, 1.1)
    wide, hips_wide = g.uniform(*shoulders), g.uniform(1.0, 1.6)
    neck, upper, lower = g.uniform(0.9, 1.4), g.uniform(0.9, 1.15), g.uniform(0.9, 1.15)
    thigh, shin = g.uniform(0.92, 1.08), g.uniform(0.92, 1.08)
    out[:, 0] = new_shoulder + (p[:, 0] - shoulder) * neck
    for side in (0, 1):
        out[:, 1 + side] = new_shoulder + (p[:, 1 + side] - shoulder) * wide
        out[:, 3 + side] = out[:, 1 + side] + (p[:, 3 + side] - p[:, 1 + side]) * upper
        out[:, 5 + side] = out[:, 3 + side] + (p[:, 5 + side] - p[:, 3 + side]) * lower
        out[:, 7 + side] = hip + (p[:, 7 + side] - hip) * hips_wide
        out[:, 9 + side] = out[:, 7 + side] + (p[:, 9 + side] - p[:, 7 + side]) * thigh
        out[:, 11 + side] = out[:, 9 + side] + (p[:, 11 + side] - p[:, 9 + side]) * shin
    return out


def _project(
    body: NDArray[np.float64], g: np.random.Generator, settings: CameraSettings
) -> tuple[NDArray[np.float64], float]:
    """Perspective view of [T, 13, 3]: ([T, 13, 2] with y down in units of the focal length, distance in m)."""
    hips = (body[:, 7] + body[:, 8]) / 2
    if g.random() < settings.follow_share:
        body = body - _smooth(hips * [1.0, 0.0, 1.0])[:, None]
    body = body - np.median((body[:, 7] + body[:, 8]) / 2, 0)
    yaw = np.radians(g.uniform(-settings.yaw, settings.yaw)) + (np.pi if g.random() < settings.back_share else 0.0)
    pitch, distance = np.radians(g.uniform(*settings.pitch)), g.uniform(*settings.distance)
    x = body[..., 0] * np.cos(yaw) + body[..., 2] * np.sin(yaw)
    z = body[..., 2] * np.cos(yaw) - body[..., 0] * np.sin(yaw)
    y = body[..., 1] * np.cos(pitch) - z * np.sin(pitch)
    z = body[..., 1] * np.sin(pitch) + z * np.cos(pitch)
    depth = np.maximum(distance - z, 0.3 * distance)
    return np.stack([x, -y], -1) / depth[..., None], distance


def _smooth(path: NDArray[np.float64], frames: int = 15) -> NDArray[np.float64]:
    """Moving mean over time, the ends held."""
    if len(path) < 2:
        return path
    frames = min(frames, len(path)) | 1
    padded = np.pad(path, ((frames // 2, frames // 2), (0, 0)), mode="edge")
    kernel = np.ones(frames) / frames
    return np.stack([np.convolve(padded[:, i], kernel, "valid") for i in range(path.shape[1])], 1)


def _noise(shape: tuple[int, ...], g: np.random.Generator) -> NDArray[np.float64]:
    """Unit noise a joint: a constant offset, a slow drift and a quick tremble."""
    slow = _smooth(g.standard_normal((shape[0], shape[1] * shape[2])), 9).reshape(shape) * 2.0
    return g.standard_normal((1, *shape[1:])) * 1.5 + slow + 0.35 * g.standard_normal(shape)


def _visibility(
    flat: NDArray[np.float64], unit: float, g: np.random.Generator, settings: CameraSettings
) -> NDArray[np.float64]:
    """[T, 13] visibility: joints out of the picture, lost or hidden ones below one half."""
    frames = len(flat)
    if not settings.jitter:
        return np.ones((frames, len(JOINTS)))
    seen = np.clip(1.0 - np.abs(g.normal(0, 0.04, (frames, len(JOINTS)))) * g.uniform(0, 2, (1, len(JOINTS))), 0.55, 1)
    crop = list(_CROPS)[int(g.choice(4, p=settings.crop_shares))]
    seen[:, list(_CROPS[crop])] = 0.0
    if crop in ("hips", "chest"):  # hands and elbows below the lower edge are out, too
        above = g.uniform(0.2, 1.1) if crop == "chest" else -0.3
        edge = np.median(flat[:, 7:9, 1]) - above * unit
        seen[flat[..., 1] > edge] = 0.0
    if g.random() < settings.still_wrist_share:
        seen[:, int(g.choice([5, 6]))] = 0.0
    seen[_bursts(frames, len(JOINTS), settings.lost_joint, g)] = 0.0
    seen[_bursts(frames, 1, settings.lost_frame, g)[:, 0]] = 0.0
    return seen


def _bursts(frames: int, columns: int, share: float, g: np.random.Generator) -> NDArray[np.bool_]:
    """[T, columns] True where something is lost, about `share` of the time, five frames at a time."""
    starts = g.random((frames, columns)) < share / 5
    lost = starts.copy()
    for shift in range(1, 5):
        lost[shift:] |= starts[:-shift]
    return lost
