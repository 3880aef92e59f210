"""`emoje-edge doctor`: what works on this device, and the command that mends the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from emoje_edge.doctor import BackendState, Diagnosis

_MARKS = {"works": "works  ", "ready": "ready  ", "missing": "missing", "broken": "BROKEN "}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="For reading, or for programs.")  # fmt: skip
def command(form: str) -> None:
    """Check this device: packages, GPU, cameras, and which backends run an engine here.

    Exit code 0 where the default backend (ONNX Runtime) runs one, 1 where it does not.  Uses no network.
    """
    from emoje_edge.doctor import diagnose

    diagnosis = diagnose()
    click.echo(json.dumps(diagnosis.to_dict(), indent=2) if form == "json" else "\n".join(_lines(diagnosis)))
    if not diagnosis.sound:
        raise click.exceptions.Exit(1)


def _lines(d: Diagnosis) -> list[str]:
    tested = "" if d.target["tested"] else " (untested by this project)"
    lines = [f"Target    {d.target['name']}{tested}"]
    s = d.system
    lines += [
        f"System    {s['os']}, Python {s['python']}",
        f"CPU       {s['cpu']}, {s['usable_cores']} of {s['cores']} cores, threads: {s['threads']}",
        f"Memory    {_size(s['memory'])}, swap {_size(s['swap'])}",
        f"Disk      {_size(s['disk_free'])} free for {s['engines']}",
        f"GPU       {_gpu(d.gpu)}",
    ]
    if d.jetson:
        j = d.jetson
        lines.append(f"Jetson    JetPack {j['jetpack']}, Jetson Linux {j['l4t']}, {j['power_mode']}")
    lines += _cameras(d.cameras)
    installed = [f"{name} {version}" for name, version in d.packages.items() if version]
    absent = [name for name, version in d.packages.items() if not version]
    lines += [
        f"Packages  {', '.join(installed)}",
        f"          not installed: {', '.join(absent) or 'none'}",
        "",
        "Backends",
        *(line for state in d.backends for line in _state(state)),
        f"Models    {', '.join(d.models) or 'none'}",
        "Words",
        *_state(d.words),
    ]
    return lines + [f"Note      {advice}" for advice in d.advice]


def _state(state: BackendState) -> list[str]:
    lines = [f"  {state.name:9} {_MARKS[state.state]}  {state.detail}"]
    return [*lines, f"            {state.command}"] if state.command else lines


def _gpu(gpu: dict[str, Any] | None) -> str:
    if gpu is None:
        return "none (no NVIDIA driver, or no device)"
    facts = f"{gpu['architecture']}, {gpu['sm_count']} SMs, {_size(gpu['memory'])}"
    return f"{gpu['name']} ({facts}), driver {gpu['driver'] or 'unknown'}, CUDA up to {gpu['cuda']}"


def _cameras(cameras: list[dict[str, Any]]) -> list[str]:
    if not cameras:
        return ["Cameras   none (/dev/video*)"]
    rows = [f"{c['device']} {c['name']}{'' if c['readable'] else ' (not readable)'}" for c in cameras]
    return [f"{'Cameras' if i == 0 else '':9} {row}" for i, row in enumerate(rows)]


def _size(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e9:.1f} GB"
