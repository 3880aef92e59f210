"""Which variants each study compares, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from research.evidence.degrade import Degrade
from research.evidence.experiment import RECIPES, Outcome, Variant, run
from research.evidence.feature_sets import FeatureSet

BASE = Variant()
# single utterances, whole, and nothing but the class to learn: what is asked is how modalities are weighed
ALONE = Variant(nce=0.0, joint=0.0, context=False, sampling=False)
EQUAL = replace(ALONE, fusion="mean")
LOWEST = (0.0, -10.0, -20.0)  # dB: three strengths of noise
NOISES = {"white": "white noise", "other": "another utterance"}


def _noises() -> Iterator[tuple[str, Variant]]:
    yield "adaptive, no noise", ALONE
    yield "equal, no noise", EQUAL
    for noise, lowest in [*(("other", low) for low in LOWEST), ("white", LOWEST[-1])]:
        for name, variant in (("adaptive", ALONE), ("equal", EQUAL)):
            yield f"{name}, {noise} to {lowest:g} dB", replace(variant, degrade=Degrade(lowest, noise))


WORST = Degrade(-20.0, "other")
STUDIES: Mapping[str, Mapping[str, Variant]] = {
    "fusion": dict(_noises()),
    "ways": {
        "equal": replace(EQUAL, degrade=WORST),
        "adaptive": replace(ALONE, degrade=WORST),
        "adaptive, not told of the noise": replace(ALONE, degrade=replace(WORST, told=False)),
        "static": replace(ALONE, fusion="static", degrade=WORST),
        "concat": replace(ALONE, fusion="concat", degrade=WORST),
        "adaptive, one full cross-attention layer before": replace(ALONE, cross_layers=1, degrade=WORST),
    },
    "missing": {
        "joint embedding and mask sampling": replace(ALONE, joint=BASE.joint, sampling=True),
        "mask sampling alone": replace(ALONE, sampling=True),
        "joint embedding alone": replace(ALONE, joint=BASE.joint),
        "neither": ALONE,
    },
    "losses": {
        "cross-entropy": replace(BASE, focal_gamma=0.0, nce=0.0, joint=0.0),
        "focal": replace(BASE, nce=0.0, joint=0.0),
        "focal + guided NCE": replace(BASE, joint=0.0),
        "focal + joint embedding (InfoNCE)": replace(BASE, nce=0.0),
        "focal + guided NCE + joint embedding": BASE,
    },
}


def outcomes(data: FeatureSet, study: str, *, seeds: int, cache: Path | None) -> dict[str, list[Outcome]]:
    """Variant -> one outcome a seed.  All variants of a seed come before the next seed: what a stop leaves is whole."""
    recipe = RECIPES[data.corpus.name]
    found: dict[str, list[Outcome]] = {name: [] for name in STUDIES[study]}
    for seed in range(seeds):
        for name, variant in STUDIES[study].items():
            found[name].append(run(data, variant, seed, recipe=recipe, cache=cache))
    return found
