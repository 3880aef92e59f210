"""The tables of the shipped default: each modality on its own held-out part, and a composite under all seven masks.

    python -m research.recipes.report DATA RUN [ENGINES]

Without ENGINES the ones in the package stand beside the run.  The composite's lines, clips and motions were not
recorded together (emoje_edge/training/composite.py).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emoje_edge.modality import Mask
from emoje_edge.training.composite import compose
from emoje_edge.training.datasets import Corpus
from emoje_edge.training.evaluate import evaluate, open_model
from emoje_edge.training.metrics import Scores
from emoje_edge.training.predict import Predictor
from research.evidence.tables import markdown
from research.recipes.default import Parts, read_parts

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


def readme_table(accuracy: Mapping[str, Mapping[str, Any]]) -> str:
    """The README's figures: nothing but what accuracy.json says."""
    rows = [["engine", "figure", "measured on"]]
    rows += [[name, f"{f['value']:.3f} {f['metric']}".lstrip("0"), str(f["data"])] for name, f in accuracy.items()]
    return markdown(rows)


if __name__ == "__main__":
    engines = open_model(sys.argv[3] if len(sys.argv) > 3 else None)
    print("\n\n".join(compare(open_model(sys.argv[2]), engines, read_parts(Path(sys.argv[1]))).values()))
