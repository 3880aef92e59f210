"""One experiment: AM2-EmoJE trained on vectors in folds by group, and scored under every mask and missing rate.

The runs are many and small (seconds), so they keep no checkpoints; batches, losses, masks and scores are those of
training proper.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from emoje_edge.files import atomic
from emoje_edge.metrics import score
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import AmEmoje, ModelConfig, VectorEncoder
from emoje_edge.training.batching import Batch, Collator, DialogueNetwork, pieces, plan_epoch
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.masking import sample_masks
from emoje_edge.training.objective import Objective
from emoje_edge.training.predict import Missing, batches
from emoje_edge.training.standardise import fit_features
from emoje_edge.training.train_config import TrainConfig
from research.evidence.degrade import Degrade
from research.evidence.feature_sets import FeatureSet
from research.evidence.shared_space import STRENGTHS, WAYS, Memory

LONGEST = 20  # utterances of a dialogue in training
RATES = (0.1, 0.3, 0.5, 0.7)
DRAWS = 2  # of the noise on what is held out
PLANS = 3  # orders of a corpus that are padded once and gone through in turn: padding costs as much as training


@dataclass(frozen=True)
class Variant:
    """What is switched.  The default is AM2-EmoJE with everything on.

    Attributes:
        fusion: adaptive, static, mean or concat.
        cross_layers: full cross-attention layers before the fused one.
        focal_gamma: 0 is plain cross-entropy.
        nce, joint: weights of the guided NCE and of the joint embedding's InfoNCE.
        sampling: train on random subsets of the modalities.
        context: run the dialogue state where the set has dialogues.
        degrade: noise mixed in, in training and on what is held out.
    """

    fusion: str = "adaptive"
    cross_layers: int = 0
    focal_gamma: float = 1.0
    nce: float = 0.1
    joint: float = 0.2
    sampling: bool = True
    context: bool = True
    degrade: Degrade | None = None


@dataclass(frozen=True)
class Recipe:
    """What is fixed for a set, found once for the default variant."""

    epochs: int
    learning_rate: float
    weight_decay: float
    width: int = 64
    dropout: float = 0.4
    batch: int = 96
    smoothing: float = 0.1
    full_share: float = 0.5
    noise: tuple[tuple[str, float], ...] = ()  # modality, deviations, in training


RECIPES = {
    "ravdess-au": Recipe(epochs=25, learning_rate=3e-3, weight_decay=0.2, batch=320),
    "ravdess-voices": Recipe(
        epochs=30, learning_rate=3e-3, weight_decay=0.05, width=64, dropout=0.3, batch=96, noise=(("audio", 4.0),)
    ),
    **dict.fromkeys(
        ("mosi", "mosi-words", "mosi-moderate", "mosi-given"),
        Recipe(epochs=10, learning_rate=3e-3, weight_decay=0.5, width=32, dropout=0.5, batch=200),
    ),
    "meld-features": Recipe(epochs=8, learning_rate=2e-3, weight_decay=0.3, dropout=0.5, batch=160),
    # as many steps as the gate needs to learn whom to believe: with half of them it follows quality less
    "ravdess-frames": Recipe(epochs=80, learning_rate=6e-3, weight_decay=0.1, width=32, dropout=0.2, batch=480),
    "mosi-tokens": Recipe(epochs=50, learning_rate=4e-3, weight_decay=0.3, width=32, dropout=0.4, batch=400),
    "meld-tokens": Recipe(epochs=50, learning_rate=4e-3, weight_decay=0.3, width=32, dropout=0.4, batch=450),
    "composites": Recipe(epochs=35, learning_rate=6e-3, weight_decay=0.1, width=32, dropout=0.2, batch=480),
}


@dataclass(frozen=True)
class Outcome:
    """Scores of one variant and seed on its held-out fold.

    Attributes:
        masks: mask -> score.
        rates: missing rate -> score, on random patterns.
        weights: modality -> mean share in the full mask.
        seconds: taken.
        follows: modality -> rank correlation of its share with its quality in the full mask, where quality varies.
        spoilt: modality -> mean share in the fifth of utterances where it is worst, and where it is best.
        uses: way and strength of asking the joint embedding -> mask -> score, where nothing is spoilt.
    """

    masks: dict[str, float]
    rates: dict[str, float]
    weights: dict[str, float]
    seconds: float
    follows: dict[str, float] = field(default_factory=dict)
    spoilt: dict[str, tuple[float, float]] = field(default_factory=dict)
    uses: dict[str, dict[str, float]] = field(default_factory=dict)


def run(data: FeatureSet, variant: Variant, seed: int, *, recipe: Recipe, cache: Path | None = None) -> Outcome:
    """Train a network with this seed without fold `seed` modulo `FOLDS` and score it there, or read the outcome of
    the same run from `cache`.  Variants of one seed share the fold, so their differences are paired."""
    key = json.dumps([data.corpus.name, asdict(variant), asdict(recipe), seed], sort_keys=True)
    file = cache / f"{data.corpus.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json" if cache else None
    if file and file.is_file():
        return Outcome(**json.loads(file.read_text())["outcome"])
    outcome = _run(data, variant, seed, recipe)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic(file) as temporary:
            temporary.write_text(json.dumps({"run": json.loads(key), "outcome": asdict(outcome)}, indent=1))
    return outcome


def _run(data: FeatureSet, variant: Variant, seed: int, recipe: Recipe) -> Outcome:
    begin = time.perf_counter()
    train_part, held_out = data.fold(seed)
    network = train_network(data, variant, seed=seed, recipe=recipe)
    found = _predict(data, network, held_out, variant, seed)
    scores = {name: _score(data, rows) for name, rows in found.items()}
    whole = found[str(_full(data))]
    weights, quality = (torch.cat([getattr(row, name) for row in whole]).numpy() for name in ("weights", "quality"))
    places = {m.value: i for i, m in enumerate(Modality) if m in data.modalities}
    varies = variant.degrade is not None
    return Outcome(
        masks={name: value for name, value in scores.items() if not name.startswith("rate ")},
        rates={name[5:]: value for name, value in scores.items() if name.startswith("rate ")},
        weights={m: float(weights[:, i].mean()) for m, i in places.items()},
        seconds=time.perf_counter() - begin,
        follows={m: follows(weights[:, i], quality[:, i]) for m, i in places.items()} if varies else {},
        spoilt={m: spoilt(weights[:, i], quality[:, i]) for m, i in places.items()} if varies else {},
        uses={} if varies else _uses(data, network, train_part, held_out, variant),
    )


def follows(weights: np.ndarray, quality: np.ndarray) -> float:
    """Spearman's rank correlation of [N] with [N]; 0 where one of them never changes."""
    if np.ptp(weights) < 1e-6 or np.ptp(quality) < 1e-6:
        return 0.0
    return float(spearmanr(weights, quality).statistic)


