"""The tokeniser of a run: the function that a `Collator` takes, by perception's own code."""

from __future__ import annotations

from pathlib import Path

from emoje_edge.perception.text import Tokeniser
from emoje_edge.shipped import TOKENIZER
from emoje_edge.training.batching import Tokenise


def tokeniser(path: Path | None = None) -> Tokenise:
    """Words -> token ids, as in inference.

    Raises:
        WorkError: the file is missing or damaged.
    """
    return Tokeniser(path or TOKENIZER).encode  # type: ignore[return-value]
