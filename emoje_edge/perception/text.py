"""Words to token ids, by the tokenizer file that ships with the engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import WorkError
from emoje_edge.shapes import TOKENS

# Of a longer utterance its beginning and its end: where people say what they feel, and what the reply answers.
_HEAD, _TAIL = 24, 8
UNKNOWN = "[UNK]"
_LEAST_PIECE = 3  # letters


class Tokeniser:
    """A `tokenizers` file.

    Args:
        path: the tokenizer's JSON file.

    Raises:
        WorkError: the file is missing or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        # imported here: pose-only runs need no tokenizer
        from tokenizers import Tokenizer

        try:
            self._tokenizer: Any = Tokenizer.from_str(Path(path).read_text(encoding="utf-8"))
        except Exception as error:  # the library raises bare Exception for a damaged file
            raise WorkError(f"tokenizer {path} cannot be read: {error}", "reinstall emoje-edge") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def size(self) -> int:
        """How many different ids there are."""
        return int(self._tokenizer.get_vocab_size())

    def known(self, text: str) -> float:
        """Share of the words that are known: one piece each, or pieces of three letters and more on average.

        Foreign or garbled words fall into shorter ones, and what has no piece at all is unknown.  1 without any word.
        """
        tokens = self._tokenizer.encode(text).tokens
        words: list[list[str]] = []
        for token in tokens:
            if token.startswith("##") and words:
                words[-1].append(token[2:])
            elif token[:1].isalpha() or token == UNKNOWN:
                words.append([token])
        known = [w[0] != UNKNOWN and (len(w) == 1 or len("".join(w)) >= _LEAST_PIECE * len(w)) for w in words]
        return sum(known) / len(known) if known else 1.0

    def encode(self, text: str) -> NDArray[np.int64]:
        """Token ids of an utterance.

        Returns:
            int64 [L], L <= 32; the first 24 and the last 8 of a longer text; empty for an empty one.
        """
        if not text.strip():
            return np.zeros(0, dtype=np.int64)
        ids = self._tokenizer.encode(text).ids
        if len(ids) > TOKENS:
            ids = ids[:_HEAD] + ids[-_TAIL:]
        return np.asarray(ids, dtype=np.int64)
