"""The model card's figures, so that a latency never stands without the accuracy it buys."""

from __future__ import annotations

import json

from emoje_edge.shipped import accuracy_of


def card_figures(model: str | None) -> dict[str, str]:
    """Mask -> the figure in words, e.g. `.55 weighted F1, MELD dev`; the training recipe writes them.

    None of a model that did not ship, or of engines from a folder (`model` None): nobody measured these.
    """
    file = accuracy_of(model) if model else None
    if file is None or not file.is_file():
        return {}
    figures = json.loads(file.read_text(encoding="utf-8"))
    return {mask: f"{f['value']:.3f} {f['metric']}, {f['data']}".lstrip("0") for mask, f in figures.items()}
