"""Where a corpus' files lie: a root may be the folder, or one file of it; a split is told by the file's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from emoje_edge.errors import UsageError
from emoje_edge.training.datasets.base import SPLITS

_SPLIT = re.compile(r"(?:^|[^a-z])(train|dev|val|valid|test)(?:[^a-z]|$)")


def split_of(path: Path) -> str:
    """The split that a file's name speaks of (`test_sent_emo.csv` -> test), "" where it says none."""
    found = _SPLIT.search(path.stem.lower())
    if not found:
        return ""
    return "dev" if found[1].startswith("val") else found[1]


def find_files(root: Path, patterns: Sequence[str], what: str) -> list[Path]:
    """Files of a corpus under `root` (or `root` itself), in the order train, dev, test, others.

    Args:
        patterns: globs, tried in the root, then one folder down.
        what: the files' official names, for the message.

    Raises:
        UsageError: nothing there.
    """
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise UsageError(f"{root} is not there", f"give the folder or file of {what}")
    found = {p for pattern in patterns for p in (*root.glob(pattern), *root.glob(f"*/{pattern}")) if p.is_file()}
    if not found:
        raise UsageError(f"{root}: no {what}", f"looked for {', '.join(patterns)} there and one folder down")
    order = {name: i for i, name in enumerate(SPLITS)}
    return sorted(found, key=lambda p: (order.get(split_of(p), len(SPLITS)), str(p)))
