"""Telling voices apart: the directions that ship, and how often labels are right.

    python -m research.words.speakers DATA          writes emoje_edge/assets/speech/voices.npz, prints the errors

Learnt on RAVDESS' actors 1 to 16, measured on 17 to 24: dialogues of 20 utterances, all emotions, labels as they come.
All say the same two sentences into the same microphone, so that real rooms are harder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from emoje_edge.perception import speaker_labels
from emoje_edge.shipped import VOICES
from research.words.noises import load

CLIPS, DIRECTIONS, LEARNT = 24, 10, 16  # clips of an actor; actors learnt from
DIALOGUES, TURNS = 100, 20
Array = NDArray[np.float64]


def main(data: Path) -> None:
    """Learn, store, measure."""
    g = np.random.default_rng(0)
    actors: dict[int, list[Path]] = {}
    for path in sorted((data / "ravdess").glob("*.flac")):
        actors.setdefault(int(path.stem.split("-")[6]), []).append(path)
    chosen = {a: [paths[i] for i in g.permutation(len(paths))[:CLIPS]] for a, paths in actors.items()}
    found = {a: np.array([speaker_labels.traits(load(path)) for path in paths]) for a, paths in chosen.items()}
    mean, scale, directions = learn([found[a] for a in found if a <= LEARNT])
    np.savez(VOICES, mean=mean, scale=scale, directions=directions)
    held = {a: ((x - mean) / scale) @ directions for a, x in found.items() if a > LEARNT}
    held = {a: x / np.linalg.norm(x, axis=1, keepdims=True) for a, x in held.items()}
    print(f"equal error rate {equal_error(held):.3f}")
    for people in (1, 2, 3, 4):
        right, number = zip(*(dialogue(held, people, g) for _ in range(DIALOGUES)), strict=True)
        print(f"{people} people: {np.mean(right):.3f} of the utterances right, {np.mean(number):.1f} labels")


def learn(actors: list[Array]) -> tuple[Array, Array, Array]:
    """Mean, scale and Fisher's directions [51, 10] of traits [n, 51] of each actor."""
    every = np.concatenate(actors)
    mean, scale = every.mean(0), every.std(0) + 1e-6
    scaled = [(x - mean) / scale for x in actors]
    within = sum((x - x.mean(0)).T @ (x - x.mean(0)) for x in scaled) / len(every) + 0.1 * np.eye(every.shape[1])
    between = np.cov(np.array([x.mean(0) for x in scaled]).T)
    values, vectors = np.linalg.eig(np.linalg.solve(within, between))
    return mean, scale, vectors[:, np.argsort(-values.real)[:DIRECTIONS]].real


def equal_error(held: dict[int, Array]) -> float:
    """The rate at which as many of the same actor are taken for two as two for one."""
    every, who = np.concatenate(list(held.values())), np.repeat(list(held), [len(x) for x in held.values()])
    i, j = np.triu_indices(len(every), 1)
    alike, same = (every @ every.T)[i, j], who[i] == who[j]
    limits = np.quantile(alike, np.linspace(0, 1, 400))
    false = np.array([np.mean(alike[~same] >= limit) for limit in limits])
    missed = np.array([np.mean(alike[same] < limit) for limit in limits])
    at = int(np.argmin(np.abs(false - missed)))
    return float(false[at] + missed[at]) / 2


def dialogue(held: dict[int, Array], people: int, g: np.random.Generator) -> tuple[float, int]:
    """The share of utterances right, labels matched as well as can be, and the number of labels."""
    who = g.choice(list(held), people, replace=False)
    turns = g.integers(people, size=TURNS)
    sums: list[Array] = []
    table = np.zeros((people, TURNS))
    for turn in turns:
        voice = held[int(who[turn])][g.integers(CLIPS)]
        label = speaker_labels.nearest(sums, voice)
        if label is None:
            sums.append(voice)
            label = len(sums) - 1
        else:
            sums[label] = sums[label] + voice
        table[turn, label] += 1
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].sum()) / TURNS, len(sums)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
