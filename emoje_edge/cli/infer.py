"""`emoje-edge infer`: one row an utterance, from whatever the source has of text, audio and body pose."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emoje_edge.addresses import masked
from emoje_edge.allocator import share_one_heap
from emoje_edge.cli.live_options import ALLOW_HTTP, PARTIAL, RECONNECT, check_streams, patience
from emoje_edge.cli.model_choice import model_option
from emoje_edge.cli.outputs import Output, Outputs, RowFiles
from emoje_edge.cli.people_option import people_count
from emoje_edge.cli.progress_bar import Progress
from emoje_edge.cli.source_arguments import expand
from emoje_edge.cli.word_notes import WordNotes
from emoje_edge.errors import EmojeError, UsageError, WorkError
from emoje_edge.perception.live.stream import LiveStream, is_stream
from emoje_edge.report.parquet import ParquetRows
from emoje_edge.report.timeline import draw_timeline
from emoje_edge.report.writers import ENDINGS, OutputError, RowWriter
from emoje_edge.shapes import POSE_RATE
from emoje_edge.systemd import Notifier

if TYPE_CHECKING:
    from emoje_edge.recognizer import Recognizer
    from emoje_edge.utterance_emotion import UtteranceEmotion

_PATH = click.Path(path_type=Path)


@click.command("infer")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--mask", default="auto", show_default=True, help="Modalities to use: text,pose …; auto: all there is.")
@click.option(
    "--out", type=Output(), help="File for the rows (overwritten), or a folder (DIR/): one file a source; or -."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(ENDINGS),
    help="Of the rows; else by --out's ending, or jsonl; a table on a terminal.",
)
@click.option("--resume", is_flag=True, help="Go on where a run was ended: keep the rows of finished sources.")
@click.option("--text", type=_PATH, help="Subtitles (SRT, VTT, ASS, Whisper's JSON or TSV); else beside or inside it.")
@click.option("--encoding", help="Of the subtitle file, where it is not found out rightly: cp1251, shift_jis …")
@click.option("--words", default="auto", show_default=True, metavar="auto|off|MODEL",
              help="Recognise words where there are no subtitles; a model's name or folder: see `models`.")  # fmt: skip
@click.option("--language", help="Spoken language for a multilingual model, as en or de; else found.")
@click.option("--speakers", is_flag=True, help="Letters for who speaks, by the voice, where nobody is named.")
@click.option("--transcript", type=Output(), help="Write the words alone, as .srt or .vtt.")
@click.option("--render", type=Output(), help="Write a video of the skeleton on black, with the emotions.")
@click.option("--timeline", type=Output(), help="Write a picture: emotions over time, and what they rest on.")
@click.option(
    "--pose-fps", type=float, default=POSE_RATE, show_default=True, help="Frames a second to look for the body in."
)
@click.option("--pose", default="onnx", show_default=True, help="What finds bodies: onnx, or mediapipe (an extra).")
@click.option("--people", default="1", show_default=True, metavar="N|all", help="Bodies to follow; rows tell whose.")
@click.option("--mic", metavar="default|NAME|none", help="A microphone beside a camera that has none.")
@click.option("--reconnect", metavar="S", help=RECONNECT)
@click.option("--partial", type=float, metavar="S", help=PARTIAL)
@click.option("--allow-http", is_flag=True, help=ALLOW_HTTP)
@model_option
@click.option("--engine-dir", type=_PATH, help="Folder of engines; else those built here, or the shipped ones.")
@click.option("--backend", default="onnx", show_default=True, help="What runs the engine: onnx, tensorrt or aot.")
@click.option("--fallback", is_flag=True, help="Where that backend has no engine here, take another and say so.")
@click.option(
    "--min-confidence", type=float, default=0.0, metavar="P", help="Name no emotion that is less sure than this."
)
@click.option("--no-context", is_flag=True, help="Each utterance on its own, whatever was said before it.")
@click.option("-q", "--quiet", is_flag=True, help="No progress line and no notes on standard error.")
def command(
    sources: tuple[str, ...],
    mask: str,
    out: Path | None,
    form: str | None,
    resume: bool,
    text: Path | None,
    encoding: str | None,
    words: str,
    language: str | None,
    speakers: bool,
    transcript: Path | None,
    render: Path | None,
    timeline: Path | None,
    pose_fps: float,
    pose: str,
    people: str,
    mic: str | None,
    reconnect: str | None,
    partial: float | None,
    allow_http: bool,
    model: str | None,
    engine_dir: Path | None,
    backend: str,
    fallback: bool,
    min_confidence: float,
    no_context: bool,
    quiet: bool,
) -> None:
    """Recognise the emotion of each utterance.

    SOURCE is a video or sound file, a folder or a glob.  Live: a camera (0 or webcam:0, with --mic default), a
    microphone (mic:default), a network stream (rtsp://, rtmp://, udp://; http:// with --allow-http), a list of such
    (door.streams), or - for standard input.  Rows go to standard output as JSON lines, each as soon as it is known.
    Nothing leaves this machine.

    \b
      emoje-edge infer talk.mp4
      emoje-edge infer talk.mp4 --mask pose --out talk.csv
      emoje-edge infer talk.mp4 --render skeleton.mp4 --timeline timeline.png
      emoje-edge infer talk.mp4 --transcript talk.srt --out talk.jsonl
      emoje-edge infer rtsp://camera.local/stream --reconnect 60s --partial 1
    """
    share_one_heap()
    if quiet:
        logging.getLogger("emoje_edge").setLevel(logging.ERROR)
    expanded = expand(sources)
    if text and len(expanded) > 1:
        raise UsageError(
            f"--text {text} for {len(expanded)} sources", "give one source, or name subtitles as the videos"
        )
    limit = patience(reconnect)
    if mic and len(expanded) > 1:
        raise UsageError(f"--mic {mic} for {len(expanded)} sources", "give one camera")
    from emoje_edge.recognizer import Recognizer

    with Recognizer(
        mask,
        model=model,
        engine_dir=engine_dir,
        backend=backend,
        fallback=fallback,
        pose_fps=pose_fps,
        pose=pose,
        people=people_count(people),
        min_confidence=min_confidence,
        context=not no_context,
        words=words,
        language=language,
        speakers=speakers,
        allow_http=allow_http,
    ) as recognizer:
        if render and "pose" not in str(recognizer.mask):
            raise UsageError(f"--render with mask {recognizer.mask}", "the skeleton needs pose: --mask pose, or auto")
        outputs = Outputs(expanded, recognizer.labels, out, form, render, timeline, text, transcript, resume)
        check_streams(expanded, partial=partial, form=outputs.form)
        with Progress(not quiet) as progress, outputs.open() as files:
            run = _Run(recognizer, outputs, files, progress, quiet, reconnect=limit, mic=mic, partial=partial)
            if done := outputs.kept.sources:
                run.note(f"{done} of {len(expanded)} sources are done, and their rows kept.")
            run.run_all(expanded[done:], text, encoding)
            run.print_summary(len(expanded), outputs.out)
    if run.failed:
        raise WorkError(
            f"{len(run.failed)} of {len(expanded)} sources failed: {', '.join(run.failed)}",
            "the rows of the others, and those found before each failure, are kept",
        )


class _Run:
    """Sources one after the other; a bad one among several does not end the run."""

    def __init__(
        self,
        recognizer: Recognizer,
        outputs: Outputs,
        files: RowFiles,
        progress: Progress,
        quiet: bool,
        *,
        reconnect: float | None = None,
        mic: str | None = None,
        partial: float | None = None,
    ) -> None:
        self.recognizer, self.outputs, self.files = recognizer, outputs, files
        self.progress, self.quiet = progress, quiet
        self.reconnect, self.mic, self.partial = reconnect, mic, partial
        self.systemd = Notifier()
        self.failed: list[str] = []
        self.place, self.utterances = "", 0

    def run_all(self, sources: Sequence[str], text: Path | None, encoding: str | None) -> None:
        for number, source in enumerate(sources, 1):
            self.place = f"{number} of {len(sources)}  " if len(sources) > 1 else ""
            try:
                self.run_one(source, text, encoding)
            except OutputError:
                raise
            except EmojeError as error:
                if len(self.outputs.sources) == 1:
                    raise
                self.failed.append(masked(source))
                self.note(f"Error: {error}", always=True)

    def run_one(self, source: str, text: Path | None, encoding: str | None) -> None:
        if self.progress.shown:
            self.progress.source(f"{self.place}{masked(source)[-40:]}", _seconds(source))
        events: list[UtteranceEmotion] = []
        notes = WordNotes(self.note, self.recognizer)
        drawn, in_view, found = True, 0, 0
        try:
            with ExitStack() as stack:
                rows = stack.enter_context(self.files.rows(source))
                words = stack.enter_context(self.outputs.words(source))
                video = stack.enter_context(self.outputs.video(source))
                opened = self.open(source)
                at = partial(self.at, opened, rows)
                stack.callback(self.write_gaps, opened, rows)
                pairs = self.recognizer.follow(opened, text, encoding=encoding, progress=at, partial=self.partial)
                stack.enter_context(closing(pairs))
                for seen, event in pairs:
                    self.write_gaps(opened, rows)
                    with self.progress.aside(sys.stdout):
                        rows.write(event)
                    if not event.final:
                        continue
                    if words:
                        words.write(event)
                    in_view = seen.in_view
                    if seen.listening:
                        continue  # drawn with whom they listen to
                    notes.observe(seen)
                    found += 1
                    if self.outputs.timeline:  # a camera may go on for weeks
                        events.append(event)
                    if video:
                        video.add(event, seen.skeleton_times, seen.people or {1: seen.skeleton}, seen.aspect)
                drawn = video is None or video.frames > 0
        finally:
            # also after Ctrl-C or a broken file: a picture of what was found
            if (picture := self.outputs.picture_path(source)) and events:
                draw_timeline(events, picture, title=Path(masked(source)).name)
        self.utterances += found
        if not found:
            self.note(f"{masked(source)}: no utterance found.")
        if in_view > self.recognizer.people:
            followed = "one is" if self.recognizer.people == 1 else f"{self.recognizer.people} are"
            self.note(f"{masked(source)}: {in_view} people in view, {followed} followed: --people {in_view}, or all.")
        if not drawn:
            self.note(f"{masked(source)}: no picture in it, so no skeleton video.")

    def at(self, source: str | LiveStream, rows: RowWriter | ParquetRows, seconds: float) -> None:
        """The source was read up to here."""
        self.progress.at(seconds)
        self.systemd.alive()
        self.write_gaps(source, rows)

    def open(self, source: str) -> str | LiveStream:
        """A stream that is tried for again when it is lost; anything else as it is."""
        if not is_stream(source):
            return source
        both = [source, f"mic:{self.mic}"] if self.mic and self.mic != "none" else [source]
        return LiveStream(both, reconnect=self.reconnect, http=self.recognizer.allow_http)

    def write_gaps(self, stream: str | LiveStream, rows: RowWriter | ParquetRows) -> None:
        """Tell what was lost of a stream."""
        for gap in stream.gaps() if isinstance(stream, LiveStream) else ():
            self.note(f"{stream}: nothing from {gap.start:.1f} to {gap.end:.1f} s: {gap.why}")
            with self.progress.aside(sys.stdout):
                rows.gap(str(stream), gap.start, gap.end, gap.why)

    def print_summary(self, sources: int, out: Path | None) -> None:
        """The last line, for somebody who watched: how much was found, and where it is."""
        if not self.progress.shown:
            return
        files = "" if sources == 1 else f" of {sources - len(self.failed)} files"
        self.note(f"{self.utterances} utterance{'s' * (self.utterances != 1)}{files}{f' in {out}' if out else ''}.")

    def note(self, words: str, *, always: bool = False) -> None:
        if always or not self.quiet:
            with self.progress.aside(sys.stderr):
                click.echo(words, err=True)


def _seconds(source: str) -> float | None:
    """Length of a source for the time left; None where it cannot be told."""
    from emoje_edge.perception.media import probe
    from emoje_edge.perception.sources import is_live

    if is_live(source):
        return None
    try:
        return probe(source).duration
    except EmojeError:
        return None  # the run itself says what is wrong with it
