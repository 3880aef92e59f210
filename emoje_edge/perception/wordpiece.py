"""A tokenizer file read without its own library: normalisation, a split into words, WordPiece (Schuster and Nakajima,
2012, as in BERT).

The library would bring a client for a model hub, and 45 MB, onto devices that are to call nobody.  Files are those of
`tokenizers` (its JSON, version 1.0); what ours are made of is read here, and the same ids come out
(tests/perception/test_wordpiece.py).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Step = Callable[[str], str]


class UnknownKindError(ValueError):
    """A part of a tokenizer file that is not read here."""


class WordPiece:
    """Words to pieces by the longest match.

    Args:
        content: the JSON text of the file.

    Raises:
        UnknownKindError: it has a part that is not read here.
        ValueError: no tokenizer file.
    """

    def __init__(self, content: str) -> None:
        raw = json.loads(content)
        try:
            if raw.get("added_tokens") or raw.get("truncation") or raw.get("padding"):
                raise UnknownKindError("added tokens, truncation or padding")
            self._steps = _normaliser(raw["normalizer"])
            self._words = _splitter(raw["pre_tokenizer"])
            self._before, self._after = _template(raw["post_processor"])
            model = raw["model"]
            _require(model["type"] == "WordPiece", f"model {model['type']}")
            self._ids: dict[str, int] = model["vocab"]
            self._unknown, self._inner = model["unk_token"], model["continuing_subword_prefix"]
            self._longest_word = int(model["max_input_chars_per_word"])
            self._ids[self._unknown]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no tokenizer file: {type(error).__name__} {error}") from error
        self._names = {i: token for token, i in self._ids.items()}
        self._longest_piece = max(map(len, self._ids))
        self._encoded = lru_cache(maxsize=8)(self._encode)  # an utterance's ids are asked for more than once

    @property
    def size(self) -> int:
        """How many different ids there are."""
        return len(self._ids)

    def id_of(self, token: str) -> int | None:
        return self._ids.get(token)

    def ids(self, text: str) -> list[int]:
        """Ids of a text, with those that begin and end every text."""
        return list(self._encoded(text))

    def _encode(self, text: str) -> tuple[int, ...]:
        pieces = [self._ids[piece] for word in self._words(self._normal(text)) for piece in self._pieces(word)]
        return (*self._before, *pieces, *self._after)

    def tokens(self, text: str) -> list[str]:
        """The same as pieces."""
        return [self._names[i] for i in self.ids(text)]

    def _normal(self, text: str) -> str:
        for step in self._steps:
            text = step(text)
        return text

    def _pieces(self, word: str) -> list[str]:
        if len(word) > self._longest_word:
            return [self._unknown]
        found: list[str] = []
        start = 0
        while start < len(word):
            prefix = self._inner if start else ""
            for end in range(min(len(word), start + self._longest_piece), start, -1):
                piece = prefix + word[start:end]
                if piece in self._ids:
                    break
            else:
                return [self._unknown]
            found.append(piece)
            start = end
        return found


def _normaliser(raw: dict[str, Any] | None) -> list[Step]:
    if raw is None:
        return []
    kind = raw["type"]
    if kind == "Sequence":
        return [step for part in raw["normalizers"] for step in _normaliser(part)]
    if kind == "Replace":
        pattern, content = _pattern(raw["pattern"]), raw["content"]
        return [lambda text: pattern.sub(lambda _: content, text)]
    if kind in ("NFC", "NFD", "NFKC", "NFKD"):
        return [lambda text: unicodedata.normalize(kind, text)]
    # letter by letter: the library knows no last sigma
    steps: dict[str, Step] = {
        "Lowercase": lambda text: "".join(map(str.lower, text)),
        "StripAccents": lambda text: "".join(c for c in text if unicodedata.category(c)[0] != "M"),
    }
    _require(kind in steps, f"normalizer {kind}")
    return [steps[kind]]


def _splitter(raw: dict[str, Any]) -> Callable[[str], list[str]]:
    plain = raw["type"] == "Split" and raw["behavior"] == "Removed" and raw["invert"]
    _require(plain, f"pre-tokenizer {raw['type']}")
    pattern = _pattern(raw["pattern"])
    return lambda text: [found[0] for found in pattern.finditer(text)]


def _template(raw: dict[str, Any] | None) -> tuple[list[int], list[int]]:
    """Ids before and after every text."""
    if raw is None:
        return [], []
    _require(raw["type"] == "TemplateProcessing", f"post-processor {raw['type']}")
    parts: list[list[int]] = [[]]
    for part in raw["single"]:
        if "Sequence" in part:
            parts.append([])
        else:
            parts[-1] += raw["special_tokens"][part["SpecialToken"]["id"]]["ids"]
    _require(len(parts) == 2, "template")
    return parts[0], parts[1]


def _pattern(raw: dict[str, str]) -> Any:
    import regex  # here: pose alone needs no words

    try:
        return regex.compile(raw["Regex"] if "Regex" in raw else regex.escape(raw["String"]))
    except regex.error as error:
        raise ValueError(f"pattern {raw}: {error}") from error


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise UnknownKindError(what)
