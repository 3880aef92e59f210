"""Errors that a user can act on: what was given, what is allowed, what to run next.

The command line prints them without a traceback and exits with `exit_code`.
"""

import difflib
from collections.abc import Iterable

from emoje_edge.addresses import masked_text


class EmojeError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: what was given and what is wrong with it.
        hint: what is allowed, or the command to run next.

    Addresses in either lose their passwords (`emoje_edge.addresses`).
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = masked_text(message), masked_text(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


def nearest(name: str, allowed: Iterable[str], *, cutoff: float = 0.6) -> str:
    """`did you mean 'pose'?  ` where a name looks like an allowed one, else nothing: the beginning of a hint."""
    found = difflib.get_close_matches(name, list(allowed), n=1, cutoff=cutoff)
    return f"did you mean {found[0]!r}?  " if found else ""


class UsageError(EmojeError, ValueError):
    """Wrong use: an unknown mask, a bad option, a shape that does not fit.  Exit code 2."""

    exit_code = 2


class WorkError(EmojeError, RuntimeError):
    """The work failed: an unreadable video, an altered engine, a full disk.  Exit code 1."""
