"""The tokenizer of a run: the function that a `Collator` takes, by perception's own code."""

from __future__ import annotations

from pathlib import Path

from emoje_edge.model.config import ModelConfig, TextEncoder
from emoje_edge.perception.text import Tokenizer
from emoje_edge.shapes import TOKENS
from emoje_edge.shipped import TOKENIZER
from emoje_edge.training.batching import Tokenize


def tokenizer(path: Path | None = None, *, length: int = TOKENS) -> Tokenize:
    """Words -> at most `length` token ids, as in inference.

    Raises:
        WorkError: the file is missing or damaged.
    """
    return Tokenizer(path or TOKENIZER, length=length).encode  # type: ignore[return-value]


def tokenizer_of(config: ModelConfig, path: Path | None = None) -> Tokenize | None:
    """The tokenizer of a model; None for one that reads no words."""
    return tokenizer(path, length=config.text.tokens) if isinstance(config.text, TextEncoder) else None
