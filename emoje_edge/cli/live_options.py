"""What `infer` and `serve` say of live sources."""

from __future__ import annotations

from collections.abc import Sequence

from emoje_edge.addresses import masked
from emoje_edge.errors import UsageError
from emoje_edge.perception.live.stream import is_stream

ALLOW_HTTP = "Read http(s):// playlists and motion JPEG; contacts the host named, and no other."
RECONNECT = "Seconds to try for a lost stream (60s); 0: not at all; else for ever."
PARTIAL = "Every S seconds a row of the utterance that is still open, marked final: false."


def check_streams(sources: Sequence[str], *, partial: float | None, form: str | None) -> None:
    """Refuse several live sources in one run, and rows of open utterances where no format has a place for them.

    Raises:
        UsageError: such a wish.
    """
    stream = next((source for source in sources if is_stream(source)), None)
    if len(sources) > 1 and stream:
        raise UsageError(
            f"{masked(stream)} among {len(sources)} sources: it has no end, so the next would never come",
            "give one live source, or: emoje-edge serve, which reads several at once",
        )
    if partial is None:
        return
    if not 0.2 <= partial <= 60.0:
        raise UsageError(f"--partial {partial:g}", "give 0.2 to 60 seconds")
    if not stream and sources[0] != "-":
        raise UsageError(f"--partial {partial:g} for a file", "its rows come as fast as it is read; leave it out")
    if form != "jsonl":
        raise UsageError(f"--partial with rows as {form}", "only JSON lines tell them apart: --format jsonl")


def patience(given: str | None) -> float | None:
    """Seconds of `--reconnect`: None for ever.

    Raises:
        UsageError: no number of seconds.
    """
    if given is None or given == "forever":
        return None
    try:
        seconds = float(given.removesuffix("s"))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"--reconnect {given}", "give seconds, as 60s; 0 for not at all; or forever")
    return seconds
