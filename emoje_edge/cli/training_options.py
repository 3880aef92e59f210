"""Options that `train` and `distill` share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from emoje_edge.cli.model_choice import folder_of
from emoje_edge.errors import UsageError

if TYPE_CHECKING:
    from emoje_edge.training.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path)


def _settings(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """`name=value` pairs; values as in JSON, else as text."""
    pairs = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise UsageError(f"--set {value!r}", "write name=value, e.g. --set epochs=30")
        try:
            pairs[name.strip()] = json.loads(text)
        except ValueError:
            pairs[name.strip()] = text.strip()
    return pairs


def corpus_options(command: F) -> F:
    """--dataset, --root, --labels, --views, --ways, --cache."""
    for option in (
        click.option("--cache", type=FOLDER, help="Folder for features computed from raw media."),
        click.option("--ways", type=click.Choice(["4", "6"]), default="6", help="IEMOCAP: how many classes."),
        click.option("--views", type=int, default=24, show_default=True, help="Motion capture: cameras a performance."),
        click.option("--labels", type=click.Choice(["native", "emotions"]), help="Own classes, or the seven emotions."),
        click.option("--root", type=FOLDER, help="Folder of the corpus, or one file of it."),
        click.option("--dataset", "-d", metavar="D", help="Name of the corpus, e.g. meld, ravdess, manifest."),
    ):
        command = option(command)
    return command


def run_options(command: F) -> F:
    """--out, --start, --set, --seed, --resume, --device, --quiet."""
    for option in (
        click.option("--quiet", is_flag=True, help="No progress."),
        click.option("--device", help="cpu, cuda or cuda:N.  Default: a GPU where there is one."),
        click.option("--resume", is_flag=True, help="Go on with the run in --out after a stop."),
        click.option("--seed", type=int, help="Of weights, order, masks and dropout."),
        click.option("--set", "settings", multiple=True, callback=_settings, metavar="NAME=VALUE",
                     help="A training setting, e.g. epochs=30; may be repeated."),
        click.option("--start", metavar="small|medium|RUN", help="Begin with this model; default: small."),
        click.option("--out", type=FOLDER, help="Folder of the run."),
    ):  # fmt: skip
        command = option(command)
    return command


def plan_from(config: str | None, given: dict[str, Any], defaults: Any = None) -> Plan:
    """The plan of a configuration file or of options; options win.

    Raises:
        UsageError: both, neither, or something in them that is wrong.
    """
    from dataclasses import replace

    from emoje_edge.training.datasets import Options
    from emoje_edge.training.plan import Plan, read_plan, with_train
    from emoje_edge.training.presets import preset_of
    from emoje_edge.training.train_config import TrainConfig

    if bool(config) == bool(given["dataset"]):
        raise UsageError("train on what?", "give a CONFIG file, or --dataset with --root")
    if config:
        plan = read_plan(Path(config))
    else:
        if given["root"] is None:
            raise UsageError(f"--dataset {given['dataset']} without --root", "give its folder, or one file of it")
        options = Options(cache=given["cache"], ways=int(given["ways"]), views=given["views"])
        preset = preset_of([given["dataset"]])
        plan = Plan(
            ((given["dataset"], given["root"], options),),
            model=dict(preset.model),
            train=defaults or TrainConfig.from_dict(dict(preset.train)),
        )
    changes = dict(given["settings"])
    if given["seed"] is not None:
        changes["seed"] = given["seed"]
    plan = with_train(plan, changes)
    chosen = {name: given[name] for name in ("out", "labels") if given[name] is not None}
    if given["start"]:
        chosen["start"] = folder_of(None if given["start"] == "default" else given["start"])
    return replace(plan, **chosen)
