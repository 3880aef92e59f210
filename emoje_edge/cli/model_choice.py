"""`--model`: one of the family, or, where a model is trained or built from, a run folder too."""

from __future__ import annotations

from pathlib import Path

import click

from emoje_edge.errors import UsageError, nearest

model_option = click.option(
    "--model", metavar="small|medium", help="Whose engines; else small, or those of --engine-dir."
)
trained_option = click.option("--model", "run", metavar="small|medium|RUN", help="What ships, or a run folder [small].")


def folder_of(model: str | Path | None) -> Path:
    """The folder that a model is built from: of the family by its name, or a run; `./small` is a folder of that name.

    Raises:
        UsageError: neither.
    """
    from emoje_edge.shipped import DEFAULT, MODELS

    name = str(model or DEFAULT)
    folders = [folder.name for folder in MODELS.iterdir()] if MODELS.is_dir() else []
    known = sorted(folders, key=lambda found: (found != DEFAULT, found))
    if name in known:
        return MODELS / name
    if not Path(name).exists():
        allowed = f"allowed: {', '.join(known)}, or a folder that `emoje-edge train --out` wrote"
        raise UsageError(f"no model and no run {name!r}", nearest(name, known) + allowed)
    return Path(name)
