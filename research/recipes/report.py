"""The tables of the shipped default: each modality on its own held-out part, and a composite under all seven masks.

    python -m research.recipes.report DATA RUN [--model small|medium]

The engines of that model stand beside the run.  The composite's lines, clips and motions were not
recorded together (emoje_edge/training/composite.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emoje_edge.engine.family import family
from emoje_edge.evaluation.evaluate import bands, evaluate, open_model
from emoje_edge.metrics import Scores
from emoje_edge.modality import Mask
from emoje_edge.shipped import accuracy_of
from emoje_edge.training.datasets import Corpus
from emoje_edge.training.predict import Predictor
from research.augmentation.composite import compose
from research.evidence.tables import markdown
from research.recipes.default import Parts, read_parts
from research.recipes.pages import arguments_of

COMPOSITES = 840
Case = tuple[str, Corpus, Mask]


def cases(parts: Parts) -> list[Case]:
    """What is measured: (name, corpus, mask)."""
    (_, text), (_, audio), (_, pose) = parts.text, parts.audio, parts.pose
    # whole ones only: motion lacks three classes, and a missing pose would give them away
    made = compose(text, audio, pose, count=COMPOSITES, seed=1).keep(lambda s: len(s.modalities) == 3)
    return [
        ("MELD dev", text, Mask.parse("text")),
        ("RAVDESS, actors 17-20", audio, Mask.parse("audio")),
        ("Bandai, contents held out", pose, Mask.parse("pose")),
        *((f"composite ({len(made)})", made, mask) for mask in Mask.all()),
    ]


def compare(floating: Predictor, engines: Predictor, parts: Parts) -> dict[str, str]:
    """Markdown by name: `figures`, fp32 beside the INT8 engines, and `classes`, the engines' F1 by class."""
    found: list[tuple[Case, Scores, Scores]] = []
    for case in cases(parts):
        _, corpus, mask = case
        found.append((case, evaluate(floating, corpus, mask).scores, evaluate(engines, corpus, mask).scores))
    rows = [["part", "mask", "weighted F1 fp32", "INT8", "change", "macro F1", "accuracy", "UA fp32", "UA INT8"]]
    for (name, _, mask), full, small in found:
        change = f"{100 * (small.weighted_f1 - full.weighted_f1):+.1f}"
        figures = (small.macro_f1, small.accuracy, full.uar, small.uar)
        both = (f"{full.weighted_f1:.3f}", f"{small.weighted_f1:.3f}", change)
        rows.append([name, str(mask), *both, *(f"{f:.3f}" for f in figures)])
    classes = parts.text[1].classes
    by_class = [["F1 by class, INT8", *classes]]
    for (name, _, mask), _, small in found:
        shown = (f"{small.per_class_f1[c]:.2f}" if small.support[c] else "–" for c in classes)
        by_class.append([f"{name}, {mask}", *shown])
    return {"figures": markdown(rows), "classes": markdown(by_class)}


def read_accuracy() -> dict[str, dict[str, dict[str, Any]]]:
    """The figures of each model that ships, by modality."""
    return {name: json.loads(accuracy_of(name).read_text(encoding="utf-8")) for name in family()}


def readme_table(accuracy: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The README's figures: nothing but what each model's accuracy.json says."""
    first = next(iter(accuracy.values()))
    rows = [["engine", *accuracy, "figure", "measured on"]]
    for name, figure in first.items():
        values = (f"{of[name]['value']:.3f}".lstrip("0") for of in accuracy.values())
        rows.append([name, *values, str(figure["metric"]), str(figure["data"])])
    return markdown(rows)


if __name__ == "__main__":
    given = arguments_of(__doc__, run=True)
    run = open_model(given.run)
    found = compare(run, open_model(given.model), read_parts(given.data, bands=bands(run.collator.config)))
    print("\n\n".join(found.values()))
