"""`emoje-edge train`: a model, or a text teacher, from corpora to a run folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import emoje_edge
from emoje_edge.cli.training_options import FOLDER, corpus_options, plan_from, run_options
from emoje_edge.errors import UsageError

if TYPE_CHECKING:
    from emoje_edge.training.plan import Plan


@click.command()
@click.argument("config", required=False, metavar="[CONFIG|default]")
@corpus_options
@run_options
@click.option("--encoder", metavar="NAME|FOLDER", help="Fine-tune this transformers encoder as a text teacher.")
@click.option("--audio-encoder", type=FOLDER, help="Hear by the first layers of this Whisper folder, frozen.")
@click.option("--layers", type=click.IntRange(1), default=2, show_default=True, help="How many of its layers.")
@click.option("--model", type=click.Choice(["small", "medium"]), help="Of `train default`: one size, else both.")
@click.option("--free", is_flag=True, help="Of `train default`: words alone, from corpora that are free for any use.")
@click.option("--context", "window", type=int, default=3, show_default=True, help="Teacher: utterances before.")
def command(
    config: str | None,
    encoder: str | None,
    audio_encoder: Path | None,
    layers: int,
    model: str | None,
    free: bool,
    window: int,
    **given: Any,
) -> None:
    """Train a model.

    \b
    emoje-edge train config.toml
    emoje-edge train --dataset meld --root MELD --out runs/meld --set epochs=30
    emoje-edge train --dataset manifest --root mine.csv --start default --out runs/mine
    emoje-edge train --dataset meld --root MELD --encoder roberta-base --out runs/teacher
    emoje-edge train --dataset ravdess --root RAVDESS --audio-encoder WHISPER --layers 2 --out runs/ears
    emoje-edge train default --root DATA --encoder MINILM --out runs/default      the models that ship
    torchrun --nproc-per-node 4 -m emoje_edge train config.toml  several GPUs
    """
    if config == "default":
        _default(encoder, model, free, given)
        return
    if model or free:
        flag = f"--model {model}" if model else "--free"
        raise UsageError(f"{flag} without `train default`", "--start begins with a model that ships")
    plan = replace(plan_from(config, given), audio_encoder=audio_encoder, layers=layers)
    if plan.out is None:
        raise UsageError("no --out", "name the folder of this run")
    if encoder:
        _teacher(plan, encoder, window, given)
        return
    from emoje_edge.training.plan import prepare
    from emoje_edge.training.trainer import train

    shape, materials = prepare(plan)
    run = train(
        shape,
        plan.train,
        materials,
        plan.out,
        resume=given["resume"],
        device=given["device"],
        quiet=given["quiet"],
    )
    click.echo(str(run.path))


def _default(encoder: str | None, model: str | None, free: bool, given: dict[str, Any]) -> None:
    """Run the recipe of the models that ship: a program of the checkout, beside the package and not part of it."""
    if given["root"] is None or given["out"] is None:
        raise UsageError("train default without --root or --out", "give the folder of all corpora, and one for the run")
    checkout = Path(emoje_edge.__file__).parents[1]
    if not (checkout / "research" / "recipes" / "default.py").is_file():
        raise UsageError(
            "train default needs the recipes, and the installed package is without them",
            "clone the repository, `pip install -e '.[train]'` there, and run this again",
        )
    flags = [f"--{name}" for name in ("resume", "quiet") if given[name]] + ["--free"] * free
    folders = ["--root", str(given["root"]), "--out", str(given["out"])]
    folders += ["--encoder", encoder] if encoder else []
    folders += ["--model", model] if model else []
    path = os.pathsep.join(filter(None, (str(checkout), os.environ.get("PYTHONPATH"))))
    recipe = [sys.executable, "-m", "research.recipes.default"]
    done = subprocess.run([*recipe, *folders, *flags], env={**os.environ, "PYTHONPATH": path}, check=False)
    if done.returncode:
        raise click.exceptions.Exit(done.returncode)


def _teacher(plan: Plan, encoder: str, window: int, given: dict[str, Any]) -> None:
    from emoje_edge.training.plan import prepare
    from emoje_edge.training.text_teacher import TeacherConfig, train_teacher

    _, materials = prepare(plan)
    defaults = TeacherConfig(encoder)
    settings = given["settings"]
    config = TeacherConfig(
        encoder,
        context=window,
        epochs=plan.train.epochs if "epochs" in settings else defaults.epochs,
        learning_rate=plan.train.learning_rate if "learning_rate" in settings else defaults.learning_rate,
        imbalance=plan.train.imbalance,
        focal_gamma=plan.train.focal_gamma,
        seed=plan.train.seed,
    )
    assert plan.out is not None
    for row in train_teacher(config, materials.train, materials.dev, plan.out, device=given["device"]):
        click.echo("  ".join(f"{name} {value:.4g}" for name, value in row.items()), err=True)
    click.echo(str(plan.out))
