"""CSV and TSV files with their faults: mixed encodings, missing columns, rows that are too short.

Every error names the file and the row (as an editor counts lines).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from emoje_edge.errors import UsageError, WorkError

_C1 = re.compile("[\x80-\x9f]")


def read_text(path: Path) -> str:
    """A text file as UTF-8, with stray cp1252 characters (curly quotes, dots, dashes) put right.

    Raises:
        UsageError: not there.
        WorkError: not readable.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", "give the folder that holds the official files") from None
    except OSError as error:
        raise WorkError(f"{path}: {error}", "check the file and its permissions") from error
    text = raw.decode("utf-8-sig", errors="surrogateescape")
    # single cp1252 bytes that are no UTF-8, and cp1252 read as Latin-1 by whoever saved the file
    text = re.sub("[\udc80-\udcff]", lambda m: _cp1252(ord(m[0]) - 0xDC00), text)
    return _C1.sub(lambda m: _cp1252(ord(m[0])), text)


def _cp1252(byte: int) -> str:
    return bytes([byte]).decode("cp1252", errors="replace")


def read_rows(
    path: Path, columns: Sequence[str], *, delimiter: str = ",", header: Sequence[str] | None = None
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a table as (source, {column: value}); `source` is "file row N".

    Args:
        columns: that must be there; others are passed on as well.
        header: the columns' names where the file has no first line of names.

    Raises:
        UsageError: a column is missing, the table is empty, or a row is too short or too long.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, **_quoting(delimiter))
    names = list(header) if header else [name.strip() for name in next(reader, [])]
    missing = [c for c in columns if c not in names]
    if missing:
        raise UsageError(
            f"{path}: no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, names)) or 'none'}",
            f"needed: {', '.join(columns)}",
        )
    found = False
    for values in reader:
        if not any(v.strip() for v in values):
            continue
        found = True
        source = f"{path} row {reader.line_num}"
        if any(v.strip() for v in values[len(names) :]):  # a comma in the words would move the label on
            raise UsageError(
                f"{source}: {len(values)} values for {len(names)} columns ({', '.join(names)})",
                'put a text that holds the separator in quotes: "Oh, really?"',
            )
        row = dict(zip(names, values, strict=False))
        short = [c for c in columns if c not in row]
        if short:
            raise UsageError(f"{source}: {len(values)} values, no {short[0]!r}", f"the columns are {', '.join(names)}")
        yield source, row
    if not found:
        raise UsageError(f"{path} has no rows", "give a file with data")


def _quoting(delimiter: str) -> dict:
    # tab-separated corpora do not quote: a lone quotation mark would swallow the lines after it
    return {"quoting": csv.QUOTE_NONE} if delimiter == "\t" else {}


def number(value: str, source: str, column: str) -> int:
    """A whole number.

    Raises:
        UsageError: it is none; the message names the row.
    """
    try:
        return int(value)
    except ValueError:
        raise UsageError(f"{source}: {column} = {value!r}", "it must be a whole number") from None


def seconds(value: str, source: str, column: str) -> float:
    """Seconds from "12.5", "00:20:57,256" or "00:20:57.256".

    Raises:
        UsageError: neither; the message names the row.
    """
    try:
        total = 0.0
        for part in value.strip().replace(",", ".").split(":"):
            total = total * 60 + float(part)
    except ValueError:
        total = float("nan")
    if not 0 <= total < float("inf"):
        raise UsageError(f"{source}: {column} = {value!r}", "give seconds, or hours:minutes:seconds")
    return total
