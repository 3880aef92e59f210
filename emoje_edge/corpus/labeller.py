"""One recogniser, one recording after the other, each into its part of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emoje_edge.corpus.ledger import Ledger, LedgerError, Part
from emoje_edge.corpus.recordings import Recording
from emoje_edge.corpus.settings import Settings
from emoje_edge.errors import EmojeError


@dataclass(frozen=True)
class Outcome:
    """What became of a recording.

    Attributes:
        recording: its name.
        seconds: of media that were read.
        utterances: rows that were kept.
        kind: None where all went well; else `broken` (the file), `killed`, `memory`, `time` (over the limit),
            `error` (a fault of ours), `ledger` (no room for the part).
        message: what happened.
    """

    recording: str
    seconds: float = 0.0
    utterances: int = 0
    kind: str | None = None
    message: str = ""


class Labeller:
    """Opens its recogniser once.

    Raises:
        UsageError, WorkError: as `Recognizer`.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._recognizer, self._ledger = settings.open(), ledger

    def label(self, recording: Recording, tries: int = 1) -> Outcome:
        """Label one recording; never raises for what is wrong with it.  Rows found before a failure are kept."""
        rows: list[dict[str, Any]] = []
        kind, message = None, ""
        try:
            for event in self._recognizer.stream(recording.path, recording.text):
                row = event.to_dict()
                del row["latency_ms"]
                rows.append({**row, "source": recording.name})
        except EmojeError as error:
            kind, message = "broken", str(error)
        except MemoryError:
            kind, message = "memory", "out of memory"
        except Exception as error:  # a fault of ours must not take the other recordings with it
            kind, message = "error", f"{type(error).__name__}: {error}"
        seconds = recording.seconds or max((row["end"] for row in rows), default=0.0)
        failure = {"kind": kind, "message": message, "tries": tries} if kind else None
        try:
            self._ledger.write(recording, Part(recording.name, seconds, rows, failure))
        except LedgerError as error:
            kind, message = "ledger", str(error)
        return Outcome(recording.name, seconds, len(rows), kind, message)
