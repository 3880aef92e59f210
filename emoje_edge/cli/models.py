"""`emoje-edge models list|add|remove`: the Whisper models that words are recognised with."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """List, add and remove models that write down what is said.

    One ships: Whisper tiny.en, English.  Others (larger, or for more languages) are added from a folder that
    CTranslate2's converter wrote; nothing is fetched.
    """


@command.command("list")
def list_models() -> None:
    """Name, size, digest and place of each."""
    from emoje_edge.perception.word_models import models

    for model in models():
        click.echo(f"{model.name:<16} {model.size / 1e6:7.1f} MB  {model.digest[:16]}  {model.folder}")


@command.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="Under which --words finds it [default: the folder's].")
def add(folder: Path, name: str | None) -> None:
    """Copy a model's FOLDER to the others, after a look at whether it opens, and print its digest."""
    from emoje_edge.perception.word_models import add as add_model

    model = add_model(folder, name)
    click.echo(f"{model.name}: SHA-256 of model.bin {model.digest}")
    click.echo(f"emoje-edge infer VIDEO --words {model.name}")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete an added model."""
    from emoje_edge.perception.word_models import remove as remove_model

    click.echo(f"removed {remove_model(name)}")
