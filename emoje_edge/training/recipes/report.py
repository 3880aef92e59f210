"""The table of the shipped default: each modality on its own held-out part, and a composite under all seven masks.

    python -m emoje_edge.training.recipes.report DATA [RUN|ENGINES]

Without a model it reads the engines in the package.  The composite's lines, clips and motions were not recorded
together (recipes.composite).
"""

from __future__ import annotations

import sys
from pathlib import Path

from emoje_edge.modality import Mask
from emoje_edge.training.datasets import Corpus
from emoje_edge.training.evaluate import evaluate, open_model
from emoje_edge.training.predict import Predictor
from emoje_edge.training.recipes.composite import compose
from emoje_edge.training.recipes.default import read_parts

COLUMNS = ("weighted F1", "macro F1", "accuracy", "UA")
COMPOSITES = 420


def table(model: Predictor, root: Path) -> str:
    """Markdown: overall figures, then F1 by class."""
    parts = read_parts(root)
    (_, text), (_, audio), (_, pose) = parts.text, parts.audio, parts.pose
    # whole ones only: motion lacks three classes, and a missing pose would give them away
    made = compose(text, audio, pose, count=COMPOSITES, seed=1).keep(lambda s: len(s.modalities) == 3)
    asked: list[tuple[str, Corpus, Mask]] = [
        ("MELD dev", text, Mask.parse("text")),
        ("RAVDESS, actors 17-20", audio, Mask.parse("audio")),
        ("Bandai, contents held out", pose, Mask.parse("pose")),
        *((f"composite ({len(made)})", made, mask) for mask in Mask.all()),
    ]
    scores = [(name, mask, evaluate(model, corpus, mask).scores) for name, corpus, mask in asked]
    lines = [f"| part | mask | {' | '.join(COLUMNS)} |", "|---|---|" + "---|" * len(COLUMNS)]
    for name, mask, s in scores:
        figures = (s.weighted_f1, s.macro_f1, s.accuracy, s.uar)
        lines.append(f"| {name} | {mask} | " + " | ".join(f"{f:.3f}" for f in figures) + " |")
    classes = text.classes
    lines += ["", f"| F1 by class | {' | '.join(classes)} |", "|---|" + "---|" * len(classes)]
    for name, mask, s in scores:
        lines.append(f"| {name}, {mask} | " + " | ".join(f"{s.per_class_f1[c]:.2f}" for c in classes) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(open_model(sys.argv[2] if len(sys.argv) > 2 else None), Path(sys.argv[1])))
