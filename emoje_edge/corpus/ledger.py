"""What is done, on disk: one part a recording, written beside its name, synced and renamed.

A part is a JSONL file: first a line about the recording, then its rows without latencies, so that the same recording
gives the same bytes whoever labels it and when.  Its name is a digest of the recording's relative path, size, time of
change and subtitles, and of the settings, engines and version: whatever changes makes another part.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emoje_edge.corpus.recordings import Recording
from emoje_edge.corpus.settings import dump
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.files import atomic

PLAN = "plan.json"
ERRORS = "errors.jsonl"


class LedgerError(WorkError):
    """The ledger cannot be written: ends the run, since the next recording would fare no better."""


@dataclass(frozen=True)
class Part:
    """One labelled recording.

    Attributes:
        recording: its name.
        seconds: of media that were read.
        error: None, or what ended it: `kind`, `message` and `tries`; its rows are those found before.
        rows: as of `UtteranceEmotion.to_dict`, without `latency_ms`.
    """

    recording: str
    seconds: float
    rows: Sequence[Mapping[str, Any]] = ()
    error: Mapping[str, Any] | None = None


class Ledger:
    """The parts of one output file, in the folder `OUT.parts`.

    Args:
        out: the final file.
        description: `Settings.describe()`.
    """

    def __init__(self, out: Path, description: dict[str, Any]) -> None:
        self.folder = out.with_name(f"{out.name}.parts")
        self.description = description
        self._settings = dump(description)

    def write_plan(self, recordings: Sequence[Recording]) -> None:
        """Make the folder and note what belongs to this run, for `status` and for whoever looks later.

        Raises:
            LedgerError: the folder cannot be written.
        """
        plan = {**self.description, "recordings": {r.name: self.name(r) for r in sorted(recordings, key=_name)}}
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise LedgerError(
                f"cannot write {self.folder}: {error.strerror}", f"mkdir -p '{self.folder.parent}', or another --out"
            ) from error
        self._put(self.folder / PLAN, json.dumps(plan, indent=1, ensure_ascii=False) + "\n")

    def name(self, recording: Recording) -> str:
        """The part's file name."""
        text = f"{recording.name}\0{recording.state}\0{self._settings}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32] + ".jsonl"

    def is_done(self, recording: Recording) -> bool:
        """Whether there is a part without an error for the recording as it is now."""
        path = self.folder / self.name(recording)
        return path.is_file() and read_head(path).error is None

    def write(self, recording: Recording, part: Part) -> None:
        """Keep a part; a finished one is never replaced by a failed one.

        Raises:
            LedgerError: the disk is full, or the folder is gone or read-only.
        """
        if part.error and self.is_done(recording):
            return
        head = {"recording": part.recording, "seconds": round(part.seconds, 3), "error": part.error}
        self._put(self.folder / self.name(recording), "".join(_line(row) for row in (head, *part.rows)))

    def clear(self) -> None:
        """Forget all parts (`--fresh`)."""
        for path in self.folder.glob("*.jsonl"):
            path.unlink(missing_ok=True)

    def write_errors(self, recordings: Sequence[Recording]) -> int:
        """Write `errors.jsonl` from the parts and return how many failed.

        Raises:
            LedgerError: as `write`.
        """
        paths = (self.folder / self.name(r) for r in sorted(recordings, key=_name))
        heads = [read_head(path) for path in paths if path.is_file()]
        failed = [{"path": head.recording, **head.error} for head in heads if head.error]
        self._put(self.folder / ERRORS, "".join(map(_line, failed)))
        return len(failed)

    def parts(self, recordings: Sequence[Recording]) -> Iterator[Part]:
        """Parts in the order of the recordings' names, one at a time; recordings without one are passed over."""
        for recording in sorted(recordings, key=_name):
            path = self.folder / self.name(recording)
            if path.is_file():
                yield read_part(path)

    def _put(self, path: Path, text: str) -> None:
        try:
            with atomic(path) as temporary:
                temporary.write_bytes(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise LedgerError(
                f"cannot write {path}: {error.strerror}",
                "the parts before are kept: make room and run the same command again",
            ) from error


def read_head(path: Path) -> Part:
    """A part without its rows.

    Raises:
        WorkError: it is no part.
    """
    with path.open("rb") as file:
        return _part(path, file.readline(1 << 20), ())


def read_part(path: Path) -> Part:
    """A part with its rows.

    Raises:
        WorkError: it is no part.
    """
    head, *rows = path.read_bytes().splitlines() or [b""]
    return _part(path, head, rows)


def read_plan(out: Path) -> dict[str, Any]:
    """What `begin` noted last.

    Raises:
        UsageError: there is no ledger for this output.
        WorkError: it is damaged.
    """
    path = out.with_name(f"{out.name}.parts") / PLAN
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        names = plan["recordings"]
        assert isinstance(names, dict)
    except OSError as error:
        raise UsageError(
            f"no run has written {out} from here: {error}", f"emoje-edge corpus FOLDER --out {out}"
        ) from error
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise WorkError(f"{path} is damaged", "run `emoje-edge corpus` again: the parts are kept") from error
    return plan


def _part(path: Path, head: bytes, rows: Sequence[bytes]) -> Part:
    try:
        raw = json.loads(head)
        return Part(raw["recording"], float(raw["seconds"]), [json.loads(row) for row in rows], raw["error"])
    except (ValueError, KeyError, TypeError) as error:
        raise WorkError(
            f"{path} is no part of a corpus", f"delete it and run again, or use --fresh: {error}"
        ) from error


def _name(recording: Recording) -> str:
    return recording.name


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
