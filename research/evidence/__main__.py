"""`python -m research.evidence STUDY --root DATA --out docs/evidence`: run a study, write its tables."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from emoje_edge.errors import EmojeError
from research.evidence.feature_sets import ENCODER, SETS

ROOT = click.option("--root", type=click.Path(path_type=Path), required=True, help="Folder of the data sets.")
OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the documents.")
CACHE = click.option("--cache", type=click.Path(path_type=Path), default=Path("runs/evidence"), show_default=True)
AGAINST = {"missing": "neither", "ways": "equal", "losses": "cross-entropy"}
USES = {
    "joint embedding and mask sampling": "Asked of the trained embedding:",
    "mask sampling alone": "As a control, asked of an embedding that was not trained:",
}
PAGES = {"fusion": "fusion", "ways": "fusion", "missing": "missing", "losses": "losses"}
FIGURE = {"uar": "unweighted recall", "accuracy": "accuracy", "weighted_f1": "weighted F1"}


@click.group(help=__doc__)
def main() -> None:
    """The command group."""


def _study(name: str, root: Path, out: Path, cache: Path, *, seeds: int, sets: tuple[str, ...], encoder: str) -> None:
    from research.evidence import tables
    from research.evidence.feature_sets import load_set
    from research.evidence.studies import NOISES, outcomes
    from research.evidence.token_sets import TOKEN_SETS, load_token_set

    load = load_set if name == "losses" else load_token_set
    for set_name in sets or tuple(SETS if name == "losses" else TOKEN_SETS):
        data = load(set_name, root, cache, encoder)
        found = outcomes(data, name, seeds=seeds, cache=cache / "runs")
        for variant, results in found.items():
            click.echo(f"{set_name}: {variant}: {tables.spread([o.masks[tables.full_mask(o)] for o in results])}")
        if name == "fusion":
            parts = [tables.markdown(tables.varying_rows(found, NOISES))]
        else:
            parts = [tables.markdown(tables.study_rows(list(found.items()), against=AGAINST[name]))]
        if name == "missing":
            for variant, text in USES.items():
                parts += [text, tables.markdown(tables.use_rows(found[variant]))]
        seconds = sum(o.seconds for results in found.values() for o in results)
        note = (
            f"{FIGURE[data.metric].capitalize()}, mean ± deviation over {seeds} runs; run s holds out fold s modulo "
            f"five. Written {datetime.date.today()}, {seconds:.0f} s of training and scoring."
        )
        block = set_name if PAGES[name] == name else f"{set_name} {name}"
        tables.replace_block(out / f"{PAGES[name]}.md", block, "\n\n".join([note, *parts]))


def _command(name: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @ROOT
    @OUT
    @CACHE
    @click.option("--seeds", type=click.IntRange(1, 20), default=3, show_default=True)
    @click.option("--set", "sets", multiple=True, help="All sets if left out; a wrong name is answered with them.")
    @click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True)
    @click.option("--encoder", default=ENCODER, show_default=True, help="Of sentences, for mosi-words.")
    def run(
        root: Path, out: Path, cache: Path, *, seeds: int, sets: tuple[str, ...], threads: int, encoder: str
    ) -> None:
        import torch

        torch.set_num_threads(threads)
        _study(name, root, out, cache, seeds=seeds, sets=sets, encoder=encoder)

    return run


main.add_command(_command("fusion", "Query-adaptive against equal weights where quality varies."))
main.add_command(_command("ways", "Other fusions, and a gate that is not told of the noise."))
main.add_command(
    _command("missing", "Joint embedding and mask sampling on and off; the joint embedding asked at inference.")
)
main.add_command(_command("losses", "The losses, one by one."))


@main.command()
@ROOT
@OUT
@CACHE
@click.option("--seeds", type=click.IntRange(1, 20), default=15, show_default=True)
@click.option("--encoder", default=ENCODER, show_default=True, help="Of sentences.")
def leak(root: Path, out: Path, cache: Path, seeds: int, encoder: str) -> None:
    """MOSI: noise in training against vectors that know the training labels by heart."""
    import torch

    from research.evidence import leak as evidence
    from research.evidence.tables import markdown, replace_block

    torch.set_num_threads(1)
    rows = evidence.table(evidence.simulated(root, cache, encoder), seeds, cache / "runs")
    replace_block(out / "missing.md", "leak", f"Written {datetime.date.today()}.\n\n{markdown(rows)}")


@main.command()
@ROOT
@OUT
@CACHE
def pose(root: Path, out: Path, cache: Path) -> None:
    """Training views of motion capture against filmed landmarks."""
    from research.evidence import pose as evidence
    from research.evidence.tables import markdown, replace_block

    real, made = evidence.filmed(root, cache), evidence.trained(root)
    evidence.picture(real, made, out / "pose.png")
    note = f"{sum(map(len, real))} filmed frames in {len(real)} windows, {len(made)} training views."
    replace_block(out / "pose.md", "landmarks", f"{note}\n\n{markdown(evidence.table(real, made))}")


@main.command()
@ROOT
@OUT
@click.option("--seeds", type=click.IntRange(1, 20), default=3, show_default=True)
def body(root: Path, out: Path, seeds: int) -> None:
    """Styles of motion capture by content, and emotions from joint angles by recording."""
    from research.evidence import body as evidence
    from research.evidence.tables import markdown, replace_block

    for name, rows in (("bandai", evidence.bandai(root, seeds)), ("kinect", evidence.kinect(root, seeds))):
        replace_block(out / "pose.md", name, f"Written {datetime.date.today()}.\n\n{markdown(rows)}")


if __name__ == "__main__":
    try:
        main()
    except EmojeError as error:
        raise SystemExit(f"error: {error}") from None
