"""Whisper's tokens to text: bytes, each written as a printable character (Radford et al., 2019, GPT-2)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path


class WhisperTokens:
    """The vocabulary in a `tokenizer.json`.

    Raises:
        OSError, ValueError: it cannot be read, or is no such file.
    """

    def __init__(self, path: Path) -> None:
        raw = json.loads(path.read_text(encoding="utf-8"))
        try:
            self._ids = dict(raw["model"]["vocab"]) | {token["content"]: token["id"] for token in raw["added_tokens"]}
            self._names = {int(i): token for token, i in self._ids.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no tokenizer file: {type(error).__name__} {error}") from error

    def id_of(self, token: str) -> int | None:
        found = self._ids.get(token)
        return None if found is None else int(found)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ordinary tokens; bytes that are no UTF-8 become U+FFFD."""
        letters = "".join(self._names.get(i, "") for i in ids)
        return bytes(_bytes()[c] for c in letters if c in _bytes()).decode("utf-8", errors="replace")


@lru_cache(maxsize=1)
def _bytes() -> dict[str, int]:
    """Printable character -> byte: Latin-1's own, the others moved up from U+0100 in their order."""
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(0x100 + i): byte for i, byte in enumerate(moved)}
