"""Scores as the tables that `evaluate` and `corpus --labels` print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emoje_edge.metrics import Scores


@dataclass(frozen=True)
class Line:
    """One line: what it is called, its scores, the weighted F1's 95 % interval or deviation, and the share missing."""

    name: str
    scores: Scores
    interval: tuple[float, float] | None = None
    deviation: float | None = None
    missing: float = 0.0


def print_scores(title: str, lines: Sequence[Line]) -> None:
    """The figures, then F1 by class of the lines in which nothing was taken away."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for name in ("mask", "missing", "weighted F1", "95 %", "macro F1", "accuracy", "UAR", "ECE"):
        table.add_column(name, justify="left" if name == "mask" else "right", no_wrap=True)
    for line in lines:
        s = line.scores
        figures = (f"{x:.3f}" for x in (s.macro_f1, s.accuracy, s.uar, s.ece))
        missing = f"{line.missing:.1f}" if line.missing else ""
        table.add_row(line.name, missing, f"{s.weighted_f1:.3f}", _spread(line), *figures)
    console = Console(width=None if Console().is_terminal else 110)
    console.print(table)
    per_class = Table(title=f"F1 by class, mask {lines[0].name}" if len(lines) == 1 else "F1 by class")
    per_class.add_column("mask")
    for name, support in lines[0].scores.support.items():
        per_class.add_column(f"{name} ({support})", justify="right")
    for line in lines:
        if not line.missing:
            per_class.add_row(line.name, *(f"{v:.3f}" for v in line.scores.per_class_f1.values()))
    console.print(per_class)


def _spread(line: Line) -> str:
    if line.interval:
        return f"{line.interval[0]:.3f}–{line.interval[1]:.3f}"
    return f"± {line.deviation or 0:.3f}"
