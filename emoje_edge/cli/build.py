"""`emoje-edge build`: verified engines for masks and this device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emoje_edge.cli.model_choice import trained_option
from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask
from emoje_edge.shipped import model_folder

if TYPE_CHECKING:
    from emoje_calibration.spec import Spec

    from emoje_edge.cli.model_options import Model
    from emoje_edge.engine.build import Result


@click.command()
@click.option("--mask", "masks", required=True, metavar="MASK|all", help="Such as text,pose; `all` builds every one.")
@click.option("--backend", default="onnx", show_default=True, help="onnx | tensorrt | aot | auto.")
@click.option("--precision", default="auto", show_default=True, help="int8 | fp16 | fp32 | auto.")
@trained_option
@click.option("--spec", type=click.Path(path_type=Path), help="Quantization spec [default: the model's own].")
@click.option("--data", help="Calibration set for parity [default: the one that ships]; see docs/calibration.md.")
@click.option("--samples", type=click.IntRange(1), default=128, show_default=True, help="Utterances of it.")
@click.option("--out", type=click.Path(path_type=Path), help="Engine folder [default: where `infer` looks].")
@click.option("--target", help="Device to build for, where the backend can; default this one.")
@click.option("--dry-run", is_flag=True, help="Say what would be built, and build nothing.")
def command(masks: str, run: str | None, spec: Path | None, data: str | None, samples: int, **given: Any) -> None:
    """Build a verified engine for a mask and this device.

    \b
    emoje-edge build --mask text,pose
    emoje-edge build --mask text --model medium
    emoje-edge build --mask all --backend onnx --precision int8 --out engines
    """
    from emoje_edge.cli.model_options import load_data, load_model
    from emoje_edge.engine.backends import backend
    from emoje_edge.engine.build import Plan, build_engine, find_built, pick_backend
    from emoje_edge.engine.family import engine_home, family
    from emoje_edge.engine.manifest import PRECISIONS
    from emoje_edge.engine.temperatures import read_temperatures

    if given["precision"] not in (*PRECISIONS, "auto"):
        raise UsageError(f"unknown precision {given['precision']!r}", f"allowed: auto | {' | '.join(PRECISIONS)}")
    if given["backend"] != "auto":
        backend(given["backend"])
    parsed = None if masks.strip().lower() == "all" else Mask.parse(masks)
    model = load_model(run)
    if model.run.path.resolve() != model_folder(model.name) and model.name in family() and not given["out"]:
        raise UsageError(f"the run {run} has the name of a model that ships", "rename its folder, or give --out")
    config = model.run.config
    chosen = [parsed] if parsed else [mask for mask in Mask.all() if mask.issubset(config.mask)]
    if parsed and not parsed.issubset(config.mask):
        raise UsageError(f"mask {parsed} for a model of {config.mask}", "build a subset of its modalities")
    plan = Plan(
        network=model.run.network,
        model=model.name,
        data=load_data(data, model, samples),
        spec=_spec(spec, model, given["precision"]),
        backend=pick_backend() if given["backend"] == "auto" else given["backend"],
        precision=given["precision"],
        target=given["target"],
        out=given["out"] or engine_home(),
        temperatures=read_temperatures(model.run.path),
        tokenizer=model.run.tokenizer,
    )
    if given["dry_run"]:
        for mask in chosen:
            folder, found = find_built(plan, mask)
            click.echo(f"{mask}: {'reuse' if found else 'build'} {folder}")
        return
    results = []
    for i, mask in enumerate(chosen):
        click.echo(f"[{i + 1}/{len(chosen)}] {mask} for {plan.backend} …", err=True)
        results.append(build_engine(plan, mask))
    _table(results)
    use = f"--engine-dir {plan.out}" if given["out"] else f"--model {plan.model}"
    click.echo(f"\nIn {plan.out}. Run them: emoje-edge infer SOURCE {use}", err=True)


def _spec(path: Path | None, model: Model, precision: str) -> Spec | None:
    """The spec given, or the one that belongs to the model: RUN/spec.json."""
    from emoje_edge.engine.quantization import read_spec

    own = model.run.path / "spec.json"
    found = path or (own if own.is_file() else None)
    if found is None or precision in ("fp16", "fp32"):
        return None
    return read_spec(found, model.run.network)


def _table(results: list[Result]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("mask", "backend", "precision"):
        table.add_column(name, no_wrap=True)
    for name in ("MB", "agreement %", "max error", "p50 ms", "p95 ms"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for result in results:
        m = result.manifest
        measured = m.parity.samples > 0
        table.add_row(
            str(m.mask),
            m.backend,
            m.precision,
            f"{m.size / 1e6:.2f}",
            f"{m.parity.agreement:.2%}"[:-1] if measured else "not measured",
            f"{m.parity.max_error:.1e}" if measured else "not measured",
            f"{m.latency.p50_ms:.2f}" if m.latency else "not measured",
            f"{m.latency.p95_ms:.2f}" if m.latency else "not measured",
            "reused" if result.reused else m.reason,
        )
    Console(width=200 if not Console().is_terminal else None).print(table)
