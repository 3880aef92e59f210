"""`emoje-edge engines list|verify|copy|prune`: what has been built, whether it is whole, where to, and what may go."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from emoje_edge.cli.model_choice import model_option
from emoje_edge.errors import UsageError, WorkError


@click.group()
def command() -> None:
    """List, verify, copy and prune built engines."""


_folder = click.option(
    "--engine-dir", type=click.Path(path_type=Path), help="Engine folder [default: built here, and shipped]."
)


@command.command("list")
@_folder
def list_engines(engine_dir: Path | None) -> None:
    """Mask, backend, precision, size, parity and latency of each engine."""
    from emoje_edge.engine.manifest import read_manifest
    from emoje_edge.engine.store import engines

    for root in _roots(engine_dir):
        click.echo(str(root))
        for folder in engines(root):
            try:
                m = read_manifest(folder)
            except WorkError as error:
                click.echo(f"  {folder.relative_to(root)}  unreadable: {error.message}")
                continue
            speed = f"{m.latency.p50_ms:.2f}/{m.latency.p95_ms:.2f} ms" if m.latency else "not measured"
            click.echo(
                f"  {m.mask!s:<17} {m.backend:<8} {m.precision:<5} {m.size / 1e6:6.2f} MB  "
                f"{m.parity.agreement:7.2%}  {speed:<15} {m.model}  {folder.relative_to(root)}"
            )


@command.command()
@_folder
def verify(engine_dir: Path | None) -> None:
    """Check every file's hash; stop with exit code 1 at the first that was altered, and name it."""
    from emoje_edge.engine.store import engines
    from emoje_edge.engine.store import verify as check

    count = 0
    for root in _roots(engine_dir):
        for folder in engines(root):
            check(folder)
            count += 1
    if not count:
        raise WorkError(f"no engine in {engine_dir or 'any engine folder'}", "emoje-edge build --mask all")
    click.echo(f"{count} engines, every file is what its manifest says")


@command.command()
@_folder
@click.option("--yes", is_flag=True, help="Remove without asking.")
def prune(engine_dir: Path | None, yes: bool) -> None:
    """Remove unfinished builds, and engines that a newer one of the same mask and backend replaces."""
    from emoje_edge.engine.family import engine_home
    from emoje_edge.engine.store import prunable

    root = engine_dir or engine_home()
    found = prunable(root) if root.exists() else []
    for folder, reason in found:
        click.echo(f"{folder}  ({reason})")
    if not found:
        click.echo("nothing to remove")
    elif yes or click.confirm(f"Remove these {len(found)}?"):
        for path, _ in found:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@command.command("copy")
@_folder
@click.option("--mask", "masks", multiple=True, required=True, help="Engine to take; may be given several times.")
@model_option
@click.option("--backend", default="onnx", show_default=True, help="Of the engines.")
@click.argument("out", type=click.Path(path_type=Path))
def copy_engines(engine_dir: Path | None, masks: tuple[str, ...], model: str | None, backend: str, out: Path) -> None:
    """Copy engines to OUT with the weights that they need, and no others."""
    from emoje_edge.engine.manifest import rebuild_command
    from emoje_edge.engine.session import find_engine
    from emoje_edge.engine.weights import copy
    from emoje_edge.modality import Mask

    folders = []
    for mask in map(Mask.parse, masks):
        folder = find_engine(mask, backend, engine_dir, model=model)
        if folder is None:
            raise WorkError(f"no {backend} engine for mask {mask}", rebuild_command(mask, backend, model))
        folders.append(folder)
    copied = copy(folders, out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    click.echo(f"{out}: {len(copied)} engines, {size / 1e6:.2f} MB; use it with --engine-dir {out}")


def _roots(engine_dir: Path | None) -> list[Path]:
    from emoje_edge.engine.family import engine_home
    from emoje_edge.shipped import ENGINES

    if engine_dir is None:
        return [root for root in (engine_home(), ENGINES) if os.access(root, os.R_OK | os.X_OK)]
    if not engine_dir.is_dir():
        raise UsageError(f"no folder {engine_dir}", "give the folder that `emoje-edge build --out` filled")
    return [engine_dir]
