"""`emoje-edge calibrate`: the quantization spec of a trained model."""

from __future__ import annotations

from pathlib import Path

import click

from emoje_edge.cli.model_choice import trained_option
from emoje_edge.errors import WorkError
from emoje_edge.files import atomic
from emoje_edge.modality import Mask


@click.command()
@trained_option
@click.option("--data", help="Calibration set [default: the one that ships]; see docs/calibration.md.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="SPEC", help="File to write.")
@click.option("--mask", "masks", default="all", show_default=True, metavar="MASK|all", help="Masks to calibrate.")
@click.option("--method", default="auto", show_default=True, help="auto | max | percentile-P | mse | entropy.")
@click.option("--budget", type=float, default=0.99, show_default=True, help="Smallest agreement of labels with fp32.")
@click.option("--weights-only", is_flag=True, help="Encoders' inputs stay in floating point.")
@click.option("--samples", type=click.IntRange(8), default=128, show_default=True, help="Utterances to use.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    run: str | None,
    data: str | None,
    out: Path,
    masks: str,
    method: str,
    budget: float,
    weights_only: bool,
    samples: int,
    quiet: bool,
) -> None:
    """Calibrate a trained model for INT8.

    \b
    emoje-edge calibrate --model runs/mine --data recordings/ --out runs/mine/spec.json
    emoje-edge calibrate --data meld:MELD --out spec.json
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from emoje_edge.cli.model_options import load_data, load_model

    chosen = None if masks.strip().lower() == "all" else [Mask.parse(masks)]
    model = load_model(run)
    from emoje_calibration.calibrate import steps

    from emoje_edge.engine.quantization import calibrate

    calibration = load_data(data, model, samples)
    count = len(chosen) if chosen else sum(mask.issubset(model.run.config.mask) for mask in Mask.all())
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("calibrating", total=steps(count))
        spec = calibrate(
            model.run.network,
            calibration,
            model=model.name,
            masks=chosen,
            method=method,
            budget=budget,
            weights_only=weights_only,
            progress=lambda step: bar.update(task, advance=1, description=step),
        )
    _write(out, spec.to_json())
    for mask, found in spec.masks.items():
        kept = f", {len(found.excluded)} layers left in fp32: {', '.join(found.excluded)}" if found.excluded else ""
        click.echo(f"{mask}: {len(found.inputs)} layers in INT8, labels agree with fp32 {found.agreement:.1%}{kept}")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorkError(f"cannot write {path}: {error.strerror}", "check the disk and its rights, or --out") from error
