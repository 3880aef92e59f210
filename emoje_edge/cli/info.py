"""`emoje-edge info`: versions, engines, masks, and where the fused kernels run."""

from __future__ import annotations

import platform
from importlib import metadata, util
from pathlib import Path

import click

from emoje_edge.cli.model_choice import model_option
from emoje_edge.engine.family import built_here, choose, family
from emoje_edge.errors import EmojeError
from emoje_edge.extras import install
from emoje_edge.modality import Mask
from emoje_edge.version import __version__

# the distributions that a question about a failure needs; the last four come with extras
_LIBRARIES = (
    "numpy",
    "av",
    "onnxruntime",
    "regex",
    "pysubs2",
    "torch",
    "triton",
    "transformers",
    "onnx",
)


@click.command("info")
@click.option(
    "--engine-dir",
    type=click.Path(path_type=Path),
    help="Folder of engines; else those built here, or the shipped ones.",
)
@model_option
def command(engine_dir: Path | None, model: str | None) -> None:
    """Show versions, engines, masks, and where the kernels run.

    Every engine's files are hashed and compared with its manifest.  Exit code 1 where one is damaged.
    """
    click.echo(f"emoje-edge {__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}")
    for library in _LIBRARIES:
        click.echo(f"  {library:13} {_version(library)}")
    wanted = choose(model, engine_dir)
    names: tuple[str | None, ...] = (wanted,) if model or engine_dir else (*family(), *built_here())
    sound: list[bool] = []
    for name in dict.fromkeys(names):
        click.echo(f"\nEngines of {name or engine_dir} (ONNX Runtime on the CPU)")
        click.echo(f"  {'mask':17} {'precision':9} {'size':>8}   {'run p50':>9}  {'hash':9} folder")
        sound += [_show_engine(mask, engine_dir, name) for mask in Mask.all()]
    click.echo(f"\nKernels: {_kernels()}")
    if not all(sound):
        raise SystemExit(1)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _show_engine(mask: Mask, engine_dir: Path | None, model: str | None) -> bool:
    """One line; False where the engine is there and damaged."""
    from emoje_edge.engine.manifest import read_files, read_manifest, rebuild_command
    from emoje_edge.engine.session import find_engine

    try:
        folder = find_engine(mask, "onnx", engine_dir, model=model)
        if folder is None:
            click.echo(f"  {mask!s:17} none: {rebuild_command(mask, None, model)}")
            return True
        manifest = read_manifest(folder)
        read_files(folder, manifest)
    except EmojeError as error:
        click.echo(f"  {mask!s:17} DAMAGED: {error.message}; {error.hint}")
        return False
    p50 = f"{manifest.latency.p50_ms:.2f} ms" if manifest.latency else "unknown"
    size = f"{manifest.size / 1e6:.1f} MB"
    click.echo(f"  {mask!s:17} {manifest.precision:9} {size:>8}   {p50:>9}  {'verified':9} {folder}")
    return True


def _kernels() -> str:
    """Where the fused Triton operators run on this machine."""
    if util.find_spec("torch") is None:
        return f"not used: without torch, the engine's graph does their work ({install('gpu')})"
    import torch

    if not torch.cuda.is_available():
        return "torch finds no GPU: the reference in plain torch stands in for training; engines do not need them"
    if util.find_spec("triton") is None:
        return f"a GPU, but no Triton: {install('gpu')}"
    major, minor = torch.cuda.get_device_capability()
    return f"fused, on {torch.cuda.get_device_name()} (sm_{major}{minor})"
