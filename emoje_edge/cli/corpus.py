"""`emoje-edge corpus`: a folder of recordings, or a list of them, into one table, with nothing lost on the way."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emoje_edge.cli.model_choice import model_option
from emoje_edge.corpus.ledger import Ledger, read_head, read_plan
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.shapes import POSE_RATE

if TYPE_CHECKING:
    from emoje_edge.corpus.labeller import Outcome
    from emoje_edge.corpus.recordings import Recording
    from emoje_edge.corpus.run import Tally

_PATH = click.Path(path_type=Path)


@click.command("corpus")
@click.argument("given", nargs=-1, metavar="FOLDER | status OUT")
@click.option("--list", "listed", type=_PATH, metavar="FILE", help="Recordings, one path a line, instead of FOLDER.")
@click.option("--out", type=_PATH, help="The table: .parquet, .csv or .jsonl; the parts are kept in OUT.parts.")
@click.option("--workers", type=int, help="Processes; else one a core, as far as memory goes.")
@click.option(
    "--engine", default="local", show_default=True, help="local, ray (on this machine) or ray://HOST:PORT (a cluster)."
)
@click.option("--mask", default="auto", show_default=True, help="Modalities to use: text,pose …; auto: all there is.")
@click.option(
    "--text-dir", type=_PATH, help="Subtitles by the recordings' relative paths; else those beside or inside."
)
@click.option("--words", default="auto", show_default=True, help="Recognise words without subtitles: auto, off, MODEL.")
@click.option("--file-timeout", type=float, metavar="S", help="Seconds that one recording may take.")
@click.option("--fresh", is_flag=True, help="Forget what earlier runs found.")
@click.option("--labels", type=_PATH, help="CSV path,label[,start,end]: tell how far the answers agree with it.")
@click.option("--pose-fps", type=float, default=POSE_RATE, show_default=True, help="Pictures a second to look at.")
@model_option
@click.option("--engine-dir", type=_PATH, help="Folder of engines; else those built here, or the shipped ones.")
@click.option("--backend", default="onnx", show_default=True, help="What runs the engines: onnx, tensorrt or aot.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def command(given: tuple[str, ...], **options: Any) -> None:
    """Label a corpus of recordings into one table.

    A second run does what is missing or changed.  A recording that cannot be read becomes a line of
    OUT.parts/errors.jsonl and never ends the run.

    \b
      emoje-edge corpus clips/ --out rows.parquet
      emoje-edge corpus clips/ --out rows.csv --workers 4 --mask text,audio
      emoje-edge corpus status rows.parquet
    """
    if given[:1] == ("status",) and len(given) == 2:
        _status(Path(given[1]))
        return
    if len(given) > 1 or bool(given) == bool(options["listed"]):
        raise UsageError(
            f"{' '.join(given) or 'no folder'}{' and --list' if options['listed'] else ''}",
            "give one FOLDER, or --list FILE, or: status OUT",
        )
    if options["out"] is None:
        raise UsageError("no --out", "emoje-edge corpus FOLDER --out rows.parquet")
    _label(Path(given[0]) if given else None, options)


def _label(folder: Path | None, options: dict[str, Any]) -> None:
    from emoje_edge.corpus.agreement import Labels
    from emoje_edge.corpus.merge import merge, writer_of
    from emoje_edge.corpus.recordings import in_folder, in_list
    from emoje_edge.corpus.run import RunOptions, run
    from emoje_edge.corpus.settings import Settings
    from emoje_edge.corpus.worker_budget import WorkerBudget

    out, limit, engine = options["out"], options["file_timeout"], options["engine"]
    _check(out, limit, engine, options["text_dir"])
    writer_of(out)
    engines = str(options["engine_dir"]) if options["engine_dir"] else None
    settings = Settings(
        options["mask"], engines, options["backend"], options["pose_fps"], options["words"], options["model"]
    )
    recordings = in_folder(folder, options["text_dir"]) if folder else in_list(options["listed"], options["text_dir"])
    with settings.open() as recognizer:  # a wrong mask or a missing engine shows before the work
        labels, budget = recognizer.labels, WorkerBudget.here(recognizer.mask, words=bool(recognizer.words))
    truth = Labels.read(options["labels"], labels) if options["labels"] else None
    run_options = RunOptions(engine, min(budget.workers(options["workers"]), len(recordings)), limit)
    ledger = Ledger(out, settings.describe())
    if options["fresh"]:
        ledger.clear()
    with _Progress(options["quiet"], budget.describe(run_options.workers)) as progress:
        tally = run(recordings, ledger, settings, run_options, progress.update)
    failed = ledger.write_errors(recordings)
    rows = merge(ledger.parts(recordings), out, labels, ledger.description)
    if not options["quiet"]:
        click.echo(f"{out}: {rows} rows of {tally.kept + tally.done} recordings", err=True)
    if truth:
        _tell_agreement(ledger, recordings, truth, out)
    if failed:
        raise WorkError(
            f"{failed} of {len(recordings)} recordings failed: {ledger.folder / 'errors.jsonl'} says why",
            "their rows up to there are kept; a second run tries them again",
        )


def _check(out: Path, limit: float | None, engine: str, text_dir: Path | None) -> None:
    if not out.parent.is_dir():
        raise WorkError(f"cannot write {out}: there is no folder {out.parent}", f"mkdir -p '{out.parent}'")
    if out.is_dir():
        raise UsageError(f"--out {out} is a folder", "give a file name: rows.parquet, rows.csv or rows.jsonl")
    if limit is not None and not limit > 0:
        raise UsageError(f"--file-timeout {limit:g}", "give seconds, more than 0")
    if engine not in ("local", "ray") and not engine.startswith("ray://"):
        raise UsageError(f"--engine {engine}", "allowed: local, ray, ray://HOST:PORT")
    if text_dir is not None and not text_dir.is_dir():
        raise UsageError(f"--text-dir {text_dir} is no folder", "give the folder that holds the subtitles")


def _status(out: Path) -> None:
    """How much of a corpus is done, from its ledger alone."""
    plan = read_plan(out)
    folder = out.with_name(f"{out.name}.parts")
    heads = [read_head(folder / part) for part in plan["recordings"].values() if (folder / part).is_file()]
    failed = [head for head in heads if head.error]
    hours = sum(head.seconds for head in heads) / 3600
    click.echo(
        f"{len(heads) - len(failed)} of {len(plan['recordings'])} recordings done, {len(failed)} failed, "
        f"{len(plan['recordings']) - len(heads)} missing; {hours:.2f} hours of media; "
        f"{out} is {'there' if out.is_file() else 'not merged yet'}"
    )
    for head in failed:
        assert head.error is not None
        click.echo(f"  {head.recording}: {head.error['kind']}: {str(head.error['message']).splitlines()[0]}")


def _tell_agreement(ledger: Ledger, recordings: list[Recording], truth: Any, out: Path) -> None:
    from emoje_edge.corpus.agreement import agree
    from emoje_edge.report.scores import Line, print_scores

    found = agree(ledger.parts(recordings), truth)
    path = out.with_name(f"{out.stem}.agreement.json")
    path.write_text(json.dumps(found.to_dict(), indent=2) + "\n", encoding="utf-8")
    told = f"{found.stretches} labels, {found.unanswered} without an answer: {path}"
    print_scores(told, [Line(str(ledger.description["mask"]), found.scores, found.interval)])


class _Progress:
    """A bar on a terminal; elsewhere one line a minute."""

    EVERY = 60.0  # s

    def __init__(self, quiet: bool, room: str) -> None:
        from emoje_edge.cli.progress_bar import Progress

        self._quiet, self._bar = quiet, Progress(not quiet)
        self._began = self._last = time.monotonic()
        if not quiet:
            click.echo(room, err=True)

    def update(self, tally: Tally, outcome: Outcome | None) -> None:
        """Show how far the run is."""
        if outcome is None:
            self._bar.source("corpus", tally.all)
            if tally.kept and not self._quiet:
                click.echo(f"{tally.kept} of {tally.all} recordings were done before", err=True)
        elif outcome.kind and not self._quiet:
            with self._bar.aside(sys.stderr):
                click.echo(f"{outcome.recording}: {outcome.kind}: {outcome.message.splitlines()[0]}", err=True)
        self._bar.at(tally.kept + tally.done + tally.failed)
        now = time.monotonic()
        if not self._quiet and not self._bar.shown and now - self._last >= self.EVERY:
            self._last = now
            click.echo(describe(tally, now - self._began), err=True)

    def __enter__(self) -> _Progress:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)


def describe(tally: Tally, seconds: float) -> str:
    """`12 of 400 done, 1 failed; 0.35 hours of media, 9.1 times real time; 25 min left`."""
    new = tally.done + tally.failed
    left = tally.all - tally.kept - new
    rest = f"{left * seconds / new / 60:.0f} min left" if new else "time left not known"
    speed = tally.seconds / seconds if seconds else 0.0
    return (
        f"{tally.kept + tally.done} of {tally.all} done, {tally.failed} failed; "
        f"{tally.seconds / 3600:.2f} hours of media, {speed:.1f} times real time; {rest}"
    )
