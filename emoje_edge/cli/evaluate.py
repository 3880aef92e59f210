"""`emoje-edge evaluate`: a model or the installed engines on a labelled corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emoje_edge.engine.temperatures import write_temperatures
from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask

if TYPE_CHECKING:
    from emoje_edge.evaluation.evaluate import Row
    from emoje_edge.training.datasets import Corpus


@click.command()
@click.option("--dataset", "-d", required=True, metavar="D", help="Name of the corpus, e.g. meld, ravdess, manifest.")
@click.option("--root", required=True, type=click.Path(path_type=Path), help="Its folder, or one file of it.")
@click.option(
    "--split",
    type=click.Choice(["train", "dev", "test", "all"]),
    help="Default: test, else dev, where the corpus has official splits; else all.",
)
@click.option("--mask", default=None, metavar="M|all", help="e.g. text,audio.  Default: whatever the corpus brings.")
@click.option("--model", metavar="small|medium|RUN|ENGINE_DIR", help="Default: the installed engines of small.")
@click.option("--backend", default="onnx", show_default=True, help="Of engines: onnx, tensorrt or aot.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Of the result."
)
@click.option("--no-context", is_flag=True, help="Each utterance on its own, without its dialogue.")
@click.option("--ways", type=click.Choice(["4", "6"]), default="6", help="IEMOCAP: how many classes.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder for features computed from raw media.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report.json and confusion.png.")
@click.option("--threads", type=int, default=None, help="CPU threads of the engine.")
@click.option(
    "--fit-temperature", is_flag=True, help="Also write RUN/temperatures.json, which `build` puts into the engines."
)
@click.option("--stress", is_flag=True, help="What noise, still bodies, other people's voices … do to the answers.")
@click.option("--conditions", metavar="A,B…", help="Of --stress; all that there is material for by default.")
@click.option(
    "--companions",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with ravdess/, pose/, video/, meld/ for --stress.  Default: the folder that --root lies in.",
)
@click.option(
    "--speech",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Recordings of people who talk without acting, for --stress.",
)
def command(**given: Any) -> None:
    """Measure a model or the engines on a labelled data set.

    \b
    emoje-edge evaluate --dataset meld --root MELD --split dev --model medium
    emoje-edge evaluate --dataset ravdess --root RAVDESS --mask all --model RUN --format json
    emoje-edge evaluate --stress --dataset meld --root DATA/meld
    """
    needless = [f"--{name}" for name in ("conditions", "companions", "speech") if given[name]]
    if needless and not given["stress"]:
        raise UsageError(f"{', '.join(needless)} without --stress", "add --stress")
    if given["out"] and given["out"].exists() and not given["out"].is_dir():
        raise UsageError(f"{given['out']} is a file", "--out takes a folder")
    if given["fit_temperature"] and not (given["model"] and Path(given["model"], "config.json").is_file()):
        raise UsageError("--fit-temperature without a run", "give the folder that `train` wrote: --model RUN")
    if given["stress"]:
        from emoje_edge.cli.evaluate_stress import measure

        return measure(**given)
    from emoje_edge.evaluation.evaluate import bands, draw_confusion, evaluate, evaluate_all, fit, open_model

    mask = given["mask"]
    every = mask is not None and mask.strip().lower() == "all"
    only = None if mask is None or every else Mask.parse(mask)
    model = open_model(given["model"], backend=given["backend"], threads=given["threads"])
    corpus = _corpus(given, only, bands(model.collator.config))
    context = not given["no_context"]
    rows = (
        list(evaluate_all(model, corpus, context=context))
        if every
        else [evaluate(model, corpus, only, context=context)]
    )
    if given["fit_temperature"]:
        write_temperatures(Path(given["model"]), fit(model, corpus, only, context=context))
    plain = [row.to_dict() for row in rows]
    report = json.dumps(plain if every else plain[0], indent=2)
    if given["out"]:
        best = max((row for row in rows if not row.missing_rate), key=lambda row: len(row.mask))
        draw_confusion(best.scores, given["out"] / "confusion.png")
        (given["out"] / "report.json").write_text(report + "\n", encoding="utf-8")
    if given["form"] == "json":
        click.echo(report)
    else:
        _table(corpus, rows)


def _corpus(given: dict[str, Any], mask: Mask | None, bands: int) -> Corpus:
    from emoje_edge.training.datasets import Options, open_dataset

    options = Options(mask=mask, cache=given["cache"], ways=int(given["ways"]), bands=bands)
    corpus = open_dataset(given["dataset"], given["root"], split="all", options=options)
    splits = {sample.split for sample in corpus.samples}
    chosen = given["split"] or next((name for name in ("test", "dev") if name in splits), "all")
    return corpus.split(chosen)


def _table(corpus: Corpus, rows: list[Row]) -> None:
    from emoje_edge.report.scores import Line, print_scores

    title = f"{corpus.name}: {sum(rows[0].scores.support.values())} labelled utterances"
    print_scores(title, [Line(str(r.mask), r.scores, r.interval, r.deviation, r.missing_rate) for r in rows])
