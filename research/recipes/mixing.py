"""What comes together in the joint stage: pools of what branches tell, and utterances drawn from them.

What comes beside a line agrees with it, is neutral, another emotion's, somebody talking, noise, or somebody standing
about, at the rates of `Rates`: in real conversation a voice alone tells .41, words .59, both .61 (weighted F1, MELD),
and witnesses that always agree teach that every witness is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emoje_edge.model.layers import masked_mean, token_mask

PAST = 8  # utterances of a speaker before
OWN = 2  # RAVDESS' sentences, the first of the plain ones


@dataclass(frozen=True)
class Rates:
    """What comes together in training.  The agreement of witnesses is what decides between gain and harm.

    Attributes:
        words, plain: share of utterances with a line of MELD, and with plain words in a moved mouth; the rest is heard
            and seen only.
        voice: of utterances with words, shares whose sound agrees, is neutral, another emotion's, somebody who
            talks, and no speech; the rest is silent.
        body: shares whose body agrees, is another emotion's, and does not act; the rest is not seen.
        together, apart: how often a body that is seen agrees where the voice does, and where what is heard tells
            nothing.
        even: share of the lines that are drawn by class, not as they come.
        unheard: share of the lines that were said and not understood: voice and body stand alone in a conversation,
            where most that is said is calm, and a clip of an actor is no guide to how often anybody is moved.
        known: share of the voices that were heard before, and are heard against their own baseline
            (`emoje_edge.model.voice`).
        own: share of the plain words that are the first `OWN` of them, what the voices really say.
    """

    words: float = 0.59
    plain: float = 0.20
    voice: tuple[float, ...] = (0.19, 0.19, 0.12, 0.37, 0.07)
    body: tuple[float, ...] = (0.09, 0.22, 0.40)
    together: float = 0.85
    apart: float = 0.03
    even: float = 0.3
    unheard: float = 0.15
    known: float = 0.6
    own: float = 0.0


@dataclass(frozen=True, eq=False)
class Encoded:
    """One modality's material as its branch tells it: tokens [N, L, D] in half precision, lengths, quality, labels, and
    who speaks, a number in its kind (−1: nobody)."""

    tokens: Tensor
    lengths: Tensor
    quality: Tensor
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]

    def rows(self, at: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, lengths and quality of rows; −1 for nothing."""
        index = torch.from_numpy(np.maximum(at, 0))
        here = torch.from_numpy(at >= 0)
        lengths = self.lengths[index] * here
        longest = max(1, int(lengths.max()))
        return self.tokens[index, :longest].float(), lengths, self.quality[index] * here[:, None]

    @classmethod
    def join(cls, parts: Sequence[Encoded]) -> Encoded:
        tokens, lengths, quality = (torch.cat([getattr(p, n) for p in parts]) for n in ("tokens", "lengths", "quality"))
        labels, speakers = (np.concatenate([getattr(p, n) for p in parts]) for n in ("labels", "speakers"))
        return cls(tokens, lengths, quality, labels, speakers)


@dataclass(frozen=True, eq=False)
class Lines:
    """What was said, in its dialogue: as `Encoded`, with the words' logits [N, C] and the state before each [N, S]."""

    told: Encoded
    logits: Tensor
    state: Tensor


class Pools:
    """Where rows are drawn from: lines in several versions, everything heard, everything seen."""

    def __init__(self, lines: Sequence[Lines], plain: Lines, heard: Sequence[Encoded], seen: Sequence[Encoded]) -> None:
        parts = [*lines, plain]
        self.words = Encoded.join([part.told for part in parts])
        self.logits, self.state = (torch.cat([getattr(p, n) for p in parts]) for n in ("logits", "state"))
        self.said = np.arange(sum(len(part.told.labels) for part in lines))
        self.plain = np.arange(len(self.said), len(self.words.labels))
        self.heard, self.seen = Encoded.join(heard), Encoded.join(seen)
        bounds = np.cumsum([0, *(len(t.labels) for t in heard)])
        self.voices, self.talks, self.sounds = (np.arange(a, b) for a, b in pairwise(bounds))
        bounds = np.cumsum([0, *(len(t.labels) for t in seen)])
        self.acts, self.bodies = (np.arange(a, b) for a, b in pairwise(bounds))
        classes = range(self.logits.shape[1])
        self.said_as = [self.said[self.words.labels[self.said] == c] for c in classes]
        self.voiced = [self.voices[self.heard.labels[self.voices] == c] for c in classes]
        self.acted = [self.acts[self.seen.labels[self.acts] == c] for c in classes]
        self.voice = _summed(self.heard)
        self.by_speaker = _by_speaker(self.heard.speakers, (self.voices, self.talks))


@dataclass(frozen=True, eq=False)
class Rows:
    """Utterances put together.

    Attributes:
        line, sound, body: [N], rows of words, heard and seen; −1 for nothing.
        before: [N], the line whose state comes before; −1 for a beginning.
        labels: [N].
        past: [N, PAST], rows that were heard of the speaker before; −1 for nothing.
    """

    line: NDArray[np.int64]
    sound: NDArray[np.int64]
    body: NDArray[np.int64]
    before: NDArray[np.int64]
    labels: NDArray[np.int64]
    past: NDArray[np.int64]


