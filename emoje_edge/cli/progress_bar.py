"""A progress line with the time left, on standard error, and only where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Any


class Progress:
    """Shows how far into a source the run is.  A context manager; silent where `shown` is false.

    Rows may go to the same terminal: they are written inside `aside`, which takes the line away meanwhile.
    """

    def __init__(self, shown: bool) -> None:
        self._bar: Any = None
        self._task: Any = None
        if shown and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.percentage:3.0f} %"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )

    @property
    def shown(self) -> bool:
        return self._bar is not None

    def source(self, name: str, seconds: float | None) -> None:
        """A new source begins; `seconds` is its length, None where unknown (then no time left is shown)."""
        if self._bar is None:
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name[-50:], total=seconds)

    def at(self, seconds: float) -> None:
        """The run has come this far into the source."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=seconds)

    @contextmanager
    def aside(self, stream: IO[str]) -> Iterator[None]:
        """Take the line away while something is written to this stream, where that is a terminal, too."""
        if self._bar is None or not stream.isatty():
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
