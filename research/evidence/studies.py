"""Which variants each study compares, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from research.evidence.experiment import RECIPES, Outcome, Variant, run
from research.evidence.feature_sets import FOLDS, FeatureSet

BASE = Variant()
STUDIES: Mapping[str, Mapping[str, Variant]] = {
    "missing": {
        "joint embedding and mask sampling": BASE,
        "mask sampling alone": replace(BASE, joint=0.0),
        "joint embedding alone": replace(BASE, sampling=False),
        "neither": replace(BASE, joint=0.0, sampling=False),
    },
    "fusion": {
        "adaptive": BASE,
        "static": replace(BASE, fusion="static"),
        "mean": replace(BASE, fusion="mean"),
        "concat": replace(BASE, fusion="concat"),
        "adaptive, one full cross-attention layer before": replace(BASE, cross_layers=1),
        "adaptive, two before": replace(BASE, cross_layers=2),
    },
    "losses": {
        "cross-entropy": replace(BASE, focal_gamma=0.0, nce=0.0, joint=0.0),
        "focal": replace(BASE, nce=0.0, joint=0.0),
        "focal + guided NCE": replace(BASE, joint=0.0),
        "focal + joint embedding (InfoNCE)": replace(BASE, nce=0.0),
        "focal + guided NCE + joint embedding": BASE,
    },
}


def seeds_of(variant: Variant, seeds: int) -> int:
    """The default variant is run on every fold, so that its score covers the whole set."""
    return max(seeds, FOLDS) if variant == BASE else seeds


def outcomes(
    data: FeatureSet, study: str, *, seeds: int, cache: Path | None
) -> Iterator[tuple[str, Variant, list[Outcome]]]:
    """Each variant of a study with one outcome a seed."""
    recipe = RECIPES[data.corpus.name]
    for name, variant in STUDIES[study].items():
        count = seeds_of(variant, seeds)
        yield name, variant, [run(data, variant, seed, recipe=recipe, cache=cache) for seed in range(count)]