def draw(pools: Pools, rates: Rates, count: int, g: np.random.Generator) -> Rows:
    """`count` utterances at the rates."""
    line, sound, body, before, labels = np.array([_row(pools, rates, g) for _ in range(count)], dtype=np.int64).T
    past = np.stack([_past(pools, rates, row, g) for row in sound.tolist()])
    return Rows(line, sound, body, before, labels, past)


def _past(pools: Pools, r: Rates, row: int, g: np.random.Generator) -> NDArray[np.int64]:
    """[PAST], what else the speaker of a row said before."""
    past = np.full(PAST, -1)
    if row in pools.by_speaker and g.random() < r.known:
        count = int(g.integers(1, PAST + 1))
        past[:count] = g.choice(pools.by_speaker[row], count)
    return past


def _summed(heard: Encoded) -> Tensor:
    """[N, D + 1], what each row adds to what is known of its speaker's voice (`emoje_edge.model.voice`)."""
    own = masked_mean(heard.tokens.float(), token_mask(heard.lengths, heard.tokens.shape[1]))
    return torch.cat([own, (heard.lengths > 0)[:, None].to(own.dtype)], 1)


def _by_speaker(speakers: NDArray[np.int64], kinds: Sequence[NDArray[np.int64]]) -> dict[int, NDArray[np.int64]]:
    """Row -> all rows of its speaker."""
    found: dict[int, NDArray[np.int64]] = {}
    for rows in kinds:
        for speaker in np.unique(speakers[rows]):
            theirs = rows[speakers[rows] == speaker]
            if speaker >= 0:
                found |= dict.fromkeys(theirs.tolist(), theirs)
    return found


def _row(pools: Pools, r: Rates, g: np.random.Generator) -> tuple[int, int, int, int, int]:
    kind = g.random()
    if kind >= r.words + r.plain:
        return _wordless(pools, g)
    neutral = 4
    if kind < r.words:
        by_class = pools.said_as[g.integers(len(pools.said_as))]
        line = _one(by_class if g.random() < r.even and len(by_class) else pools.said, g)
        label = int(pools.words.labels[line])
        voice = _which(r.voice, g)
    else:
        own = r.own and g.random() < r.own
        line, voice = _one(pools.plain[:OWN] if own else pools.plain, g), 0
        label = int(g.integers(len(pools.voiced)))
    others = [c for c in range(len(pools.voiced)) if c not in (label, neutral)]
    sound = (
        _one(pools.voiced[label], g),
        _one(pools.voiced[neutral], g),
        _one(pools.voiced[int(g.choice(others))], g),
        _one(pools.talks, g),
        _one(pools.sounds, g),
        -1,
    )[voice]
    silent = voice == len(r.voice)
    agree = r.body[0] / max(sum(r.body), 1e-9) if silent else r.together if voice == 0 else r.apart
    body = _body(pools, r, label, g, agree)
    if kind < r.words * r.unheard:  # who speaks is heard: where nothing else was drawn, by a voice that tells nothing
        return -1, _one(pools.talks, g) if sound < 0 else sound, body, line, label
    return line, sound, body, line, label


def _body(pools: Pools, r: Rates, label: int, g: np.random.Generator, agree: float) -> int:
    if g.random() >= sum(r.body):
        return -1
    acts, still = r.body[1:]
    which = 0 if g.random() < agree else 1 if g.random() * (acts + still) < acts else 2
    if which == 0 and not len(pools.acted[label]):
        which = 2  # no motion of this emotion: somebody who does not act
    return (_one(pools.acted[label], g), _one(pools.acts, g), _one(pools.bodies, g))[which]


def _wordless(pools: Pools, g: np.random.Generator) -> tuple[int, int, int, int, int]:
    """Heard and seen only: voices and motions that agree, one beside something empty, or nothing but emptiness in a
    dialogue, whose label is then what the dialogue leads to expect."""
    kind = g.random()
    label = int(g.integers(len(pools.voiced)))
    voice, act = _one(pools.voiced[label], g), _one(pools.acted[label], g)
    if kind < 0.4:
        return -1, voice, -1, -1, label
    if kind < 0.62:
        return -1, voice, _one(pools.bodies, g), -1, label
    if kind < 0.77 and act >= 0:
        return -1, voice, act, -1, label
    act = _one(pools.acts, g)
    if kind < 0.89:
        return -1, -1 if g.random() < 0.6 else _one(pools.sounds, g), act, -1, int(pools.seen.labels[act])
    line = _one(pools.said, g)
    sound = _one(pools.sounds if g.random() < 0.6 else pools.talks, g)
    body = _one(pools.bodies, g) if g.random() < 0.5 else -1
    return -1, sound, body, line, int(pools.words.labels[line])


def _one(pool: NDArray[np.int64], g: np.random.Generator) -> int:
    return int(pool[g.integers(len(pool))]) if len(pool) else -1


def _which(shares: Sequence[float], g: np.random.Generator) -> int:
    """The number of a share; one past the last for the rest."""
    return int(np.searchsorted(np.cumsum(shares), g.random(), side="right"))
