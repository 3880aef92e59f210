"""`emoje-edge serve`: a page on this machine that shows what is recognised while it happens."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import click

from emoje_edge.addresses import masked
from emoje_edge.allocator import share_one_heap
from emoje_edge.cli.live_options import ALLOW_HTTP, RECONNECT, patience
from emoje_edge.cli.model_choice import model_option
from emoje_edge.cli.people_option import people_count
from emoje_edge.cli.source_arguments import expand
from emoje_edge.errors import UsageError
from emoje_edge.shapes import POSE_RATE
from emoje_edge.systemd import Notifier


@click.command("serve")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--port", type=int, default=0, help="Port on 127.0.0.1; else any that is free.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Keep the token of the address in this file, so that pages come back after a restart (with --port).",
)
@click.option("--mask", default="auto", show_default=True, help="Modalities to use: text,pose …; auto: all there is.")
@click.option("--words", default="auto", show_default=True, help="Recognise words: auto, off, or a model (`models`).")
@click.option("--pose-fps", type=float, default=POSE_RATE, show_default=True, help="Pictures a second to look at.")
@click.option("--people", default="1", show_default=True, metavar="N|all", help="Bodies to follow; rows tell whose.")
@click.option("--reconnect", metavar="S", help=RECONNECT)
@click.option("--allow-http", is_flag=True, help=ALLOW_HTTP)
@click.option(
    "--engine-dir", type=click.Path(path_type=Path), help="Folder of engines; else those built here, or shipped."
)
@model_option
@click.option("--exit-when-over", is_flag=True, help="End when all sources have ended.")
def command(
    sources: tuple[str, ...],
    port: int,
    token_file: Path | None,
    mask: str,
    words: str,
    pose_fps: float,
    people: str,
    reconnect: str | None,
    allow_http: bool,
    engine_dir: Path | None,
    model: str | None,
    exit_when_over: bool,
) -> None:
    """Show emotions, skeletons and words of one or several sources on a page, while they happen.

    The page is on 127.0.0.1 only and needs the token of the address that is printed.  No picture is shown or kept.

    \b
      emoje-edge serve rtsp://camera.local/stream
      emoje-edge serve webcam:0 talk.mp4
    """
    from emoje_edge.recognizer import Recognizer
    from emoje_edge.serve.feed import Feed
    from emoje_edge.serve.hub import LISTENERS, Hub
    from emoje_edge.serve.server import PageServer

    share_one_heap()
    expanded = expand(sources)
    if len(expanded) > LISTENERS:
        raise UsageError(f"{len(expanded)} sources on one page", f"give {LISTENERS} or fewer")
    hub, limit = Hub(round(1000 * time.time())), patience(reconnect)
    with ExitStack() as stack:
        recognizer = stack.enter_context(
            Recognizer(
                mask,
                model=model,
                engine_dir=engine_dir,
                pose_fps=pose_fps,
                people=people_count(people),
                words=words,
                allow_http=allow_http,
            )
        )
        server = stack.enter_context(PageServer(hub, port, token_file=token_file))
        feeds = [stack.enter_context(Feed(recognizer, hub, source, reconnect=limit)) for source in expanded]
        click.echo(f"{', '.join(map(masked, expanded))}: {server.address}  (Ctrl-C ends it)", err=True)
        systemd = Notifier()
        while not (exit_when_over and all(feed.over.is_set() for feed in feeds)):
            if all(feed.alive for feed in feeds):
                systemd.alive()
            time.sleep(0.2)
