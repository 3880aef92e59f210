"""Rows of utterances as JSONL, CSV, SRT or WebVTT, each on disk as soon as it is known.

Rows go to the file descriptor one write each, without a buffer: whatever ends the run (Ctrl-C, a full disk, a
closed pipe), finished rows are there and the last line is whole.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.report import terminal

if TYPE_CHECKING:
    from emoje_edge.utterance_emotion import UtteranceEmotion

NO_EVIDENCE = "no evidence"
_FIRST = (
    "source",
    "utterance",
    "start",
    "end",
    "speaker",
    "person",
    "text",
    "text_from",
    "text_confidence",
    "emotion",
    "confidence",
    "reason",
    "model",
)
STAGES = ("pose", "audio", "text", "engine", "total")


class OutputError(WorkError):
    """An output cannot be written.  Ends the whole run: the next source would fare no better."""


def json_row(event: UtteranceEmotion, number: int, labels: Sequence[str]) -> str:
    """One JSON object on one line, without the line's end."""
    row = event.to_dict()
    return json.dumps({"source": row["source"], "utterance": number, **row}, ensure_ascii=False)


def jsonl_row(event: UtteranceEmotion, number: int, labels: Sequence[str]) -> str:
    """One JSON object on one line."""
    return json_row(event, number, labels) + "\n"


def csv_header(labels: Sequence[str]) -> str:
    """The column names: one column a probability (`p_`), weight (`w_`) and latency (`ms_`)."""
    return _csv_line(
        list(_FIRST)
        + [f"p_{label}" for label in labels]
        + ["modalities"]
        + [f"w_{modality}" for modality in Modality]
        + [f"ms_{stage}" for stage in STAGES]
    )


def csv_row(event: UtteranceEmotion, number: int, labels: Sequence[str]) -> str:
    """One line; empty cells where there is no value."""
    row = {**event.to_dict(), "utterance": number}
    return _csv_line(
        ["" if row.get(name) is None else row[name] for name in _FIRST]
        + [row["probabilities"].get(label, "") for label in labels]
        + ["+".join(row["modalities"])]
        + [row["weights"].get(modality.value, "") for modality in Modality]
        + [row["latency_ms"].get(stage, "") for stage in STAGES]
    )


def srt_row(event: UtteranceEmotion, number: int, labels: Sequence[str]) -> str:
    """One SubRip cue: `ROSS: How are you? [joy 87 %]`, or `ROSS: joy 87 %` where nobody tells the words."""
    return f"{number}\n{_clock(event.start, ',')} --> {_clock(event.end, ',')}\n{caption(event)}\n\n"


def vtt_row(event: UtteranceEmotion, number: int, labels: Sequence[str]) -> str:
    """One WebVTT cue; the speaker becomes its voice."""
    return f"{_clock(event.start, '.')} --> {_clock(event.end, '.')}\n{caption(event).replace('&', '&amp;')}\n\n"


def caption(event: UtteranceEmotion) -> str:
    """What a subtitle says of one utterance, on one line; read as subtitles again, only the words count."""
    found = NO_EVIDENCE if event.emotion is None else f"{event.emotion} {event.probabilities[event.emotion]:.0%}"
    return _spoken_by(event, f"{_one_line(event.text)} [{found}]" if event.text else found)


def words_srt_row(event: UtteranceEmotion, number: int, labels: Sequence[str]) -> str:
    """One SubRip cue of the words alone."""
    words = _spoken_by(event, _one_line(event.text or ""))
    return f"{number}\n{_clock(event.start, ',')} --> {_clock(event.end, ',')}\n{words}\n\n"


def words_vtt_row(event: UtteranceEmotion, number: int, labels: Sequence[str]) -> str:
    """One WebVTT cue of the words alone."""
    words = _spoken_by(event, _one_line(event.text or "")).replace("&", "&amp;")
    return f"{_clock(event.start, '.')} --> {_clock(event.end, '.')}\n{words}\n\n"


def _spoken_by(event: UtteranceEmotion, words: str) -> str:
    speaker = _one_line(event.speaker or (f"person {event.person}" if event.person else ""))
    return f"{speaker}: {words}" if speaker else words


def _one_line(text: str) -> str:
    """Text without what a subtitle file takes for its own marks."""
    return " ".join(text.replace("-->", "").replace("<", "").split())


# name -> (what stands before the first row, one row)
FORMATS: dict[str, tuple[Callable[[Sequence[str]], str], Callable[[UtteranceEmotion, int, Sequence[str]], str]]] = {
    "jsonl": (lambda labels: "", jsonl_row),
    "json": (lambda labels: "[\n", json_row),
    "csv": (csv_header, csv_row),
    "srt": (lambda labels: "", srt_row),
    "vtt": (lambda labels: "WEBVTT\n\n", vtt_row),
    terminal.NAME: (terminal.header, terminal.row),
}
ENDINGS = (*FORMATS, "parquet")
# name -> what stands between two rows and after the last, of formats that have such
FRAMES = {"json": (",\n", "\n]\n")}
# of a transcript: the words alone
TRANSCRIPTS = {"srt": words_srt_row, "vtt": words_vtt_row}


