"""The tokeniser of a run: the function that a `Collator` takes, by perception's own code."""

from __future__ import annotations

from pathlib import Path

from emoje_edge.model.config import ModelConfig, TextEncoder
from emoje_edge.perception.text import Tokeniser
from emoje_edge.shapes import TOKENS
from emoje_edge.shipped import TOKENIZER
from emoje_edge.training.batching import Tokenise


def tokeniser(path: Path | None = None, *, length: int = TOKENS) -> Tokenise:
    """Words -> at most `length` token ids, as in inference.

    Raises:
        WorkError: the file is missing or damaged.
    """
    return Tokeniser(path or TOKENIZER, length=length).encode  # type: ignore[return-value]


def tokeniser_of(config: ModelConfig, path: Path | None = None) -> Tokenise | None:
    """The tokeniser of a model; None for one that reads no words."""
    return tokeniser(path, length=config.text.tokens) if isinstance(config.text, TextEncoder) else None
