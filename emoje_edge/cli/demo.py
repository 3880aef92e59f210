"""`emoje-edge demo`: the whole way of the data, on a clip that it makes itself."""

from __future__ import annotations

from pathlib import Path

import click

from emoje_edge.errors import WorkError


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("emoje-demo"),
    show_default=True,
    help="Folder to leave everything in.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress line and no explanation.")
@click.pass_context
def command(ctx: click.Context, out: Path, quiet: bool) -> None:
    """Make a ten-second clip, run infer on it, leave pictures to look at.  Takes about fifteen seconds."""
    from emoje_edge.cli.infer import command as infer
    from emoje_edge.demo import make_clip

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"cannot make the folder {out}: {error.strerror}", "give --out another place") from error
    clip, rows, skeleton, timeline = (out / n for n in ("demo.mp4", "demo.jsonl", "skeleton.mp4", "timeline.png"))
    make_clip(clip, out / "demo.srt")
    ctx.invoke(infer, sources=(str(clip),), out=rows, render=skeleton, timeline=timeline, quiet=quiet)
    if quiet:
        return
    click.echo(f"{clip} is a portrait of Grace Hopper in motion, with a voice of vowels and subtitles (demo.srt).")
    click.echo("What the rows find is what the words say; a moved photograph and vowels hold no emotion.\n")
    click.echo(f"  {rows}  one row an utterance: emotion, probabilities, what they rest on, ms")
    click.echo(f"  {skeleton}  all that the tool saw of the person: a skeleton, no face")
    click.echo(f"  {timeline}  emotions over time, and the weight of text, audio and pose\n")
    click.echo("Next, on a video of yours:  emoje-edge infer VIDEO --timeline timeline.png")
