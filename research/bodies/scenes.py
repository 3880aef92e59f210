"""Pictures of several people whose right answer is known, made from clips of one: side by side, cut, shaken, crossing.

The signers of `video/intel_asl` stand alone before a wall; a strip with one of them is a body that can be put anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emoje_edge.perception.media import VideoFrame, decode
from emoje_edge.shapes import POSE_RATE

Pixels = NDArray[np.uint8]
STRIP = 320  # px, width of one body's part of a picture of 640 x 480
SIGNERS = ("again", "book", "eat", "hungry", "milk", "no", "school", "sorry", "thanks", "want")


@dataclass(frozen=True)
class Shown:
    """One picture [480, 640, 3], its time (s), and where each body's middle is (px from the left), by name.

    Hidden is who has less than half of the shoulders in sight.
    """

    time: float
    pixels: Pixels
    places: dict[str, float]
    hidden: frozenset[str] = frozenset()


def strips(video: Path, name: str) -> list[Pixels]:
    """[480, 320, 3] pictures of one signer at 12.5 Hz."""
    frames = decode(video / "intel_asl" / f"{name}.mkv", audio=False, fps=POSE_RATE)
    side = slice(320 - STRIP // 2, 320 + STRIP // 2)
    return [np.ascontiguousarray(f.pixels[:, side]) for f in frames if isinstance(f, VideoFrame)]


def beside(left: list[Pixels], right: list[Pixels], *, names: tuple[str, str], start: float = 0.0) -> Iterator[Shown]:
    """Two people side by side, as long as the shorter clip."""
    for i, (a, b) in enumerate(zip(left, right, strict=False)):
        places = {names[0]: STRIP / 2, names[1]: STRIP * 1.5}
        yield Shown(start + i / POSE_RATE, np.concatenate([a, b], axis=1), places)


def cut(shots: list[list[Shown]]) -> Iterator[Shown]:
    """Shots one after the other without any transition; every body of a shot has a name of its own."""
    time = 0.0
    for number, shot in enumerate(shots):
        for shown in shot:
            places = {f"{name} {number}": place for name, place in shown.places.items()}
            yield Shown(time, shown.pixels, places)
            time += 1 / POSE_RATE


def framed(shot: list[Shown], size: float, at: tuple[float, float], rng: np.random.Generator) -> list[Shown]:
    """A shot as another camera has it: smaller, elsewhere in the picture, before another wall in another light.

    Args:
        size: of the old picture in the new one, 0 to 1.
        at: share of the free room to the left and above.
    """
    small = rng.integers(40, 216, (4, 6, 3), dtype=np.uint8)
    wall = Image.fromarray(small).resize((640, 480), Image.Resampling.BICUBIC)
    width, height = round(640 * size), round(480 * size)
    left, top = round(at[0] * (640 - width)), round(at[1] * (480 - height))
    light = rng.uniform(0.6, 1.0, 3)
    made = []
    for shown in shot:
        picture = wall.copy()
        lit = Image.fromarray((shown.pixels * light).astype(np.uint8))
        picture.paste(lit.resize((width, height), Image.Resampling.BILINEAR), (left, top))
        places = {name: left + place * size for name, place in shown.places.items()}
        made.append(Shown(shown.time, np.asarray(picture), places))
    return made


def shaken(shots: list[Shown], rng: np.random.Generator, *, most: int = 24) -> Iterator[Shown]:
    """The camera jumps up to `most` px each way from picture to picture."""
    for shown in shots:
        dx, dy = (int(n) for n in rng.integers(-most, most + 1, 2))
        pixels = np.roll(shown.pixels, (dy, dx), axis=(0, 1))
        yield Shown(shown.time, pixels, {name: place + dx for name, place in shown.places.items()})


def crossing(front: list[Pixels], behind: list[Pixels]) -> Iterator[Shown]:
    """One walks from left to right before another who walks from right to left; they meet in the middle."""
    count = min(len(front), len(behind))
    wall = behind[0][:, :8].mean((0, 1)).astype(np.uint8)
    for i in range(count):
        share = i / (count - 1)
        picture = np.empty((480, 640, 3), np.uint8)
        picture[:] = wall
        x, y = round(share * (640 - STRIP)), round((1 - share) * (640 - STRIP))
        picture[:, y : y + STRIP] = behind[i]
        # only the middle of the one before, where the body is: the wall beside them hides nobody
        picture[:, x + 60 : x + STRIP - 60] = front[i][:, 60:-60]
        hidden = frozenset({"behind"} if abs(x - y) < STRIP / 2 - 60 else ())
        yield Shown(i / POSE_RATE, picture, {"front": x + STRIP / 2, "behind": y + STRIP / 2}, hidden)
