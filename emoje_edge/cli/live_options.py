"""What `infer` and `serve` say of live sources."""

from __future__ import annotations

from emoje_edge.errors import UsageError


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
