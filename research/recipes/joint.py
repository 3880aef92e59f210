"""The joint stage: gate, evidence and correction learn when a voice or a body tells something, on frozen branches.

    python -m research.recipes.joint DATA RUN OUT [--model small|medium]

The last stage of `research.recipes.default`; the command runs it once more on the finished network in RUN, which is how
a change of what comes together (`mixing.Rates`) gets into what ships.  The branches' tokens are computed once; a step
then costs what stands behind the encoders.  Words lead: their branch, the dialogue and the head stay as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje, ModelConfig
from emoje_edge.model.fusion import Fused
from emoje_edge.model.layers import token_mask
from emoje_edge.shapes import BANDS
from emoje_edge.shipped import DEFAULT, TOKENIZER
from emoje_edge.training import losses
from emoje_edge.training.average import moving_average
from emoje_edge.training.batching import Collator, DialogueNetwork, Tokenize, pieces
from emoje_edge.training.checkpoint import FORMAT, Run, load_run, save_weights, write_json
from emoje_edge.training.datasets import Corpus, open_dataset
from emoje_edge.training.tokens import tokenizer_of
from research.recipes.material import NOBODY, Items, Material, read
from research.recipes.mixing import Encoded, Lines, Pools, Rates, Rows, draw
from research.recipes.pages import arguments_of
from research.recipes.plain_words import plain_corpus

# the words' branch: what one modality of it says alone must stay what it was
FROZEN = ("encoders.", "cross.", "dialogue.", "head.", "fusion.norm.text", "fusion.project.text", "fusion.norm_out")
# what the branches of sound and body read in their own stages
GENTLY = ("evidence.", *(f"fusion.{part}.{m}" for part in ("norm", "project") for m in ("audio", "pose")))


@dataclass(frozen=True)
class Settings:
    """Of the optimisation.

    Attributes:
        gently: share of the learning rate for what the branches have learnt to read; with any, ears that know their
            actors by heart forget how to read others.
        lost: shares of the words lost in the versions of the lines: what a branch knows by heart is no measure of what
            it says of new lines.
        channel_dropout: share of the channels of what is heard that is left out in training, for ears that know their
            actors better than anybody else.
        joint: weight of the joint embedding's loss.
        doubt: weight of the loss of witnesses that tell nothing and weigh something beside one that tells.  Where
            nobody tells anything there is nobody to mislead, and doubt of a voice that is alone made it say less.
        reserve: added to the null's bias once trained, for what says nothing in ways that no training has.
    """

    rates: Rates = field(default_factory=Rates)
    lost: tuple[float, ...] = (0.2, 0.35)
    channel_dropout: float = 0.0
    steps: int = 2400
    batch: int = 96
    learning_rate: float = 4e-3
    gently: float = 0.0
    weight_decay: float = 0.05
    smoothing: float = 0.05
    joint: float = 0.1
    doubt: float = 1.0
    reserve: float = 0.2
    average: float = 0.995
    seed: int = 0


SHIPPED = Settings()
# ears that are surer of their training's actors than of anybody else are believed too readily
MEDIUM = Settings(
    rates=Rates(
        words=0.72,
        plain=0.06,
        own=0.2,
        voice=(0.075, 0.20, 0.26, 0.36, 0.10),
        body=(0.07, 0.32, 0.36),
        apart=0.02,
    ),
    channel_dropout=0.1,
    reserve=0.0,
)


@torch.no_grad()
def encode_items(network: AmEmoje, m: Modality, items: Items, size: int = 64) -> Encoded:
    """The tokens of a branch for material."""
    encoder, capacity = network.encoders[m.value].eval(), network.config.encoder(m).capacity  # type: ignore[union-attr]
    frames = {Modality.AUDIO: "frames", Modality.POSE: "frames"}[m]
    longest = getattr(network.config.encoder(m), frames)
    tokens = torch.zeros(len(items), capacity, network.config.width, dtype=torch.float16)
    lengths = torch.zeros(len(items), dtype=torch.int32)
    order = sorted(range(len(items)), key=lambda i: len(items.features[i]))
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        cut = [torch.from_numpy(items.features[i][:longest]) for i in rows]
        padded = nn.utils.rnn.pad_sequence(cut, batch_first=True)
        padded = F.pad(padded, (0, 0) * (padded.dim() - 2) + (0, -padded.shape[1] % 16))
        found, there = encoder(padded, torch.tensor([len(c) for c in cut], dtype=torch.int32))
        tokens[rows, : found.shape[1]], lengths[rows] = found.half(), there.sum(1).int()
    return Encoded(tokens, lengths, torch.from_numpy(items.quality), items.labels, items.speakers)


@torch.no_grad()
def encode_lines(network: AmEmoje, corpus: Corpus, tokenize: Tokenize, *, lost: float = 0.0, seed: int = 0) -> Lines:
    """A corpus' lines through the words' branch, dialogue by dialogue.

    Args:
        lost: share of the words lost, with dropout on.
    """
    torch.manual_seed(seed)
    g = np.random.default_rng(seed)
    collate, module = Collator(network.config, tokenize, trim=False), DialogueNetwork(network).train(lost > 0)
    place = {id(s): i for i, s in enumerate(corpus.samples)}
    n, c = len(corpus), network.config
    lines = Lines(
        Encoded(
            torch.zeros(n, c.capacities()[0], c.width, dtype=torch.float16),
            torch.zeros(n, dtype=torch.int32),
            torch.ones(n, 2),
            corpus.labels(),
            np.full(n, NOBODY),
        ),
        torch.zeros(n, len(c.classes)),
        torch.zeros(n, c.state_width),
    )
    dialogues = pieces(corpus, context=True, longest=1000)
    for first in range(0, len(dialogues), 16):
        batch = collate(dialogues[first : first + 16])
        ids, length = batch.inputs[Modality.TEXT]
        if lost:
            ids, length = _lose(ids, length, lost, g)
        rows = torch.tensor([place[id(s)] for s in batch.samples])
        tokens, there = network.encoders["text"](ids, length)
        found = network.fuse({Modality.TEXT: (tokens, there)})
        lines.told.tokens[rows], lines.told.lengths[rows] = tokens.half(), length
        state = network.initial_state(batch.steps[0])
        start = 0
        for active in batch.steps:
            step = slice(start, start + active)
            lines.state[rows[step]] = state[:active]
            lines.logits[rows[step]], state = network.expect(found.of(step), batch.speaker[step], state[:active])
            start += active
    module.eval()
    return lines


def _lose(ids: Tensor, length: Tensor, share: float, g: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Words lost at random, at least one kept."""
    out, kept = torch.zeros_like(ids), length.clone()
    for i, n in enumerate(length.tolist()):
        keep = np.flatnonzero(g.random(n) >= share)
        keep = keep if len(keep) or not n else np.array([g.integers(n)])
        out[i, : len(keep)], kept[i] = ids[i, keep], len(keep)
    return out, kept