def spoilt(weights: np.ndarray, quality: np.ndarray) -> tuple[float, float]:
    """Mean weight in the fifth of the utterances where quality is lowest, and where it is highest."""
    low, high = np.quantile(quality, [0.2, 0.8])
    return float(weights[quality <= low].mean()), float(weights[quality >= high].mean())


@dataclass(frozen=True, eq=False)
class Rows:
    """Of one batch: labels [N], probabilities [N, C], weights [N, M], the signal's share in each modality [N, M]."""

    labels: Tensor
    probabilities: Tensor
    weights: Tensor
    quality: Tensor


def spoil(variant: Variant, batch: Batch, generator: torch.Generator) -> tuple[Batch, Tensor]:
    """The batch with the variant's noise in it, and the share of the signal [N, M]."""
    if variant.degrade is None:
        return batch, batch.present.float()
    return variant.degrade.batch(batch, generator)


@torch.no_grad()
def _predict(data: FeatureSet, network: AmEmoje, corpus: Corpus, variant: Variant, seed: int) -> dict[str, list[Rows]]:
    """Case -> rows; a batch is padded once for all cases, and all variants of a seed meet the same noise."""
    module, cases = DialogueNetwork(network.eval()), _cases(data, variant, seed)
    found: dict[str, list[Rows]] = {name: [] for name in cases}
    whole, generator = Missing(context=data.context and variant.context), torch.Generator().manual_seed(seed)
    for number, given in enumerate(batches(corpus, Collator(network.config), whole, 512)):
        for _ in range(DRAWS if variant.degrade else 1):
            batch, quality = spoil(variant, given, generator)
            for name, missing in cases.items():
                out = module(missing.apply(batch, number))
                found[name].append(Rows(batch.labels, out.logits.softmax(1), out.weights, quality))
    return found


@torch.no_grad()
def _uses(
    data: FeatureSet, network: AmEmoje, train_part: Corpus, held_out: Corpus, variant: Variant
) -> dict[str, dict[str, float]]:
    """Way and strength -> incomplete mask -> score."""
    module, collate = DialogueNetwork(network.eval()), Collator(network.config)
    whole = Missing(context=data.context and variant.context)
    generator = torch.Generator().manual_seed(0)
    known = [spoil(variant, b, generator)[0] for b in batches(train_part, collate, whole, 512)]
    present, labels = torch.cat([b.present for b in known]), torch.cat([b.labels for b in known])
    memory = Memory.of(
        [module(b) for b in known], present, labels[:, None].expand_as(present), len(data.corpus.classes)
    )
    found: dict[tuple[str, float, str], list[Rows]] = {}
    for given in batches(held_out, collate, whole, 512):
        batch, quality = spoil(variant, given, generator)
        for mask in (m for m in Mask.all() if m.issubset(_full(data)) and m != _full(data)):
            part = replace(whole, mask=mask).apply(batch, 0)
            out = module(part)
            for way in ("off", *WAYS):
                added = 0.0 if way == "off" else memory.ask(way, network, out, part.present)
                for strength in (0.0,) if way == "off" else STRENGTHS:
                    p = (out.logits + strength * added).softmax(1)
                    rows = found.setdefault((way, strength, str(mask)), [])
                    rows.append(Rows(batch.labels, p, out.weights, quality))
    scores: dict[str, dict[str, float]] = {}
    for (way, strength, mask_name), rows in found.items():
        scores.setdefault(f"{way} {strength:g}", {})[mask_name] = _score(data, rows)
    return scores


