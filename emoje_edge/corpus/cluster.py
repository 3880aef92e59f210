"""The same labelling on Ray Data: a laptop's own cluster, or one that is running elsewhere.

Each actor keeps one worker process (`local.Worker`), so that a recording that kills it or takes too long ends as it
does here, and Ray sees outcomes only.  Parts are written by the actors: on several machines the output's folder has to
be one that all of them see.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emoje_edge.corpus.labeller import Outcome
from emoje_edge.corpus.ledger import Ledger, LedgerError
from emoje_edge.corpus.local import Worker
from emoje_edge.corpus.recordings import Recording
from emoje_edge.corpus.settings import Settings
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.extras import install

INSTALL = install("cluster")


class RayLabeller:
    """What Ray opens once an actor, and calls once a recording."""

    def __init__(self, settings: Settings, ledger: Ledger, limit: float | None) -> None:
        self._worker = Worker(settings, ledger, limit)

    def __call__(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        recording = Recording(**{**row, "path": Path(row["path"]), "text": Path(row["text"]) if row["text"] else None})
        try:
            return [asdict(self._worker.label(recording))]
        except LedgerError as error:  # from here it would reach nobody as what it is
            return [asdict(Outcome(recording.name, kind="ledger", message=str(error)))]

    def __del__(self) -> None:
        with suppress(Exception):  # the interpreter may be going down
            self._worker.stop()


def label_on_ray(
    recordings: Sequence[Recording],
    settings: Settings,
    ledger: Ledger,
    *,
    address: str,
    workers: int,
    limit: float | None = None,
) -> Iterator[Outcome]:
    """Outcomes as they come.

    Args:
        address: `local` for a cluster of this machine's own, else `ray://HOST:PORT`.
        workers: actors, of one core each.
        limit: s that one recording may take.

    Raises:
        UsageError: Ray is not installed.
        WorkError: no cluster at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing contacts anybody
    try:
        import ray
    except ImportError as error:
        raise UsageError(f"--engine ray, but Ray is not installed: {error}", INSTALL) from error
    try:
        ray.init(
            address=address,
            num_cpus=workers if address == "local" else None,
            include_dashboard=False,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise WorkError(f"no Ray cluster at {address}: {error}", "start one: ray start --head") from error
    try:
        yield from _labelled(ray, recordings, RayLabeller, (settings, ledger, limit), workers)
    finally:
        ray.shutdown()


def _labelled(
    ray: Any, recordings: Sequence[Recording], labeller: type, arguments: tuple[Any, ...], workers: int
) -> Iterator[Outcome]:
    import ray.data

    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = [{**asdict(r), "path": str(r.path), "text": str(r.text) if r.text else ""} for r in recordings]
    data = ray.data.from_items(rows, override_num_blocks=len(rows)).flat_map(
        labeller,
        fn_constructor_args=arguments,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
        num_cpus=1,
    )
    for row in data.iter_rows():
        yield Outcome(**row)
