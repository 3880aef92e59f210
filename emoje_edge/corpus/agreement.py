"""The rows of a corpus against labels: one a recording, or one a stretch of time in it.

A labelled stretch is answered by all utterances that overlap it: their probabilities, weighted by the overlap.
A stretch without an answer (silence, nobody seen, a file that failed) counts as unanswered and is told apart.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.corpus.ledger import Part
from emoje_edge.errors import UsageError

if TYPE_CHECKING:
    from emoje_edge.metrics import Scores


@dataclass(frozen=True)
class Labelled:
    """A recording's stretch [start, end) in s, with the index of its label."""

    start: float
    end: float
    label: int


@dataclass(frozen=True)
class Agreement:
    """Scores of the stretches that were answered; how many there are, and how many were not answered.

    Attributes:
        interval: 95 % of the weighted F1, whole recordings drawn again; None of a single one.
    """

    scores: Scores
    stretches: int
    unanswered: int
    interval: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, as `evaluate` writes them."""
        spread = {"weighted_f1_95": list(self.interval)} if self.interval else {}
        return {**self.scores.to_dict(), **spread, "stretches": self.stretches, "unanswered": self.unanswered}


@dataclass
class Labels:
    """`path,label[,start,end]` of a CSV file, by path.

    Args:
        classes: the engines' labels, in their order.
    """

    classes: Sequence[str]
    by_recording: dict[str, list[Labelled]] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path, classes: Sequence[str]) -> Labels:
        """Read the file; letter case of labels does not matter.

        Raises:
            UsageError: not readable, a column missing, a label that no engine has, times that are no times.
        """
        found = cls(classes)
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                table = csv.DictReader(lines, strict=True)
                if missing := {"path", "label"} - set(table.fieldnames or ()):
                    raise UsageError(f"{file} lacks the column {', '.join(sorted(missing))}", "path,label[,start,end]")
                for row in table:
                    found._add(row, f"{file}, line {table.line_num}")
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"--labels {file} cannot be read: {error}", "give a CSV file with path,label") from error
        return found

    def _add(self, row: Mapping[str, str | None], where: str) -> None:
        name = (row["label"] or "").strip().lower()
        if not name:
            return
        if name not in self.classes:
            raise UsageError(f"{where}: no label {row['label']!r}", f"allowed: {', '.join(self.classes)}, or empty")
        try:
            start, end = float(row.get("start") or 0.0), float(row.get("end") or "inf")
        except ValueError as error:
            raise UsageError(f"{where}: {error}", "start and end are seconds") from error
        if not start < end:
            raise UsageError(f"{where}: end {end:g} is not after start {start:g}", "start and end are seconds")
        path = Path((row["path"] or "").strip()).as_posix()
        self.by_recording.setdefault(path, []).append(Labelled(start, end, self.classes.index(name)))


def agree(parts: Iterable[Part], labels: Labels) -> Agreement:
    """Hold the rows against the labels.

    Raises:
        UsageError: no labelled stretch was answered.
    """
    from emoje_edge.metrics import bootstrap, score

    truth: list[int] = []
    groups: list[str] = []
    answers: list[NDArray[np.float64]] = []
    met = 0
    for part in parts:
        for stretch in labels.by_recording.get(part.recording, ()):
            met += 1
            answer = _answer(part.rows, stretch, labels.classes)
            if answer is not None:
                truth.append(stretch.label)
                groups.append(part.recording)
                answers.append(answer)
    if not answers:
        raise UsageError(
            f"none of {met} labelled recordings has an answer, of {len(labels.by_recording)} with labels",
            "paths in --labels are those of the rows' `source`",
        )
    right, shares = np.array(truth), np.stack(answers)
    total = sum(map(len, labels.by_recording.values()))
    interval = bootstrap(right, shares.argmax(1), groups) if len(set(groups)) > 1 else None
    return Agreement(score(right, shares, labels.classes), total, total - len(answers), interval)


def _answer(rows: Sequence[Mapping[str, Any]], stretch: Labelled, classes: Sequence[str]) -> NDArray[np.float64] | None:
    """Mean probabilities [C] of the rows in the stretch, weighted by their overlap; None where none has any."""
    total, weight = np.zeros(len(classes)), 0.0
    for row in rows:
        overlap = min(row["end"], stretch.end) - max(row["start"], stretch.start)
        if row["emotion"] is not None and overlap > 0:
            total += overlap * np.array([row["probabilities"][c] for c in classes])
            weight += overlap
    return total / total.sum() if weight else None
