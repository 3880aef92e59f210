"""`emoje-edge bench`: the latency table of this device."""

from __future__ import annotations

from pathlib import Path

import click

from emoje_edge.cli.model_choice import model_option
from emoje_edge.engine.family import choose
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask


@click.command("bench")
@click.option("--mask", default="all", show_default=True, help='"all", or one mask such as text,pose.')
@click.option(
    "--backend",
    "backends",
    multiple=True,
    default=("onnx",),
    show_default=True,
    help="onnx, tensorrt or aot; may be repeated.",
)
@click.option(
    "--batch",
    "batches",
    multiple=True,
    type=click.IntRange(1, 1024),
    default=(1,),
    show_default=True,
    help="Utterances a call; may be repeated.",
)
@model_option
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Processor threads of an engine.")
@click.option(
    "--engine-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Engines that `build` made.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A video to time end to end; may be repeated.",
)
@click.option(
    "--report",
    "report_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report: .html, .md or .json.",
)
def command(
    mask: str,
    backends: tuple[str, ...],
    batches: tuple[int, ...],
    threads: int,
    engine_dir: Path | None,
    model: str | None,
    sources: tuple[Path, ...],
    report_path: Path | None,
) -> None:
    """Measure the engines on this device, and whole videos with --source.

    Each engine runs in a process of its own, at batch 1 by default, on seeded inputs in rotation.

    \b
    Examples:
      emoje-edge bench
      emoje-edge bench --model medium
      emoje-edge bench --mask text,pose --batch 1 --batch 64
      emoje-edge bench --source talk.mp4 --report report.html
    """
    from emoje_edge.bench import machine_facts, report, time_engines
    from emoje_edge.bench.card import card_figures

    if report_path and report_path.suffix.lower() not in report.FORMATS:
        raise UsageError(
            f"--report {report_path}: unknown ending {report_path.suffix!r}", f"allowed: {', '.join(report.FORMATS)}"
        )
    masks = Mask.all() if mask == "all" else (Mask.parse(mask),)
    name = choose(model, engine_dir)
    before = machine_facts.noise()
    rows = [
        row
        for n in batches
        for row in time_engines.measure(masks, backends, batch=n, threads=threads, engine_dir=engine_dir, model=name)
    ]
    timed = []
    if sources:
        from emoje_edge.bench.time_sources import measure_source

        timed = [measure_source(path, threads=threads, engine_dir=engine_dir, model=name) for path in sources]
    found = report.Report(machine_facts.describe(), (before, machine_facts.noise()), rows, timed, card_figures(name))
    _show(found)
    if report_path:
        report.write(found, report_path)
        click.echo(f"Report: {report_path}")
    if all(row.status != "ok" for row in rows):
        raise WorkError(
            "no engine could be measured", "the status column says why; `emoje-edge doctor` says what to do"
        )


def _show(found: object) -> None:
    from rich.console import Console
    from rich.table import Table

    from emoje_edge.bench.report import Report

    assert isinstance(found, Report)
    console = Console()
    table = Table(title="Engines on this device", box=None, padding=(0, 1))
    header, rows = found.header(), found.rows()
    # what is the same in every row, or nowhere known, is said once below: the table fits 80 columns
    accuracy = len(header) - 1
    shown = [i for i in range(accuracy) if i == 0 or header[i] == "p50 ms" or len({row[i] for row in rows}) > 1]
    for i in shown:
        table.add_column(header[i], justify="left" if i == 0 else "right", no_wrap=i == 0, overflow="fold")
    for row in rows:
        table.add_row(*(row[i] for i in shown))
    console.print(table)
    same = [f"{title} {rows[0][i]}" for i, title in enumerate(header) if i not in (*shown, accuracy)]
    console.print(f"every row: {', '.join(same)}", highlight=False)
    known = {row[0]: row[accuracy] for row in rows if row[accuracy] != "–"}
    if known:
        console.print("model card: " + "; ".join(f"{mask} {figure}" for mask, figure in known.items()), highlight=False)
    for line in [*found.source_lines(), *found.facts()]:
        console.print(line, highlight=False)
