"""A run over a corpus: what is missing or changed is labelled, then all parts are merged."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from emoje_edge.corpus.labeller import Outcome
from emoje_edge.corpus.ledger import Ledger, LedgerError
from emoje_edge.corpus.local import label_locally
from emoje_edge.corpus.recordings import Recording, longest_first
from emoje_edge.corpus.settings import Settings


@dataclass(frozen=True)
class RunOptions:
    """Who does the work.

    Attributes:
        engine: `local`, `ray` (a cluster of this machine's own) or `ray://HOST:PORT`.
        workers: processes or actors.
        limit: s that one recording may take; None: as long as it takes.
    """

    engine: str = "local"
    workers: int = 1
    limit: float | None = None


@dataclass
class Tally:
    """How far a run is."""

    all: int
    done: int = 0
    failed: int = 0
    kept: int = 0
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        self.seconds += outcome.seconds
        if outcome.kind is None:
            self.done += 1
        else:
            self.failed += 1


def run(
    recordings: Sequence[Recording],
    ledger: Ledger,
    settings: Settings,
    options: RunOptions,
    report: Callable[[Tally, Outcome | None], None],
) -> Tally:
    """Label what has no part yet.

    Args:
        report: called at the beginning and after every recording.

    Raises:
        LedgerError: no room for a part; what was done before is kept.
        KeyboardInterrupt: Ctrl-C; likewise.
    """
    ledger.write_plan(recordings)
    missing = [r for r in recordings if not ledger.is_done(r)]
    tally = Tally(len(recordings), kept=len(recordings) - len(missing))
    report(tally, None)
    outcomes = _outcomes(longest_first(missing), settings, ledger, options)
    for outcome in outcomes:
        tally.add(outcome)
        report(tally, outcome)
        if outcome.kind == "ledger":
            outcomes.close()
            message, _, hint = outcome.message.partition("\n")
            raise LedgerError(message, hint.strip())
    return tally


def _outcomes(
    missing: Sequence[Recording], settings: Settings, ledger: Ledger, options: RunOptions
) -> Generator[Outcome, None, None]:
    if not missing:
        return
    if options.engine == "local":
        yield from label_locally(missing, settings, ledger, workers=options.workers, limit=options.limit)
        return
    from emoje_edge.corpus.cluster import label_on_ray

    address = "local" if options.engine == "ray" else options.engine
    yield from label_on_ray(missing, settings, ledger, address=address, workers=options.workers, limit=options.limit)
