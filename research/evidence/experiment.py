"""One experiment: AM2-EmoJE trained on vectors in folds by group, and scored under every mask and missing rate.

The runs are many and small (seconds), so they keep no checkpoints; batches, losses, masks and scores are those of
training proper.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emoje_edge.files import atomic
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import AmEmoje, ModelConfig, VectorEncoder
from emoje_edge.training.batching import Collator, DialogueNetwork, pieces, plan_epoch
from emoje_edge.training.config import TrainConfig
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.masking import sample_masks
from emoje_edge.training.metrics import score
from emoje_edge.training.objective import Objective
from emoje_edge.training.predict import Missing, batches
from emoje_edge.training.standardise import fit_features
from research.evidence.feature_sets import FeatureSet

LONGEST = 20  # utterances of a dialogue in training
RATES = (0.1, 0.3, 0.5, 0.7)
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
    """

    fusion: str = "adaptive"
    cross_layers: int = 0
    focal_gamma: float = 1.0
    nce: float = 0.1
    joint: float = 0.2
    sampling: bool = True
    context: bool = True


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
}


@dataclass(frozen=True)
class Outcome:
    """Scores of one variant and seed on its held-out fold.

    Attributes:
        masks: mask -> score.
        rates: missing rate -> score, on random patterns.
        weights: modality -> mean share in the full mask.
        seconds: taken.
    """

    masks: dict[str, float]
    rates: dict[str, float]
    weights: dict[str, float]
    seconds: float


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
    network = _train(data, train_part, variant, seed=seed, recipe=recipe)
    found = _predict(data, network, held_out, variant, seed)
    scores = {name: _score(data, rows) for name, rows in found.items()}
    shares = torch.cat([weights for _, _, weights in found[str(_full(data))]]).mean(0).tolist()
    return Outcome(
        masks={name: value for name, value in scores.items() if not name.startswith("rate ")},
        rates={name[5:]: value for name, value in scores.items() if name.startswith("rate ")},
        weights={m.value: shares[i] for i, m in enumerate(Modality) if m in data.modalities},
        seconds=time.perf_counter() - begin,
    )


@torch.no_grad()
def _predict(
    data: FeatureSet, network: AmEmoje, corpus: Corpus, variant: Variant, seed: int
) -> dict[str, list[tuple[Tensor, Tensor, Tensor]]]:
    """Case -> (labels, probabilities, weights) of each batch; a batch is padded once for all cases."""
    module, cases = DialogueNetwork(network.eval()), _cases(data, variant, seed)
    found: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {name: [] for name in cases}
    whole = Missing(context=data.context and variant.context)
    for number, batch in enumerate(batches(corpus, Collator(network.config), whole, 512)):
        for name, missing in cases.items():
            out = module(missing.apply(batch, number))
            found[name].append((batch.labels, out.logits.softmax(1), out.weights))
    return found


def _full(data: FeatureSet) -> Mask:
    return Mask.of(data.modalities)


def _cases(data: FeatureSet, variant: Variant, seed: int) -> dict[str, Missing]:
    context = data.context and variant.context
    full = _full(data)
    cases = {str(m): Missing(mask=m, context=context) for m in Mask.all() if m.issubset(full)}
    return cases | {f"rate {r}": Missing(mask=full, rate=r, seed=seed, context=context) for r in RATES}


def _score(data: FeatureSet, rows: list[tuple[Tensor, Tensor, Tensor]]) -> float:
    labels, probabilities = (torch.cat([row[i] for row in rows]).numpy() for i in (0, 1))
    return float(getattr(score(labels, probabilities, data.corpus.classes), data.metric))


def model_config(data: FeatureSet, variant: Variant, recipe: Recipe) -> ModelConfig:
    """The network for a set: one vector a modality."""
    encoders: dict[str, Any] = {m.value: None for m in Modality}
    for m in data.modalities:
        noise = dict(recipe.noise).get(m.value, 0.0)
        encoders[m.value] = VectorEncoder(features=data.size(m), tokens=1, width=2 * recipe.width, noise=noise)
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


def _train(data: FeatureSet, corpus: Corpus, variant: Variant, *, seed: int, recipe: Recipe) -> AmEmoje:
    config = TrainConfig(
        seed=seed,
        focal_gamma=variant.focal_gamma,
        smoothing=recipe.smoothing,
        nce=variant.nce,
        joint=variant.joint,
        mask_sampling=variant.sampling,
        temperature=0.1,
    )
    model = model_config(data, variant, recipe)
    torch.manual_seed(seed)
    network, collator = AmEmoje(model), Collator(model)
    fit_features(network, corpus)
    module = DialogueNetwork(network)
    objective = Objective(config, torch.tensor(list(corpus.counts().values())), None, model.width)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    dialogues = pieces(corpus, context=data.context and variant.context, longest=LONGEST)
    plans = [plan_epoch(dialogues, utterances=recipe.batch, seed=seed, epoch=e) for e in range(PLANS)]
    orders = [[collator([dialogues[i] for i in rows]) for rows in plan] for plan in plans]
    steps = [batch for epoch in range(recipe.epochs) for batch in orders[epoch % PLANS]]
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, total_steps=len(steps), pct_start=0.15)
    generator = np.random.default_rng(seed)
    network.train()
    for batch in steps:
        if config.mask_sampling:
            batch = batch.masked(sample_masks(batch.present, generator, full_share=recipe.full_share))
        loss = objective(module(batch), batch)["loss"]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        rate.step()
    return network
