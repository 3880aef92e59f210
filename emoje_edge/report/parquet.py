"""Rows as a Parquet file (the `corpus` extra): written when the last row is known, beside its name, then renamed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from emoje_edge.addresses import printable
from emoje_edge.errors import UsageError
from emoje_edge.extras import install
from emoje_edge.files import atomic
from emoje_edge.report.table import columns, flatten
from emoje_edge.report.writers import OutputError, check_folder, numbered

if TYPE_CHECKING:
    from emoje_edge.utterance_emotion import UtteranceEmotion

BATCH = 20_000  # rows of a row group


def require_pyarrow(out: Path) -> None:
    """Refuse a Parquet file where nothing can write one.

    Raises:
        UsageError: pyarrow is missing.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"--out {out}: Parquet wants pyarrow: {error}", f"{install('corpus')}; or --out x.csv"
        ) from error


def write_parquet(
    rows: Iterable[Mapping[str, Any]], file: IO[bytes], labels: Sequence[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Write rows of `UtteranceEmotion.to_dict`, each with its number as `utterance`; a row group is held at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"text": pa.string(), "number": pa.float64(), "count": pa.int32()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns(labels).items()], metadata=metadata)
    with pq.ParquetWriter(file, schema) as table:
        batch: list[dict[str, Any]] = []
        for row in rows:
            batch.append(_printable(flatten(row, row["utterance"], labels)))
            if len(batch) == BATCH:
                table.write_table(pa.Table.from_pylist(batch, schema))
                batch.clear()
        if batch:
            table.write_table(pa.Table.from_pylist(batch, schema))


class ParquetRows:
    """As `RowWriter`, but the file is there only once the run ends, however it ends (but for a kill).

    Args:
        path: replaced where it exists.

    Raises:
        UsageError: pyarrow is missing.
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path, *, labels: Sequence[str]) -> None:
        require_pyarrow(path)
        check_folder(path)
        self.path, self._labels = path, labels
        self._rows: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}

    def write(self, event: UtteranceEmotion) -> None:
        """Take one row."""
        self._rows.append(event.to_dict() | {"utterance": numbered(self._numbers, event)})

    def gap(self, source: str, start: float, end: float, why: str) -> None:
        """A table holds utterances only."""

    def close(self) -> None:
        """Write the file."""
        try:
            with atomic(self.path) as temporary, temporary.open("wb") as file:
                write_parquet(self._rows, file, self._labels)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(
                f"cannot write {self.path}: {reason}", "make room, or give --out another place"
            ) from error

    def __enter__(self) -> ParquetRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _printable(row: dict[str, Any]) -> dict[str, Any]:
    """Parquet holds UTF-8 only: a name in another encoding is written out."""
    return {k: printable(v) if isinstance(v, str) else v for k, v in row.items()}
