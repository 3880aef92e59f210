"""Markdown tables of a study, put between two marks of a document so that the words around them stay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask
from research.evidence.experiment import RATES, Outcome


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first being the head, as a markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation over seeds."""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) if len(values) > 1 else 0.0:.3f}"


def full_mask(outcome: Outcome) -> str:
    return max(outcome.masks, key=lambda name: len(Mask.parse(name)))


def incomplete(outcome: Outcome) -> float:
    """Mean score over the masks that lack something."""
    return float(np.mean([value for name, value in outcome.masks.items() if name != full_mask(outcome)]))


def study_rows(found: Sequence[tuple[str, Sequence[Outcome]]], *, against: str) -> list[list[str]]:
    """One row a variant: full mask, mean over incomplete masks, and both as differences in points to `against`.

    Differences are taken seed by seed, over the seeds that both have.
    """
    reference = dict(found)[against]
    rows = [["variant", "all modalities", "incomplete masks", f"against “{against}”: all", "incomplete", "seeds"]]
    for name, outcomes in found:
        full = [o.masks[full_mask(o)] for o in outcomes]
        part = [incomplete(o) for o in outcomes]
        pairs = list(zip(outcomes, reference, strict=False))
        gain = [100 * (a.masks[full_mask(a)] - b.masks[full_mask(b)]) for a, b in pairs]
        gain_part = [100 * (incomplete(a) - incomplete(b)) for a, b in pairs]
        changes = ["", ""] if name == against else [_points(gain), _points(gain_part)]
        # the same folds for all: the default variant has more seeds than the rest
        shown = min(len(outcomes), len(reference), *(len(o) for _, o in found))
        rows.append([name, spread(full[:shown]), spread(part[:shown]), *changes, str(shown)])
    return rows


def _points(values: Sequence[float]) -> str:
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):+.1f} ± {deviation:.1f}"


def mask_rows(found: Sequence[tuple[str, Sequence[Outcome]]]) -> list[list[str]]:
    """One row a variant, one column a mask and a missing rate."""
    names = list(found[0][1][0].masks)
    shown = min(len(outcomes) for _, outcomes in found)
    rows = [["variant", *names, *(f"rate {r}" for r in RATES)]]
    for name, outcomes in found:
        kept = outcomes[:shown]
        cells = [spread([o.masks[m] for o in kept]) for m in names]
        rows.append([name, *cells, *(spread([o.rates[str(r)] for o in kept]) for r in RATES)])
    return rows


def replace_block(path: Path, name: str, text: str, *, after: str = "") -> None:
    """Put `text` between `<!-- begin NAME -->` and `<!-- end NAME -->`.

    A new block comes behind the block `after`, else at the document's end.

    Raises:
        UsageError: a begin without its end.
    """
    document = path.read_text(encoding="utf-8") if path.is_file() else ""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    block = f"{begin}\n{text}\n{end}"
    if begin in document:
        if end not in document:
            raise UsageError(f"{path}: {begin!r} without {end!r}", "restore the mark, or remove both")
        document = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: block, document, count=1, flags=re.S)
    elif after and f"<!-- end {after} -->" in document:
        document = document.replace(f"<!-- end {after} -->", f"<!-- end {after} -->\n\n{block}", 1)
    else:
        document = f"{document.rstrip()}\n\n{block}\n".lstrip()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document, encoding="utf-8")
