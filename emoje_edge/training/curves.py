"""Pictures of a run: loss and dev scores by epoch."""

from __future__ import annotations

import json
from pathlib import Path

from emoje_edge.files import atomic


def draw_curves(metrics: Path, out: Path) -> None:
    """Draw `metrics.jsonl` as a picture, renamed into place."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.use("agg")
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in rows]
    for name in sorted({k for row in rows for k in row if k.startswith("train_")}):
        left.plot(epochs, [row.get(name) for row in rows], label=name.removeprefix("train_"))
    for name in sorted({k for row in rows for k in row if k.startswith("dev_")}):
        right.plot(epochs, [row.get(name) for row in rows], label=name.removeprefix("dev_").replace("_", " "))
    left.set(title="training loss", xlabel="epoch")
    right.set(title="development split", xlabel="epoch", ylim=(0, 1))
    for axis in (left, right):
        if axis.lines:
            axis.legend(frameon=False, fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    with atomic(out) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
