"""Where the rows, the skeleton video and the timeline of each source go.

One source: the files that were named.  Several: rows into one file (JSONL, JSON, CSV and Parquet carry the source),
or, where a folder was named, one file a source in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from emoje_edge.addresses import masked
from emoje_edge.cli.resume import ResumePoint, kept_in_file, kept_in_folder
from emoje_edge.cli.source_arguments import guard
from emoje_edge.errors import UsageError
from emoje_edge.report.parquet import ParquetRows, require_pyarrow
from emoje_edge.report.skeleton_video import SkeletonVideo, check_video
from emoje_edge.report.timeline import check_timeline
from emoje_edge.report.writers import RowWriter, TranscriptWriter, check_transcript, choose_format


class Output(click.ParamType):
    """A file or folder to write: `-` is standard output, and a name that ends in `/` a folder, made where it is not."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(value)
        if isinstance(value, str) and value.endswith("/"):
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                self.fail(f"cannot make the folder {value}: {error.strerror}", param, ctx)
        return path


@dataclass(frozen=True)
class Outputs:
    """What to leave behind; checked on creation, before any work is done.

    Args:
        sources: all that will be read.
        labels: the engine's, for the columns of CSV.
        out, form: rows; None: standard output, JSONL.
        render, timeline: None: not wanted.
        text: a subtitle file that is read, so never overwritten.
        resume: go on with the rows of an earlier run.
        transcript: the words alone; None: not wanted.

    Raises:
        UsageError: a file for several sources, an unknown ending, an input that would be overwritten.
        OutputError: a folder that is not there.
    """

    sources: Sequence[str]
    labels: Sequence[str]
    out: Path | None = None
    form: str | None = None
    render: Path | None = None
    timeline: Path | None = None
    text: Path | None = None
    transcript: Path | None = None
    resume: bool = False
    kept: ResumePoint = field(init=False, repr=False)
    _stems: dict[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.out == Path("-"):
            object.__setattr__(self, "out", None)
        object.__setattr__(self, "_stems", _unique_stems(self.sources))
        object.__setattr__(self, "form", choose_format(self.form, None if self._each(self.out) else self.out))
        self._check_form()
        object.__setattr__(self, "kept", self._kept())
        one_file = {"--render": self.render, "--timeline": self.timeline, "--transcript": self.transcript}
        if self.form in ("srt", "vtt"):
            one_file[f"--format {self.form} --out"] = self.out
        for option, path in one_file.items():
            if len(self.sources) > 1 and (path or option.startswith("--format")) and not self._each(path):
                raise UsageError(
                    f"{option} {path or '(standard output)'} for {len(self.sources)} sources",
                    "give an existing folder: each source gets its own file there",
                )
        for source in self.sources:
            words = self.transcript_path(source)
            for path in (self.rows_path(source), self.video_path(source), self.picture_path(source), words):
                guard(path, self.sources, self.text)
            if video := self.video_path(source):
                check_video(video)
            if picture := self.picture_path(source):
                check_timeline(picture)
            if words:
                check_transcript(words)

    def _check_form(self) -> None:
        if self.form == "parquet":
            if self.out is None:
                raise UsageError("--format parquet on standard output", "give --out FILE.parquet, or a folder")
            require_pyarrow(self.out)

    def _kept(self) -> ResumePoint:
        if not self.resume:
            return ResumePoint()
        if self._each(self.out):
            return kept_in_folder([self.rows_path(source) for source in self.sources])
        return kept_in_file(self.out, self.form or "jsonl", self.sources)

    @staticmethod
    def _each(path: Path | None) -> bool:
        return path is not None and path.is_dir()

    def _place(self, path: Path | None, source: str, ending: str) -> Path | None:
        return path / f"{self._stems[source]}-{ending}" if path and path.is_dir() else path

    def rows_path(self, source: str) -> Path | None:
        return self._place(self.out, source, f"emotions.{self.form}")

    def video_path(self, source: str) -> Path | None:
        return self._place(self.render, source, "skeleton.mp4")

    def picture_path(self, source: str) -> Path | None:
        return self._place(self.timeline, source, "timeline.png")

    def transcript_path(self, source: str) -> Path | None:
        return self._place(self.transcript, source, "words.srt")

    @contextmanager
    def open(self) -> Iterator[RowFiles]:
        """Rows for the whole run: `with outputs.open() as files, files.rows(source) as writer`."""
        assert self.form is not None
        if self._each(self.out):
            yield RowFiles(self, None)
        elif self.form == "parquet":
            assert self.out is not None
            with ParquetRows(self.out, labels=self.labels) as table:
                yield RowFiles(self, table)
        else:
            keep = (self.kept.size, self.kept.rows)
            with RowWriter(self.out, self.form, labels=self.labels, keep=keep) as writer:
                yield RowFiles(self, writer)

    def video(self, source: str) -> AbstractContextManager[SkeletonVideo | None]:
        """The skeleton video of one source, None where not wanted."""
        path = self.video_path(source)
        return SkeletonVideo(path) if path else nullcontext(None)

    def words(self, source: str) -> AbstractContextManager[RowWriter | None]:
        """The transcript of one source, None where not wanted."""
        path = self.transcript_path(source)
        return TranscriptWriter(path) if path else nullcontext(None)


@dataclass(frozen=True)
class RowFiles:
    """Row writers: the one shared by all sources, or one a source."""

    outputs: Outputs
    shared: RowWriter | ParquetRows | None

    def rows(self, source: str) -> AbstractContextManager[RowWriter | ParquetRows]:
        if self.shared:
            return nullcontext(self.shared)
        path, form = self.outputs.rows_path(source), self.outputs.form or "jsonl"
        if form == "parquet" and path:
            return ParquetRows(path, labels=self.outputs.labels)
        return RowWriter(path, form, labels=self.outputs.labels)


_LONGEST = 200  # bytes of a name: file systems take 255, and an ending and a number follow


def _unique_stems(sources: Sequence[str]) -> dict[str, str]:
    """A file name for each source: its own without the ending, cut where too long, numbered where two are alike."""
    stems: dict[str, str] = {}
    for source in sources:
        plain = (
            "".join(c if c.isalnum() or c in "-_. +" else "-" for c in Path(masked(source)).stem).strip(" .-")
            or "stream"
        )
        plain = plain.encode()[:_LONGEST].decode(errors="ignore")
        stem, number = plain, 2
        while stem.casefold() in {s.casefold() for s in stems.values()}:
            stem, number = f"{plain}-{number}", number + 1
        stems[source] = stem
    return stems
