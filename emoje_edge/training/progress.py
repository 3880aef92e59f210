"""The progress bar of a run: one line with the time left, and one line for every epoch that is kept on screen."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """Context manager; writes to stderr, and nothing at all when `quiet`."""

    def __init__(self, epochs: int, *, quiet: bool = False) -> None:
        self.epochs, self.quiet = epochs, quiet
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Bar(*columns, console=console, disable=quiet or not console.is_terminal, transient=True)
        self.console = console
        self.task: TaskID | None = None

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.stop()

    def epoch(self, number: int, batches: int, *, done: int = 0) -> None:
        """Begin (or go on with) an epoch; the bar spans the whole run, so its time left is the run's."""
        total = batches * self.epochs
        if self.task is None:
            self.task = self.bar.add_task("", total=total, completed=batches * number + done)
        self.bar.update(self.task, total=total, description=f"epoch {number + 1}/{self.epochs}")

    def step(self, loss: float) -> None:
        if self.task is None:
            return
        self.bar.advance(self.task)
        description = self.bar.tasks[0].description.split("  ")[0]
        self.bar.update(self.task, description=f"{description}  loss {loss:.3f}")

    def end_epoch(self, row: dict[str, Any], better: bool) -> None:
        if self.quiet:
            return
        shown = {k: v for k, v in row.items() if k in ("train_loss", "dev_weighted_f1", "dev_uar", "dev_accuracy")}
        text = "  ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in shown.items())
        self.console.print(
            f"epoch {row['epoch']:3d}  {text}{'  (best)' if better else ''}", highlight=False, soft_wrap=True
        )
