"""CSV and TSV files with their faults: mixed encodings, missing columns, rows that are too short.

Every error names the file and the row (as an editor counts lines).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from emoje_edge.characters import visible
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.cues.encoding import decoded


def read_text(path: Path) -> str:
    """A text file as `decoded` reads it: UTF-8 with stray characters of cp1252 put right, or an old code page.

    Raises:
        UsageError: not there.
        WorkError: not readable, or no text.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", "give the folder that holds the official files") from None
    except OSError as error:
        raise WorkError(f"{path}: {error}", "check the file and its permissions") from error
    return decoded(raw, path)


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
    text = read_text(path)
    if header is None:
        text, delimiter = _from_names(text, delimiter)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **_quoting(delimiter))
    rows = _whole_rows(reader, path)
    names = list(header) if header else _names(next((row for _, row in rows if row), []), columns)
    if double := sorted({name for name in names if name and names.count(name) > 1}):
        raise UsageError(f"{path}: the column {double[0]!r} is there twice", "name each column once")
    missing = [c for c in columns if c not in names]
    if missing:
        raise UsageError(
            f"{path}: no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, names)) or 'none'}",
            f"needed: {', '.join(columns)}",
        )
    found = False
    for line, values in rows:
        if not any(v.strip() for v in values):
            continue
        found = True
        source = f"{path} row {reader.line_num}"
        if any(_is_like_a_row(part, delimiter, len(names)) for value in values for part in value.split("\n")[1:]):
            raise _open_quote(path, line)
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


def _from_names(text: str, delimiter: str) -> tuple[str, str]:
    """The table, and what stands between its values: some programs write semicolons, and tell so in a line of its own.

    Lines before the names become empty ones, so that rows keep their numbers.
    """
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if told := re.fullmatch(r'"?sep=(.)"?\s*', lines[first]):
        delimiter, lines[first] = told[1], ""
        first = next((i for i, line in enumerate(lines) if line.strip()), first)
    elif delimiter == "," and "," not in lines[first] and ";" in lines[first]:
        delimiter = ";"
    return "\n" * first + "\n".join(lines[first:]), delimiter


def _names(row: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Names of columns; those that are looked for are found in other letters, too."""
    known = {column.casefold(): column for column in columns}
    plain = [visible(name).strip() for name in row]
    found = [known.get(name.casefold(), name) for name in plain]
    return [name if column in plain else column for name, column in zip(plain, found, strict=True)]


def _whole_rows(reader: Any, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each begins.

    Raises:
        UsageError: a quotation mark that is not closed, which would swallow the rows after it.
    """
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as error:
            raise _open_quote(path, line, str(error)) from error
        if values is None:
            return
        yield line, values


def _is_like_a_row(line: str, delimiter: str, columns: int) -> bool:
    """Whether a line within a text is a row, or its beginning, that an open quotation mark has swallowed."""
    separators = sum(after[:1] != " " for after in line.split(delimiter)[1:])
    return separators >= max(2, (columns - 1) // 2)


def _open_quote(path: Path, line: int, reason: str = "") -> UsageError:
    what = f"{path} row {line}: a quotation mark that is not closed there" + (f" ({reason})" if reason else "")
    return UsageError(what, 'put the text in quotes and double those within: """Oh no"", he said"')


def _quoting(delimiter: str) -> dict:
    # tab-separated corpora do not quote: a lone quotation mark would swallow the lines after it
    return {"quoting": csv.QUOTE_NONE} if delimiter == "\t" else {"strict": True}


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
