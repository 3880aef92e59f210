"""Characters that files bring along and nobody reads."""

from __future__ import annotations

import re

_INVISIBLE = re.compile("[\ufeff\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\u00ad\ud800-\udfff]")


def visible(text: str) -> str:
    """Words without what nobody sees: marks of the order of bytes or the direction of writing, halves of characters."""
    return _INVISIBLE.sub("", text)
