"""How well several people are kept apart, on scenes whose right answer is known.

python -m research.bodies.people DATA        # the folder with video/ and ravdess/
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from emoje_edge.perception.bodies.estimator import BlazePose, Body
from emoje_edge.perception.bodies.speaker import Speakers
from emoje_edge.shapes import POSE_RATE, SAMPLE_RATE
from research.bodies.scenes import SIGNERS, STRIP, Pixels, Shown, beside, crossing, cut, framed, shaken, strips

_NEAR = 80  # px between a body's middle and where it should be


def kept(scene: Iterable[Shown], *, last: float = 1.0) -> float:
    """Share of pictures in which everybody in sight is found, each under the first number that was theirs.

    A number that was somebody else's before is wrong, and so is a new one for somebody who had one.

    Args:
        last: part of the scene, from its end, that counts.
    """
    owners: dict[int, str] = {}
    numbers: dict[str, int] = {}
    right = []
    with BlazePose(people=2) as estimator:
        for shown in scene:
            found = dict(_named(estimator.estimate(shown.pixels, shown.time), shown))
            for name, body in found.items():
                if body.person not in owners and name not in numbers:
                    owners[body.person], numbers[name] = name, body.person
            all_found = found.keys() >= shown.places.keys() - shown.hidden
            right.append(all_found and all(numbers.get(n) == b.person for n, b in found.items()))
    return float(np.mean(right[-max(1, round(last * len(right))) :]))


def _named(bodies: Sequence[Body], shown: Shown) -> Iterator[tuple[str, Body]]:
    """Each body with the name of whoever stands where it is."""
    for body in bodies:
        x = float(body.joints[[1, 2], 0].mean()) * shown.pixels.shape[0]
        name = min(shown.places, key=lambda n: abs(shown.places[n] - x))
        if abs(shown.places[name] - x) < _NEAR:
            yield name, body


def pairs() -> list[tuple[str, str]]:
    return [(a, SIGNERS[(i + 1) % len(SIGNERS)]) for i, a in enumerate(SIGNERS)]


def shots(clips: dict[str, list[Pixels]]) -> list[list[Shown]]:
    """Shots of two people each."""
    return [list(beside(clips[a], clips[b], names=(a, b + "'"))) for a, b in pairs()]


def other_cameras(made: list[list[Shown]], rng: np.random.Generator) -> list[list[Shown]]:
    """The same, each by a camera of its own: nearer or farther than the one before, and elsewhere in the picture."""
    sizes = (1.0, 0.7, 0.85)
    corners = ((float(rng.random()), float(rng.random())) for _ in made)
    return [framed(shot, sizes[i % 3], at, rng) for i, (shot, at) in enumerate(zip(made, corners, strict=True))]


def still(clip: list[Pixels], rng: np.random.Generator) -> list[Pixels]:
    """Somebody who listens: one picture, swaying by up to 2 px, with noise."""
    rows = []
    for i in range(len(clip)):
        sway = round(2 * np.sin(2 * np.pi * 0.3 * i / POSE_RATE))
        noisy = np.roll(clip[0], sway, axis=1) + rng.normal(0, 2, clip[0].shape)
        rows.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return rows


def linked(clip: list[Pixels], other: list[Pixels], side: int, rng: np.random.Generator) -> bool:
    """Whether a voice is given to the body that talks with its hands, on this side (0 left), not to the still one."""
    listens = still(other, rng)
    people = (clip, listens) if side == 0 else (listens, clip)
    seen: list[tuple[Body, ...]] = []
    times = []
    with BlazePose(people=2) as estimator:
        for shown in beside(*people, names=("left", "right")):
            seen.append(estimator.estimate(shown.pixels, shown.time))
            times.append(shown.time)
    numbers = {body.person for bodies in seen for body in bodies}
    joints = {n: np.zeros((len(seen), 13, 3), np.float32) for n in numbers}
    for row, bodies in enumerate(seen):
        for body in bodies:
            joints[body.person][row] = body.joints
    # syllables: four a second
    t = np.arange(round(times[-1] * SAMPLE_RATE)) / SAMPLE_RATE
    sound = (rng.standard_normal(len(t)) * np.clip(np.sin(2 * np.pi * 4 * t), 0, None) * 0.1).astype(np.float32)
    number = Speakers().link(joints, np.array(times), sound=sound)
    if number is None:
        return False
    seen_at = joints[number][joints[number][:, 0, 2] > 0.5]
    return bool((np.median(seen_at[:, [1, 2], 0]) * 480 < STRIP) == (side == 0))


def main(data: Path) -> None:
    """Print the figures."""
    rng = np.random.default_rng(0)
    clips = {name: strips(data / "video", name) for name in SIGNERS}
    made = shots(clips)
    print("side by side, no cut", np.mean([kept(shot) for shot in made]).round(3))
    print("made cuts", round(kept(cut(other_cameras(made, rng))), 3))
    print("shaken", np.mean([kept(shaken(shot, rng)) for shot in made]).round(3))
    walks = [list(crossing(clips[a] + clips[a][::-1], clips[b] + clips[b][::-1])) for a, b in pairs()]
    print("crossing", [round(kept(walk), 2) for walk in walks])
    print("crossing, when they have passed", [round(kept(walk, last=0.1), 2) for walk in walks])
    right = [linked(clips[a], clips[b], side, rng) for a, b in pairs() for side in (0, 1)]
    print(f"voices to the right body {np.mean(right):.2f} of {len(right)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
