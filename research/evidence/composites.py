"""Lines of MELD with a voice and a body beside them, as the joint stage draws them, in five folds.

Words, sounds and motions are tokens of the shipped branches, which saw none of this material: MELD's dev lines,
RAVDESS' actors 17 to 20, Bandai's contents held out, and the noises, talks and bodies of evaluation.  A fold holds out
dialogues, one actor and one content; what says nothing is parted at random.  Neighbouring tokens are averaged, so that
a run takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import WorkError
from emoje_edge.modality import Modality
from emoje_edge.shipped import model_folder
from emoje_edge.training.checkpoint import load_run
from emoje_edge.training.datasets import Corpus, Sample, open_dataset
from emoje_edge.training.datasets.splits import k_fold
from emoje_edge.training.tokens import tokenizer_of
from research.evidence.feature_sets import FOLDS, FeatureSet
from research.recipes import pose as pose_recipe
from research.recipes.joint import encode_items, encode_lines
from research.recipes.material import HELD_OUT, read
from research.recipes.mixing import Encoded, Lines, Pools, Rates, Rows, draw
from research.recipes.plain_words import plain_corpus

TOKENS = 6  # of each modality
TRAINING, HELD = 1600, 800  # utterances of a fold


def composites(root: Path, cache: Path, encoder: str) -> FeatureSet:
    """Utterances of up to three modalities; 7 emotions."""
    del encoder
    told = _told(root, cache)
    parts = tuple(
        tuple(_drawn(told, held_out=held, number=n, count=count) for held, count in ((False, TRAINING), (True, HELD)))
        for n in range(FOLDS)
    )
    return FeatureSet(parts[0][0], "weighted_f1", context=False, folds=parts, scaled=True)  # type: ignore[arg-type]


def pooled(tokens: torch.Tensor, lengths: torch.Tensor, count: int = TOKENS) -> torch.Tensor:
    """Up to `count` means of neighbouring tokens: [N, L, D], [N] -> [N, count, D], zeros where there are fewer."""
    out = torch.zeros(len(tokens), count, tokens.shape[2])
    for i, n in enumerate(lengths.tolist()):
        for j, group in enumerate(np.array_split(np.arange(n), min(n, count)) if n else ()):
            out[i, j] = tokens[i, group].float().mean(0)
    return out


def _told(root: Path, cache: Path) -> dict[str, dict[str, NDArray]]:
    """Kind of material -> tokens [N, TOKENS, D], lengths, quality, labels, and the part [N] that it belongs to."""
    file = cache / "composites.npz"
    if not file.is_file():
        made = _tell(root, cache)
        file.parent.mkdir(parents=True, exist_ok=True)
        parts = {f"{kind} {name}": x for kind, arrays in made.items() for name, x in arrays.items()}
        np.savez(file, **parts)  # type: ignore[arg-type]
    found: dict[str, dict[str, NDArray]] = {}
    with np.load(file) as z:
        for key in z.files:
            kind, name = key.split(" ")
            found.setdefault(kind, {})[name] = z[key]
    return found


def _tell(root: Path, cache: Path) -> dict[str, dict[str, NDArray]]:
    run = load_run(model_folder())
    network, tokenize = run.network.eval(), tokenizer_of(run.config)
    assert tokenize is not None
    meld = open_dataset("meld", root / "meld", split="dev")
    material = read(root, cache / "material", evaluation=True)
    found: dict[str, Encoded] = {
        "said": encode_lines(network, meld, tokenize).told,
        "plain": encode_lines(network, plain_corpus(), tokenize).told,
    }
    found |= {k: encode_items(network, Modality.AUDIO, getattr(material, k)) for k in ("voices", "talks", "sounds")}
    found |= {k: encode_items(network, Modality.POSE, getattr(material, k)) for k in ("acts", "bodies")}
    lines = np.zeros(len(meld), np.int64)
    place = {id(s): i for i, s in enumerate(meld.samples)}
    for number, (_, held) in enumerate(k_fold(meld, FOLDS, seed=0)):
        lines[[place[id(s)] for s in held.samples]] = number
    parts = {"said": lines, "voices": material.voices.speakers, "acts": _groups(_contents(root))}
    g = np.random.default_rng(0)
    return {kind: _arrays(t, parts.get(kind, g.integers(FOLDS, size=len(t.labels)))) for kind, t in found.items()}


def _arrays(told: Encoded, part: NDArray[np.int64]) -> dict[str, NDArray]:
    if len(part) != len(told.labels):
        raise WorkError(f"{len(told.labels)} pieces of material, {len(part)} in the corpus", "make the material anew")
    tokens = pooled(told.tokens, told.lengths).numpy().astype(np.float32)
    lengths = np.minimum(told.lengths.numpy(), TOKENS)
    there = np.arange(TOKENS)[None] < lengths[:, None]
    rows = tokens[there]
    tokens[there] = (rows - rows.mean(0)) / (rows.std(0) + 1e-4)
    return {
        "tokens": tokens,
        "lengths": lengths,
        "quality": told.quality.numpy(),
        "labels": told.labels,
        "speakers": told.speakers,
        "part": part,
    }


def _groups(names: list[str]) -> NDArray[np.int64]:
    return np.unique(np.array(names), return_inverse=True)[1]


def _contents(root: Path) -> list[str]:
    """What each of the motions does, in the order of the material."""
    corpus = pose_recipe.motions(root).keep(lambda s: s.group in HELD_OUT)
    order = np.random.default_rng((1, len("acts"))).permutation(len(corpus))
    return [corpus.samples[i].group for i in order]


def _drawn(told: dict[str, dict[str, NDArray]], *, held_out: bool, number: int, count: int) -> Corpus:
    """`count` utterances of what fold `number` holds out, or of the rest."""
    parts = {kind: _part(arrays, number, held_out) for kind, arrays in told.items()}

    def lines(kind: str) -> Lines:
        n = len(parts[kind].labels)
        return Lines(parts[kind], torch.zeros(n, len(EMOTIONS)), torch.zeros(n, 0))

    pools = Pools(
        [lines("said")],
        lines("plain"),
        [parts[k] for k in ("voices", "talks", "sounds")],
        [parts[k] for k in ("acts", "bodies")],
    )
    rows = draw(pools, Rates(), count, np.random.default_rng((number, held_out)))
    return Corpus("composites", EMOTIONS, tuple(_samples(pools, rows)))


def _part(arrays: dict[str, NDArray], number: int, held_out: bool) -> Encoded:
    mine = (arrays["part"] == number % (arrays["part"].max() + 1)) == held_out
    tokens, lengths, quality = (torch.from_numpy(arrays[name][mine]) for name in ("tokens", "lengths", "quality"))
    return Encoded(tokens, lengths, quality, arrays["labels"][mine], arrays["speakers"][mine])


def _samples(pools: Pools, rows: Rows) -> Iterator[Sample]:
    """Utterances of which something is there; what only a dialogue would tell is left out."""
    given = (
        (Modality.TEXT, pools.words, rows.line),
        (Modality.AUDIO, pools.heard, rows.sound),
        (Modality.POSE, pools.seen, rows.body),
    )
    for n, label in enumerate(rows.labels.tolist()):
        features: dict[Modality, NDArray] = {}
        quality: dict[Modality, NDArray] = {}
        for m, pool, at in given:
            i = int(at[n])
            if i >= 0 and pool.lengths[i]:
                features[m] = pool.tokens[i, : pool.lengths[i]].numpy()
                quality[m] = pool.quality[i].numpy()
        if features and not (rows.line[n] < 0 <= rows.before[n]):
            yield Sample(f"row{n}", 0, label, features=features, quality=quality, source=f"composite {n}")
