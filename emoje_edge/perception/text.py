"""Words to token ids, by the tokenizer file that ships with the engines."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import WorkError
from emoje_edge.extras import install
from emoje_edge.perception.wordpiece import UnknownKindError, WordPiece
from emoje_edge.shapes import TOKENS

UNKNOWN = "[UNK]"
_LEAST_PIECE = 3  # letters
# Dropped first from a longer utterance: they carry grammar, no feeling.  Pronouns and negations are not among them.
_GRAMMAR = (
    "a an the this that these those of to in on at for from by with as into about than then there here and or so if "
    "is are was were be been being am has have had having do does did will would can could should shall may might must "
    'it its which who whom whose where when while just also very really quite some any , ; : - " ( )'
)


class Tokenizer:
    """What turns an utterance into ids.

    Args:
        path: a file of `tokenizers`; one of other parts than ours needs that library.
        length: most ids of an utterance, as the text encoder takes them.
        sha256: of the file that the engine needs, where it tells.

    Raises:
        WorkError: the file is missing, damaged or another.
    """

    def __init__(self, path: str | Path, *, length: int = TOKENS, sha256: str | None = None) -> None:
        try:
            content = Path(path).read_bytes()
            self._pieces = _read(content.decode("utf-8"))
        except Exception as error:  # the library raises bare Exception for a damaged file
            hint = install("train") if isinstance(error, ImportError) else "reinstall emoje-edge"
            raise WorkError(f"tokenizer {path} cannot be read: {error}", hint) from error
        if sha256 not in (None, hashlib.sha256(content).hexdigest()):
            raise WorkError(
                f"the engine reads words with another tokenizer than {path}",
                "build it again from its model: emoje-edge build --mask all --model RUN",
            )
        self._length = length
        self._grammar = {self._pieces.id_of(word) for word in _GRAMMAR.split()} - {None}

    @property
    def size(self) -> int:
        """How many different ids there are."""
        return self._pieces.size

    def known(self, text: str) -> float:
        """Share of the words that are known: one piece each, or pieces of three letters and more on average.

        Foreign or garbled words fall into shorter ones, and what has no piece at all is unknown.  1 without any word.
        """
        tokens = self._pieces.tokens(text)
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
            int64 [L], L <= `length`, empty for an empty text.  A longer one loses words that are mere grammar, the
            last ones first, and if that is not enough, the middle of what is left.
        """
        if not text.strip():
            return np.zeros(0, dtype=np.int64)
        ids = self._pieces.ids(text)
        if len(ids) > self._length:
            ids = self._shortened(ids)
        return np.asarray(ids, dtype=np.int64)

    def _shortened(self, ids: list[int]) -> list[int]:
        excess = len(ids) - self._length
        idle = [i for i, token in enumerate(ids) if token in self._grammar]
        dropped = set(idle[-excess:])
        kept = [token for i, token in enumerate(ids) if i not in dropped]
        half = self._length // 2
        return kept if len(kept) <= self._length else kept[:half] + kept[-half:]


class _Library:
    """Any other tokenizer, by the library, which comes with what trains one."""

    def __init__(self, content: str) -> None:
        import tokenizers

        self._tokenizer = tokenizers.Tokenizer.from_str(content)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def size(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    def id_of(self, token: str) -> int | None:
        found: int | None = self._tokenizer.token_to_id(token)
        return found

    def ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text).ids)

    def tokens(self, text: str) -> list[str]:
        return list(self._tokenizer.encode(text).tokens)


def _read(content: str) -> WordPiece | _Library:
    try:
        return WordPiece(content)
    except UnknownKindError:
        return _Library(content)