def _full(data: FeatureSet) -> Mask:
    return Mask.of(data.modalities)


def _cases(data: FeatureSet, variant: Variant, seed: int) -> dict[str, Missing]:
    context = data.context and variant.context
    full = _full(data)
    cases = {str(m): Missing(mask=m, context=context) for m in Mask.all() if m.issubset(full)}
    if variant.degrade:
        return cases
    return cases | {f"rate {r}": Missing(mask=full, rate=r, seed=seed, context=context) for r in RATES}


def _score(data: FeatureSet, rows: list[Rows]) -> float:
    labels, probabilities = (torch.cat([getattr(r, n) for r in rows]).numpy() for n in ("labels", "probabilities"))
    return float(getattr(score(labels, probabilities, data.corpus.classes), data.metric))


def model_config(data: FeatureSet, variant: Variant, recipe: Recipe) -> ModelConfig:
    """The network for a set: each modality's tokens through one perceptron."""
    encoders: dict[str, Any] = {m.value: None for m in Modality}
    for m in data.modalities:
        noise = dict(recipe.noise).get(m.value, 0.0)
        encoders[m.value] = VectorEncoder(data.size(m), tokens=data.tokens(m), width=2 * recipe.width, noise=noise)
    return ModelConfig(
        **encoders,
        width=recipe.width,
        heads=max(1, recipe.width // 16),
        cross_layers=variant.cross_layers,
        joint_width=32,
        state_width=recipe.width if data.context and variant.context else 0,
        dropout=recipe.dropout,
        fusion=variant.fusion,
        classes=data.corpus.classes,
    )


def build(data: FeatureSet, variant: Variant, recipe: Recipe, seed: int) -> AmEmoje:
    """The variant's network: what it shares with the default variant begins as it does there."""
    torch.manual_seed(seed)
    network = AmEmoje(model_config(data, variant, recipe))
    torch.manual_seed(seed)
    shared = AmEmoje(model_config(data, Variant(context=variant.context), recipe)).state_dict()
    wanted = network.state_dict()
    network.load_state_dict({k: v for k, v in shared.items() if k in wanted}, strict=False)
    return network


@lru_cache(maxsize=2)
def _orders(data: FeatureSet, model: ModelConfig, seed: int, context: bool, size: int) -> list[list[Batch]]:
    """`PLANS` epochs of batches of a fold, padded once for all variants of a seed."""
    collator, dialogues = Collator(model), pieces(data.fold(seed)[0], context=context, longest=LONGEST)
    plans = [plan_epoch(dialogues, utterances=size, seed=seed, epoch=e) for e in range(PLANS)]
    return [[collator([dialogues[i] for i in rows]) for rows in plan] for plan in plans]


def train_network(data: FeatureSet, variant: Variant, *, seed: int, recipe: Recipe) -> AmEmoje:
    """A variant trained without fold `seed` modulo `FOLDS`."""
    corpus = data.fold(seed)[0]
    config = TrainConfig(
        seed=seed,
        focal_gamma=variant.focal_gamma,
        smoothing=recipe.smoothing,
        nce=variant.nce,
        joint=variant.joint,
        mask_sampling=variant.sampling,
        temperature=0.1,
    )
    network = build(data, variant, recipe, seed)
    if not data.scaled:
        fit_features(network, corpus)
    module = DialogueNetwork(network)
    objective = Objective(config, torch.tensor(list(corpus.counts().values())), None, recipe.width)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, foreach=True
    )
    orders = _orders(data, model_config(data, Variant(), recipe), seed, data.context and variant.context, recipe.batch)
    steps = [batch for epoch in range(recipe.epochs) for batch in orders[epoch % PLANS]]
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, total_steps=len(steps), pct_start=0.15)
    generator, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # dropout falls alike in all variants of a seed
    network.train()
    for batch in steps:
        batch, _ = spoil(variant, batch, noise)
        if config.mask_sampling:
            batch = batch.masked(sample_masks(batch.present, generator, full_share=recipe.full_share))
        loss = objective(module(batch), batch)["loss"]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        rate.step()
    return network
