"""The model card's figures, so that a latency never stands without the accuracy it buys."""

from __future__ import annotations

import json

from emoje_edge.shipped import ACCURACY


def card_figures() -> dict[str, str]:
    """Mask -> the figure in words, e.g. `.55 weighted F1, MELD dev`; the training recipe writes them."""
    if not ACCURACY.exists():
        return {}
    figures = json.loads(ACCURACY.read_text(encoding="utf-8"))
    return {mask: f"{f['value']:.3f} {f['metric']}, {f['data']}".lstrip("0") for mask, f in figures.items()}
