"""Parts into one file, in the order of their names: the same parts give the same bytes.  One part is held at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from emoje_edge.corpus.ledger import LedgerError, Part
from emoje_edge.corpus.settings import dump
from emoje_edge.errors import UsageError
from emoje_edge.files import atomic
from emoje_edge.report.parquet import require_pyarrow, write_parquet
from emoje_edge.report.table import columns, flatten

Rows = Iterator[dict[str, Any]]


def merge(parts: Iterable[Part], out: Path, labels: Sequence[str], description: dict[str, Any]) -> int:
    """Write the rows of all parts and return how many there are.

    Args:
        out: `.parquet`, `.csv` or `.jsonl`; written beside its name, synced and renamed.
        labels: of the engines, for the columns.
        description: kept in the metadata of a Parquet file.

    Raises:
        UsageError: another ending.
        LedgerError: no room, or no right to write there.
    """
    write = writer_of(out)
    count = 0

    def rows() -> Rows:
        nonlocal count
        for part in parts:
            for number, row in enumerate(part.rows, 1):
                count += 1
                yield {**row, "utterance": number}

    try:
        with atomic(out) as temporary, temporary.open("wb") as file:
            write(rows(), file, labels, description)
    except OSError as error:
        raise LedgerError(
            f"cannot write {out}: {error.strerror or error}",
            "the parts are kept: make room and run the same command again",
        ) from error
    return count


def writer_of(out: Path) -> Callable[[Rows, IO[bytes], Sequence[str], dict[str, Any]], None]:
    """How a file of this ending is written.

    Raises:
        UsageError: no such format, or pyarrow is missing for Parquet.
    """
    ending = out.suffix.lower()
    if ending not in _WRITERS:
        raise UsageError(f"--out {out}: the ending {ending!r} names no format", f"give {', '.join(_WRITERS)}")
    if ending == ".parquet":
        require_pyarrow(out)
    return _WRITERS[ending]


def _jsonl(rows: Rows, file: IO[bytes], labels: Sequence[str], description: dict[str, Any]) -> None:
    for row in rows:
        file.write((json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8"))


def _csv(rows: Rows, file: IO[bytes], labels: Sequence[str], description: dict[str, Any]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    table = csv.DictWriter(text, list(columns(labels)), lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow(flatten(row, row["utterance"], labels))
    text.flush()
    text.detach()


def _parquet(rows: Rows, file: IO[bytes], labels: Sequence[str], description: dict[str, Any]) -> None:
    write_parquet(rows, file, labels, {"emoje_edge": dump(description)})


_WRITERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}
