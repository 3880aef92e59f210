"""What an earlier run has left, for `infer --resume`: the rows of finished sources stay, the last one is begun again.

Rows are written source after source, each at once, so whatever ended the run, only the last source that has rows can
be unfinished.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emoje_edge.addresses import masked
from emoje_edge.errors import UsageError

FORMS = ("jsonl", "csv", "json")
_HINT = "give the sources of before in the same order, or leave --resume out to begin anew"


@dataclass(frozen=True)
class ResumePoint:
    """Of an earlier run: bytes and rows of its file that stay, and how many of the sources are done."""

    size: int = 0
    rows: int = 0
    sources: int = 0


def kept_in_file(path: Path | None, form: str, sources: Sequence[str]) -> ResumePoint:
    """What stays of one file of rows; nothing where it is not there.

    Raises:
        UsageError: no file, a format that cannot be gone on with, or rows of other sources.
    """
    if path is None or form not in FORMS:
        what = "standard output" if path is None else f"a file of {form}"
        raise UsageError(f"--resume with {what}", f"give --out a folder, or a file of {' | '.join(FORMS)}")
    if not path.exists():
        return ResumePoint()
    names = [masked(source) for source in sources]
    records = list(_records(path.read_bytes(), form))
    for number, (source, _) in enumerate(records, 1):
        if source not in names:
            raise UsageError(f"{path}, row {number}: of {source}, which is not among the sources", _HINT)
    order = [names.index(source) for source, _ in records]
    if order != sorted(order):
        raise UsageError(f"{path}: its rows are in another order than the sources", _HINT)
    if not order:
        return ResumePoint()
    rows = order.index(order[-1])
    return ResumePoint(records[rows - 1][1] if rows else 0, rows, order[-1])


def kept_in_folder(paths: Sequence[Path | None]) -> ResumePoint:
    """What stays of a folder with one file a source, given these files in the order of the sources."""
    there = [index for index, path in enumerate(paths) if path is not None and path.exists()]
    return ResumePoint(sources=there[-1] if there else 0)


def _records(data: bytes, form: str) -> Iterator[tuple[str, int]]:
    """Whole rows: (source, offset of the row's end in bytes)."""
    lines = data.split(b"\n")
    if form == "csv":
        yield from _csv_records([line + b"\n" for line in lines[:-1]])
        return
    end = 0
    for line in lines[: -1 if form == "jsonl" else None]:
        begin, end = end, end + len(line) + 1
        row = line.rstrip(b",") if form == "json" else line
        if form == "json" and row.strip() in (b"[", b"]", b""):
            continue
        try:
            source = json.loads(row)["source"]
        except (ValueError, TypeError, KeyError):
            return  # what a power cut left: from here on all is done again
        yield source, begin + len(row) + (form == "jsonl")


def _csv_records(lines: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    reader = csv.DictReader((line.decode("utf-8", "replace") for line in lines), strict=True)
    try:
        for row in reader:
            yield row["source"], ends[reader.line_num]
    except (csv.Error, KeyError):
        return
