"""`emoje-edge distill`: from one or several teachers to a small student."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from emoje_edge.cli.training_options import FOLDER, corpus_options, plan_from, run_options
from emoje_edge.errors import UsageError


@click.command()
@click.argument("config", required=False)
@click.option("--teacher", "teachers", type=FOLDER, multiple=True, help="A run or text teacher; may be repeated.")
@corpus_options
@run_options
def command(config: str | None, teachers: tuple[Path, ...], **given: Any) -> None:
    """Distil one teacher, or several (one a modality), into a small student.

    \b
    emoje-edge distill --teacher runs/teacher --dataset meld --root MELD --out runs/student
    emoje-edge distill config.toml        with teachers = ["runs/text", "runs/audio"] in it
    """
    from emoje_edge.evaluation.evaluate import open_model
    from emoje_edge.training.distill import DEFAULTS, settings, targets_of
    from emoje_edge.training.plan import prepare
    from emoje_edge.training.trainer import train

    plan = plan_from(config, given, DEFAULTS)
    teachers = teachers or plan.teachers
    if not teachers or plan.out is None:
        raise UsageError("distill what into what?", "give --teacher RUN (once or more) and --out RUN")
    opened = [open_model(path) for path in teachers]
    model, materials = prepare(plan)
    targets = targets_of(opened, materials.train)
    run = train(
        model,
        settings(plan.train, model.mask, targets),
        replace(materials, targets=targets),
        plan.out,
        resume=given["resume"],
        device=given["device"],
        quiet=given["quiet"],
    )
    click.echo(str(run.path))
