"""Captions that roll: each shows the line before once more, or grows word by word; every line is said once.

All automatic captions of the largest video site are so, and what television receivers write down: a cue of two lines
of which the first is the last one's second, and between them cues of 10 ms.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from emoje_edge.perception.cues.raw_cue import RawCue

_APART = 0.15  # s between cues that still follow one another
_FLASH = 0.1  # s: nobody reads a cue of that
_SHARE = 0.25  # of all cues must roll before any is taken to: people do say the same twice
_SCROLLED = 0.6  # of all cues must overlap the next one before that is taken for scrolling
_TAG = re.compile(r"<[^<>]*>")


def merge_rolling_captions(cues: Sequence[RawCue]) -> list[RawCue]:
    """The same words, each line once and when it first came; other captions unchanged but for exact repetitions.

    Args:
        cues: in time order.
    """
    steps = [_common(before, cue) for before, cue in itertools.pairwise(cues)]
    if sum(step > 0 for step in steps) < max(2, _SHARE * len(cues)):
        return _ended(cues)
    found: list[RawCue] = []
    for before, cue, common in zip([*cues[:1], *cues], cues, [0, *steps], strict=False):
        if not common or not found:
            found.append(cue)
            continue
        lines = _lines(cue)
        grown = lines[common - 1][len(_lines(before)[-1]) :].strip()
        if grown:
            last = found[-1]
            found[-1] = replace(last, text=f"{last.text} {grown}", end=max(last.end, cue.end))
        new = lines[common:]
        if new:
            found.append(cue.with_text("\n".join(new)))
        elif not grown:
            found[-1] = replace(found[-1], end=max(found[-1].end, cue.end))
    return found


def _ended(cues: Sequence[RawCue]) -> list[RawCue]:
    """Captions of which each stays in view while the next one is said, as two lines that scroll: said until then.

    Where only some cues overlap, people talk at once, and these stay.
    """
    pairs = list(itertools.pairwise(cues))
    over = sum(before.start < cue.start < before.end - _APART for before, cue in pairs)
    if over < max(2, _SCROLLED * len(pairs)):
        return list(cues)
    ends = [min(before.end, cue.start) if before.start < cue.start else before.end for before, cue in pairs]
    return [replace(cue, end=end) for cue, end in zip(cues, [*ends, cues[-1].end], strict=True)]


def _common(before: RawCue, cue: RawCue) -> int:
    """How many of a cue's first lines are the last ones of the cue before; 0 where it does not roll."""
    if cue.start - before.end > _APART or cue.start < before.start:
        return 0
    old, new = _lines(before), _lines(cue)
    for count in range(min(len(old), len(new)), 0, -1):
        if _continues(old[-count:], new[:count]):
            goes_on = len(new) > count or new[count - 1] != old[-1] or min(_length(before), _length(cue)) <= _FLASH
            return count if goes_on else 0
    return 0


def _continues(old: Sequence[str], new: Sequence[str]) -> bool:
    """Equal lines, of which the last may have grown by words."""
    return old[:-1] == new[:-1] and (new[-1] == old[-1] or new[-1].startswith(f"{old[-1]} "))


def _length(cue: RawCue) -> float:
    return cue.end - cue.start


def _lines(cue: RawCue) -> list[str]:
    plain = (" ".join(_TAG.sub("", line).split()) for line in cue.text.split("\n"))
    return [line for line in plain if line]
