"""Markdown tables of a study, put between two marks of a document so that the words around them stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
        changes = ["", ""] if name == against else [points(gain), points(gain_part)]
        # the same folds for all: the default variant has more seeds than the rest
        shown = min(len(outcomes), len(reference), *(len(o) for _, o in found))
        rows.append([name, spread(full[:shown]), spread(part[:shown]), *changes, str(shown)])
    return rows


def points(values: Sequence[float] | np.ndarray) -> str:
    """Mean ± deviation of differences in points."""
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


def varying_rows(found: Mapping[str, Sequence[Outcome]], noises: Mapping[str, str]) -> list[list[str]]:
    """Query-adaptive against equal weights, a row a strength of noise.

    Args:
        found: the outcomes of the study "fusion".
        noises: kind of noise -> what it is called.
    """
    head = ["noise", "adaptive", "equal", "difference: all", "incomplete", "weight and quality", "runs"]
    rows = [[*head[:5], "rank correlation of a " + head[5], "weight where spoilt, where whole", head[6]]]
    for name in (n for n in found if n.startswith("adaptive, ")):
        case = name.removeprefix("adaptive, ")
        pairs = list(zip(found[name], found[f"equal, {case}"], strict=False))
        if not pairs:
            continue
        full = [[o.masks[full_mask(o)] for o in side] for side in zip(*pairs, strict=True)]
        gain = [100 * (a - b) for a, b in zip(*full, strict=True)]
        part = [100 * (incomplete(a) - incomplete(b)) for a, b in pairs]
        ours = [a for a, _ in pairs]
        kind, _, rest = case.partition(" ")
        rows.append([
            f"{noises[kind]} {rest}" if kind in noises else case,
            spread(full[0]), spread(full[1]), points(gain), points(part),
            "; ".join(f"{m} {np.mean([o.follows[m] for o in ours]):+.2f}" for m in ours[0].follows),
            "; ".join(f"{m} {_both([o.spoilt[m] for o in ours])}" for m in ours[0].spoilt),
            str(len(pairs)),
        ])  # fmt: skip
    return rows


def _both(pairs: Sequence[tuple[float, float]]) -> str:
    low, high = np.mean(pairs, axis=0)
    return f"{low:.2f}, {high:.2f}"


def use_rows(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """The joint embedding asked at inference against not asked, points over the incomplete masks, a row a way.

    The last column takes for each run the strength that was best on average over the others.
    """
    off = np.array([_mean(o.uses["off 0"]) for o in outcomes])
    names = [n for n in outcomes[0].uses if n != "off 0"]
    gain = {n: 100 * (np.array([_mean(o.uses[n]) for o in outcomes]) - off) for n in names}
    strengths = sorted({n.split(" ")[1] for n in names}, key=float)
    rows = [["way", *(f"strength {s}" for s in strengths), "strength chosen on the other runs"]]
    for way in dict.fromkeys(n.split(" ")[0] for n in names):
        mine = np.stack([gain[f"{way} {s}"] for s in strengths])  # [strengths, runs]
        rows.append([way, *(points(g) for g in mine), points(chosen(mine)) if len(outcomes) > 1 else ""])
    return rows


def chosen(gains: np.ndarray) -> np.ndarray:
    """Of gains [settings, runs], each run's at the setting that is best over the other runs, or 0 where none gains."""
    others = (gains.sum(1, keepdims=True) - gains) / (gains.shape[1] - 1)
    best = others.argmax(0)
    here = np.arange(gains.shape[1])
    return np.where(others[best, here] > 0, gains[best, here], 0.0)


def _mean(scores: Mapping[str, float]) -> float:
    return float(np.mean(list(scores.values())))


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
