"""Landmarks as a body: limbs relative to the joints they hang on, and how fast each moves.

How far the head hangs or the feet stand apart tells more of a manner than where a hand is, and measures a tenth of it:
every line is brought to deviation one, and comes with its velocity and with square roots of speed and of change of
speed, whose ratios matter more than their differences.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emoje_edge.errors import UsageError

JOINTS = 13
_SHOULDERS, _HIPS = (1, 2), (7, 8)
# from the middle of these joints to the middle of those; mean of y (x has none: views are mirrored) and deviation of
# x and y in shoulder widths, over camera views of Bandai's motions
_LINES: tuple[tuple[tuple[int, ...], tuple[int, ...], float, float, float], ...] = (
    (_SHOULDERS, (0,), -0.67, 0.22, 0.28),
    (_HIPS, _SHOULDERS, -1.42, 0.19, 0.37),
    ((1,), (3,), 0.58, 0.33, 0.50),
    ((2,), (4,), 0.58, 0.33, 0.50),
    ((3,), (5,), 0.30, 0.42, 0.58),
    ((4,), (6,), 0.30, 0.42, 0.58),
    ((2,), (1,), 0.0, 0.40, 0.17),
    ((8,), (7,), 0.0, 0.28, 0.12),
    ((7,), (9,), 1.38, 0.32, 0.38),
    ((8,), (10,), 1.38, 0.32, 0.38),
    ((9,), (11,), 1.20, 0.40, 0.44),
    ((10,), (12,), 1.20, 0.40, 0.44),
    ((12,), (11,), 0.0, 0.85, 0.54),
    ((), _HIPS, 0.10, 1.60, 0.80),
    (_HIPS, (5,), -0.50, 0.66, 0.95),
    (_HIPS, (6,), -0.50, 0.66, 0.95),
)
_STEP = 0.15  # shoulder widths a frame: the deviation of a line's velocity


class Bones(nn.Module):
    """[B, T, 13, 3] landmarks -> [B, T, FEATURES].  A line without one of its joints is zero, and so is its motion."""

    FEATURES = 6 * len(_LINES) + JOINTS
    lines: Tensor
    needs: Tensor
    middle: Tensor
    scale: Tensor
    both: Tensor

    def __init__(self, joints: int) -> None:
        super().__init__()
        if joints != JOINTS:
            raise UsageError(f"landmarks of {joints} joints", f"the skeleton has {JOINTS}")
        ends = torch.zeros(len(_LINES), JOINTS)
        for row, (start, end, *_) in zip(ends, _LINES, strict=True):
            for sign, part in ((-1, start), (1, end)):
                for joint in part:
                    row[joint] += sign / len(part)
        eye, count = torch.eye(2), len(_LINES)
        # one matmul each: x and y of all joints -> of all lines; joints -> lines that need them; lines -> x and y
        constants = {
            "lines": torch.kron(ends.T.contiguous(), eye),
            "needs": torch.kron((ends != 0).float().T.contiguous(), torch.ones(1, 2)),
            "middle": torch.tensor([v for line in _LINES for v in (0.0, line[2])]),
            "scale": torch.tensor([1 / v for line in _LINES for v in line[3:]]),
            "both": torch.kron(torch.eye(count), torch.ones(2, 1)),
        }
        for name, value in constants.items():
            self.register_buffer(name, value, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        seen = (x[..., 2] > 0).to(x.dtype)
        there = 1 - ((1 - seen) @ self.needs).clamp(max=1)
        lines = x[..., :2].flatten(2) @ self.lines
        velocity = self._change(lines, there) / _STEP
        change = self._change(velocity, there)
        roots = [((v * v) @ self.both + 1e-3).sqrt().sqrt() - 0.7 for v in (velocity, change)]
        return torch.cat([(lines - self.middle) * self.scale * there, velocity, *roots, seen], -1)

    @staticmethod
    def _change(x: Tensor, there: Tensor) -> Tensor:
        """Difference to the frame before, where both are there; zero for the first."""
        return F.pad((x[:, 1:] - x[:, :-1]) * there[:, 1:] * there[:, :-1], (0, 0, 1, 0))