def choose_format(given: str | None, out: Path | None) -> str:
    """The format that was asked for, else the one that the file's ending names, else JSONL; a table on a terminal.

    Raises:
        UsageError: an ending that names no format, and none was asked for.
    """
    if given:
        return given
    if out is None and sys.stdout.isatty():
        return terminal.NAME
    ending = out.suffix.lower().lstrip(".") if out else ""
    if not ending or out is None or out.is_char_device():
        return "jsonl"
    if ending not in ENDINGS or ending == terminal.NAME:
        raise UsageError(
            f"--out {out}: the ending .{ending} names no format",
            f"give --format {' | '.join(ENDINGS)}, or such an ending",
        )
    return ending


def numbered(numbers: dict[str, int], event: UtteranceEmotion) -> int:
    """The number of an utterance within its source, from 1; counted on in `numbers` once it is over."""
    number = numbers.get(event.source, 0) + 1
    if event.final:
        numbers[event.source] = number
    return number


class RowWriter:
    """Writes rows to a file, or to standard output where `path` is None.  A context manager.

    Args:
        path: overwritten where it exists; its folder must be there.
        form: a key of `FORMATS`.
        labels: the engine's, for the columns of CSV.
        keep: bytes at the file's beginning that stay, the rows of an earlier run; and how many rows these are.

    Raises:
        OutputError: the file cannot be opened or written (full disk, no permission …).
        BrokenPipeError: standard output was closed by its reader.
    """

    def __init__(
        self,
        path: Path | None,
        form: str = "jsonl",
        *,
        labels: Sequence[str] = EMOTIONS,
        keep: tuple[int, int] = (0, 0),
    ) -> None:
        header, self._row = FORMATS[form]
        self._between, self._after = FRAMES.get(form, ("", ""))
        self.path, self.labels, (self._kept, self.rows) = path, labels, keep
        self._numbers: dict[str, int] = {}
        self._name = str(path) if path else "standard output"
        self._file = self._open()
        self._whole = bool(self._after) and path is not None and self._file.seekable()
        if self._kept:
            self._file.seek(0, os.SEEK_END)
        self._put("" if self._kept else header(labels))

    def _open(self) -> IO[bytes]:
        if self.path is None:
            try:
                return open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)
            except (OSError, io.UnsupportedOperation):  # a test's or a notebook's stand-in has no descriptor
                return sys.stdout.buffer
        check_folder(self.path)
        try:
            if not self._kept:
                return open(self.path, "wb", buffering=0)
            os.truncate(self.path, self._kept)
            return open(self.path, "r+b", buffering=0)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}", "give --out another place") from error

    def write(self, event: UtteranceEmotion) -> None:
        """Append one row."""
        row = self._row(event, numbered(self._numbers, event), self.labels)
        self._put(self._between + row if self.rows else row)
        self.rows += 1

    def gap(self, source: str, start: float, end: float, why: str) -> None:
        """Append what a live stream lost, `{"source": …, "gap": {"start": …, "end": …, "why": …}}`; JSON lines only."""
        if self._row is jsonl_row:
            lost = {"start": round(start, 3), "end": round(end, 3), "why": why}
            self._put(json.dumps({"source": source, "gap": lost}, ensure_ascii=False) + "\n")

    def _put(self, text: str) -> None:
        """Append text in one write; a file is whole after each, so what ends it is written again and again."""
        end = self._after if self._whole else ""
        self._put_bytes((text + end).encode("utf-8", "replace"))
        if end:
            self._file.seek(-len(end), os.SEEK_CUR)

    def _put_bytes(self, given: bytes) -> None:
        data = memoryview(given)
        done = 0
        try:
            while done < len(data):
                done += self._file.write(data[done:]) or 0
            if self.path is None:
                self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._drop_half_row(done)
            raise OutputError(
                f"cannot write {self._name}: {error.strerror}",
                f"the {self.rows} rows before are kept; make room, or give --out another place",
            ) from error

    def _drop_half_row(self, done: int) -> None:
        if done and self.path is not None and stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.truncate(self._file.tell() - done)
            with contextlib.suppress(OSError):
                self._file.seek(0, os.SEEK_END)
                self._file.write(self._after.encode() if self._whole else b"")

    def close(self) -> None:
        if self._after and not self._whole:
            self._put_bytes(self._after.encode())
        if self.path is not None:
            self._file.close()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class TranscriptWriter(RowWriter):
    """Writes the words alone, as subtitles that other programs read; what has no words gives no cue.

    Args:
        path: ends in `.srt` or `.vtt`.
    """

    def __init__(self, path: Path) -> None:
        form = path.suffix.lower().lstrip(".")
        super().__init__(path, form)
        self._row = TRANSCRIPTS[form]

    def write(self, event: UtteranceEmotion) -> None:
        if event.text:
            super().write(event)


def check_transcript(path: Path) -> None:
    """Refuse a transcript's name or place before any work is done.

    Raises:
        UsageError: an ending that is no subtitle format.
        OutputError: no such folder.
    """
    if path.suffix.lower().lstrip(".") not in TRANSCRIPTS:
        raise UsageError(f"--transcript {path}: no subtitle format", "let it end in .srt or .vtt")
    check_folder(path)


def check_folder(path: Path) -> None:
    """Refuse an output whose folder is not there, before any work is done.

    Raises:
        OutputError: no such folder, or `path` is itself a folder.
    """
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}", f"mkdir -p '{path.parent}'")
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder", "give a file name")


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # so that a cell with either of the two is quoted
    return line.getvalue()[:-2] + "\n"


def _clock(seconds: float, mark: str) -> str:
    ms = max(round(seconds * 1000), 0)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{mark}{ms % 1000:03d}"