def run(network: AmEmoje, pools: Pools, rows: Rows, *, channel_dropout: float = 0.0) -> tuple[Tensor, Fused]:
    """Logits [N, C] and what came of the tokens; `channel_dropout` as in `Settings`."""
    given = {
        Modality.TEXT: (pools.words, rows.line),
        Modality.AUDIO: (pools.heard, rows.sound),
        Modality.POSE: (pools.seen, rows.body),
    }
    tokens, quality = {}, []
    for m in Modality:
        told, at = given[m]
        x, lengths, good = told.rows(at)
        if m is Modality.AUDIO and channel_dropout:
            x = F.dropout1d(x.transpose(1, 2), channel_dropout).transpose(1, 2)
        tokens[m] = (x, token_mask(lengths, x.shape[1]))
        quality.append(good)
    past = torch.from_numpy(rows.past)
    voice = (pools.voice[past.clamp(min=0)] * (past >= 0)[..., None]).sum(1)
    found = network.fuse(tokens, torch.stack(quality, 1), voice)
    before = torch.from_numpy(np.maximum(rows.before, 0))
    state = pools.state[before] * torch.from_numpy(rows.before >= 0)[:, None]
    there = torch.from_numpy(rows.line >= 0).float()[:, None]
    words = pools.logits[torch.from_numpy(np.maximum(rows.line, 0))]
    return there * words + (1 - there) * network.prior(state) + network.testimony(found), found


