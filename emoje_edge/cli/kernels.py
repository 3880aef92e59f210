"""`emoje-edge kernels`: what the Triton kernels cost on a GPU that need not be here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.extras import install
from emoje_edge.modality import Mask

if TYPE_CHECKING:
    from emoje_kernels.aot import Report

COLUMNS = ("kernel", "arch", "warps", "registers", "spills", "shared", "instructions", "mma", "fp64")


@click.group("kernels")
def command() -> None:
    """Look at the fused Triton kernels: no GPU is needed."""


@command.command()
@click.option("--arch", default="sm_87,sm_90,sm_110", show_default=True, help="Architectures, comma-separated.")
@click.option("--mask", default="all", show_default=True, help="Modalities the kernel is compiled for, e.g. text,pose.")
@click.option("--kernel", "names", default="", help="Kernels, comma-separated; all where left out.")
@click.option("--dtype", default="float16", show_default=True, help="float32, float16, bfloat16 or int8 (forward).")
@click.option("--shape", type=(int, int, int, int, int), default=(24, 48, 30, 8, 32), show_default=True,
              help="Text, audio and pose tokens, heads, head width.")  # fmt: skip
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
def report(arch: str, mask: str, names: str, dtype: str, shape: tuple[int, int, int, int, int], style: str) -> None:
    """Compile the kernels ahead of time and count registers, spills, shared memory and instructions.

    \b
    emoje-edge kernels report --arch sm_87               an Orin
    emoje-edge kernels report --mask pose --format json  for a pose-only engine
    """
    bits = Mask.parse(mask).bits
    reports, failures = _compile(_split(arch), _split(names), bits=bits, dtype=dtype, shape=shape)
    if style == "json":
        click.echo(json.dumps([one.to_dict() for one in reports], indent=2))
    elif reports:
        _print(reports)
    for failure in failures:
        click.echo(failure, err=True)
    if failures:
        raise WorkError(
            f"{len(failures)} of {len(failures) + len(reports)} did not compile",
            "the reasons are above; a newer triton knows more architectures",
        )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _compile(
    archs: list[str], names: list[str], *, bits: int, dtype: str, shape: tuple[int, int, int, int, int]
) -> tuple[list[Report], list[str]]:
    """Every wanted kernel on every architecture: (reports, sentences of those that this triton cannot compile)."""
    try:
        from emoje_kernels import aot, checks
    except ImportError as error:
        raise WorkError(f"torch is not installed ({error})", install("gpu")) from error
    capacities, (heads, head_dim) = shape[:3], shape[3:]
    reports: list[Report] = []
    failures: list[str] = []
    try:
        known = aot.kernels()
    except RuntimeError as error:
        raise WorkError(str(error), install("gpu")) from error
    wanted = names or [name for name in known if not (dtype == "int8" and "backward" in name)]
    try:
        checks.check_heads(heads, head_dim)
        checks.check_capacities(capacities, bits, sum(capacities))
        checks.check_tiles(capacities)
        for arch in archs:
            aot.parse_arch(arch)
        for arch in archs:
            for name in wanted:
                try:
                    reports.append(
                        aot.report(
                            name, arch, mask=bits, dtype=dtype, capacities=capacities, heads=heads, head_dim=head_dim
                        )
                    )
                except RuntimeError as error:
                    failures.append(str(error))
    except ValueError as error:
        raise UsageError(str(error), "see emoje-edge kernels report --help") from error
    return reports, failures


def _print(reports: list[Report]) -> None:
    """A table that fits 80 columns: what is the same in every row is said once, above it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    first = reports[0]
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in ("kernel", "arch") else "right", no_wrap=True)
    for one in reports:
        row = {**one.to_dict(), "fp64": "yes" if one.fp64 else "no"}
        table.add_row(*(str(row[name]) for name in COLUMNS))
    click.echo(f"mask {Mask(first.mask)}, {first.dtype}; compiled by triton {first.triton}; nothing was run")
    Console().print(table)
