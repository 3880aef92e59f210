"""`emoje-edge evaluate --stress`: what companions that say nothing, or agree, do to the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from emoje_edge.engine.family import is_name
from emoje_edge.errors import UsageError
from emoje_edge.evaluation.companions import VIEWS, read_companions, unseen
from emoje_edge.evaluation.stress import (
    Remembering,
    StressReport,
    base_modality,
    cells,
    choose,
    engines_digest,
    markdown,
    stress,
    with_engines,
)
from emoje_edge.evaluation.stress_conditions import catalogue
from emoje_edge.modality import Mask
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.datasets.ravdess import with_words


def measure(
    *,
    dataset: str,
    root: Path,
    split: str | None,
    mask: str | None,
    model: str | None,
    backend: str,
    form: str,
    no_context: bool,
    ways: str,
    cache: Path | None,
    out: Path | None,
    threads: int | None,
    conditions: str | None,
    companions: Path | None,
    speech: Path | None,
    **_: Any,
) -> None:
    """The command's work; arguments as the options of `evaluate`.

    Raises:
        UsageError: an unknown condition, a set without the modality, one that the shipped model was trained on.
    """
    named = model is not None and is_name(model)
    folder_of_engines = None if model is None or named else Path(model)
    if folder_of_engines and (folder_of_engines / "config.json").is_file():
        raise UsageError(
            f"--stress with the run {model}", f"build its engines first: emoje-edge build --model {model} --out DIR"
        )
    options = Options(cache=cache, ways=int(ways), views=VIEWS, samples=True)
    corpus = _part(open_dataset(dataset, root, options=options), split)
    base = base_modality(corpus, Mask.parse(mask) if mask else None)
    if corpus.name == "ravdess":
        corpus = with_words(corpus)
    folder = companions or (root if root.is_dir() else root.parent).resolve().parent
    found = read_companions(folder, speech=speech, cache=cache)
    with Remembering(
        model=model if named else None,
        engine_dir=folder_of_engines,
        backend=backend,
        threads=threads,
        context=not no_context,
        words="off",
    ) as recognizer:
        chosen, lacking = choose(with_engines(catalogue(base, found), base, recognizer), conditions)
        report = stress(
            recognizer,
            corpus,
            base,
            chosen,
            engines=engines_digest(folder_of_engines, backend, model=model if named else None),
            not_measured=lacking,
            progress=lambda words: click.echo(words, err=True),
        )
    plain = json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "stress.json").write_text(plain + "\n", encoding="utf-8")
        (out / "stress.md").write_text(markdown(report) + "\n", encoding="utf-8")
    if form == "json":
        click.echo(plain)
    else:
        _table(report)


def _part(corpus: Corpus, split: str | None) -> Corpus:
    """The split asked for, else the development part, else what the shipped model was not trained on."""
    if split:
        return corpus.split(split)
    splits = {s.split for s in corpus.samples}
    return unseen(corpus.split("dev") if "dev" in splits else corpus)


def _table(report: StressReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{report.dataset}, {report.base} given; engines {report.engines}")
    head, *rows = cells(report)
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    for r in report.rows:
        if r.follows is not None:
            console.print(f"{r.says}: rank correlation of weight and signal-to-noise ratio {r.follows:+.2f}")
    for name, why in report.not_measured.items():
        console.print(f"not measured: {name} ({why})", style="dim")