def train(network: AmEmoje, pools: Pools, settings: Settings) -> AmEmoje:
    """Train what stands behind the branches; returns the averaged network, in eval mode."""
    s = settings
    torch.manual_seed(s.seed)
    g = np.random.default_rng(s.seed)
    fast: list[nn.Parameter] = []
    slow: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(FROZEN))
        if parameter.requires_grad:
            (slow if name.startswith(GENTLY) else fast).append(parameter)
    rates = [s.learning_rate, s.learning_rate * s.gently]
    groups = [{"params": p, "lr": rate} for p, rate in zip((fast, slow), rates, strict=True)]
    optimiser = torch.optim.AdamW(groups, weight_decay=s.weight_decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=s.steps, pct_start=0.05)
    average = moving_average(network, s.average)
    network.train()
    for name in ("encoders", "baseline", "dialogue", "head"):
        getattr(network, name).eval()
    for _ in range(s.steps):
        rows = draw(pools, s.rates, s.batch, g)
        logits, found = run(network, pools, rows, channel_dropout=s.channel_dropout)
        labels = torch.from_numpy(rows.labels)
        loss = losses.focal(logits, labels, gamma=0.0, smoothing=s.smoothing)
        told = torch.from_numpy(_told(pools, rows))
        if s.joint:
            loss = loss + s.joint * losses.joint_embedding(network.embed(found.own), found.here > 0, told)
        if s.doubt:
            loss = loss + s.doubt * believed_for_nothing(found, told)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*fast, *slow], 1.0)
        optimiser.step()
        rate.step()
        average.update_parameters(network)
    kept: AmEmoje = average.module  # type: ignore[assignment]
    with torch.no_grad():
        kept.fusion.gate.null.bias.add_(s.reserve)
    return kept.eval()


def believed_for_nothing(found: Fused, told: Tensor) -> Tensor:
    """Cross-entropy of the weights of witnesses that tell nothing beside one that does, against none.

    Args:
        told: [B, M], what each modality tells by itself; −1 for nothing.
    """
    tells = (told >= 0).to(found.here.dtype)
    empty = found.here * (1 - tells) * (found.here * tells).amax(1, keepdim=True)
    empty[:, 0] = 0  # the words lead
    doubt = -torch.log1p(-found.weights.clamp(max=0.999))
    return (doubt * empty).sum() / empty.sum().clamp(min=1)


def _told(pools: Pools, rows: Rows) -> NDArray[np.int64]:
    """[N, M], what each modality tells by itself."""
    parts = ((pools.words, rows.line), (pools.heard, rows.sound), (pools.seen, rows.body))
    return np.stack([np.where(at >= 0, told.labels[np.maximum(at, 0)], -1) for told, at in parts], 1)


def pools_of(network: AmEmoje, meld: Corpus, material: Material, lost: Sequence[float], tokenize: Tokenize) -> Pools:
    """Tokens of everything, `meld` in as many versions as there are shares of lost words."""
    return Pools(
        [encode_lines(network, meld, tokenize, lost=share, seed=i) for i, share in enumerate(lost)],
        encode_lines(network, plain_corpus(), tokenize),
        [encode_items(network, Modality.AUDIO, x) for x in (material.voices, material.talks, material.sounds)],
        [encode_items(network, Modality.POSE, x) for x in (material.acts, material.bodies)],
    )


def stage(
    model: ModelConfig,
    start: dict[str, Tensor],
    meld: Corpus,
    root: Path,
    out: Path,
    tokenizer: Path,
    *,
    settings: Settings = SHIPPED,
    quick: bool = False,
) -> Run:
    """The whole stage: material, tokens, training; the run folder `out`.

    Args:
        start: weights of the network, those of the branches in them.
        meld: training dialogues.
        root: folder of the corpora that material is made of; it is kept in `material` beside OUT.
        tokenizer: file, copied into the run.
        quick: few steps on little material, to see that it runs.
    """
    if quick:
        settings = replace(settings, steps=4, batch=16)
    network = AmEmoje(model)
    network.load_state_dict(start)
    bands = getattr(model.audio, "bands", BANDS)
    material = read(root, out.parent / "material", share=0.02 if quick else 1.0, bands=bands)
    tokenize = tokenizer_of(model, tokenizer)
    assert tokenize is not None
    pools = pools_of(network, meld, material, settings.lost, tokenize)
    network = train(network.eval(), pools, settings)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tokenizer, out / "tokenizer.json")
    save_weights(out / "model.safetensors", network)
    corpora = {"train": {"name": "default", "utterances": len(meld), "labels": meld.counts()}}
    meta = {"format": FORMAT, "model": model.to_dict(), "joint": asdict(settings), "corpora": corpora}
    write_json(out / "config.json", meta)
    return load_run(out)


def main(root: Path, path: Path, out: Path, model: str) -> None:
    torch.set_num_threads(2)
    given, meld = load_run(path), open_dataset("meld", root / "meld").split("train")
    settings = SHIPPED if model == DEFAULT else MEDIUM
    weights = given.network.state_dict()
    stage(given.config, weights, meld, root, out, given.tokenizer or TOKENIZER, settings=settings)


if __name__ == "__main__":
    parsed = arguments_of(__doc__, run=True, out=True)
    main(parsed.data, parsed.run, parsed.out, parsed.model)
