"""Joint positions of a BVH motion capture file: forward kinematics in numpy.

The format: a HIERARCHY of joints with offsets and channels, then one row of channel values a frame.  Rotations apply
in the order in which a joint's channels are listed (Meredith and Maddock, "Motion Capture File Formats Explained").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import WorkError

_AXES = {"X": 0, "Y": 1, "Z": 2}


@dataclass(frozen=True)
class BvhMotion:
    """Positions [T, J, 3] in the file's unit, in the order of `joints`, at `fps` frames a second."""

    joints: tuple[str, ...]
    positions: NDArray[np.float32]
    fps: float


@dataclass
class _Joint:
    name: str
    parent: int
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    channels: tuple[str, ...] = ()


def read_bvh(path: Path | str) -> BvhMotion:
    """Read one file; end sites are no joints.

    Raises:
        WorkError: not a BVH file, or one with missing, odd or non-finite numbers (with what and where).
    """
    path = Path(path)
    try:
        head, found, tail = path.read_text(encoding="utf-8", errors="replace").partition("MOTION")
    except OSError as error:
        raise WorkError(f"cannot read {path}: {error.strerror}", "give a BVH file") from error
    if not found or "HIERARCHY" not in head:
        raise WorkError(f"{path} is no BVH file", "it should hold HIERARCHY and MOTION")
    try:
        joints = _hierarchy(head.split())
        frames, interval, values = _motion(tail)
    except (ValueError, IndexError, KeyError) as error:
        raise WorkError(f"{path} is a broken BVH file: {error}", "export it again") from error
    width = sum(len(j.channels) for j in joints)
    if values.size != frames * width:
        raise WorkError(
            f"{path}: {values.size} numbers for {frames} frames of {width} channels", "the file is cut off or damaged"
        )
    if not np.isfinite(values).all() or not interval > 0:
        raise WorkError(f"{path} holds NaN, infinity or no frame time", "export it again")
    positions = _forward(joints, values.reshape(frames, width))
    return BvhMotion(tuple(j.name for j in joints), positions.astype(np.float32), 1.0 / interval)


def _hierarchy(words: list[str]) -> list[_Joint]:
    joints: list[_Joint] = []
    stack: list[int] = []  # -1 for an end site
    i = 0
    while i < len(words):
        word = words[i]
        if word in ("ROOT", "JOINT"):
            joints.append(_Joint(words[i + 1], stack[-1] if stack else -1))
            stack.append(len(joints) - 1)
            i += 2
        elif word == "End":
            stack.append(-1)
            i += 2
        elif word == "OFFSET":
            if stack[-1] >= 0:
                joints[stack[-1]].offset = np.array(words[i + 1 : i + 4], np.float64)
            i += 4
        elif word == "CHANNELS":
            count = int(words[i + 1])
            channels = tuple(words[i + 2 : i + 2 + count])
            odd = [c for c in channels if c[1:] not in ("position", "rotation") or c[0] not in _AXES]
            if odd:
                raise ValueError(f"unknown channel {odd[0]!r}")
            joints[stack[-1]].channels = channels
            i += 2 + count
        elif word == "}":
            stack.pop()
            i += 1
        else:
            i += 1
    if not joints or stack:
        raise ValueError("the hierarchy does not close")
    return joints


def _motion(text: str) -> tuple[int, float, NDArray[np.float64]]:
    words = text.replace("Frame Time:", "FrameTime:").split()
    if words[0] != "Frames:" or words[2] != "FrameTime:":
        raise ValueError("no 'Frames:' and 'Frame Time:' after MOTION")
    return int(words[1]), float(words[3]), np.array(words[4:], np.float64)


def _forward(joints: list[_Joint], values: NDArray[np.float64]) -> NDArray[np.float64]:
    frames = len(values)
    place = np.zeros((frames, len(joints), 3))
    turn = np.zeros((frames, len(joints), 3, 3))
    column = 0
    for n, joint in enumerate(joints):
        local = np.tile(joint.offset, (frames, 1))
        rotation = np.tile(np.eye(3), (frames, 1, 1))
        for channel in joint.channels:
            axis, value = _AXES[channel[0]], values[:, column]
            column += 1
            if channel.endswith("rotation"):
                rotation = rotation @ _rotation(axis, np.radians(value))
            else:  # a position channel replaces the offset of its axis
                local[:, axis] = value
        if joint.parent < 0:
            place[:, n], turn[:, n] = local, rotation
        else:
            parent = turn[:, joint.parent]
            place[:, n] = place[:, joint.parent] + np.einsum("tij,tj->ti", parent, local)
            turn[:, n] = parent @ rotation
    return place


def _rotation(axis: int, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """[T] radians about one axis -> [T, 3, 3], right-handed."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    out = np.zeros((len(angle), 3, 3))
    out[:, axis, axis] = 1.0
    out[:, a, a] = out[:, b, b] = np.cos(angle)
    out[:, a, b], out[:, b, a] = -np.sin(angle), np.sin(angle)
    return out
