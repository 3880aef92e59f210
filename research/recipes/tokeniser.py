"""Train the tokenizer that ships: WordPiece over MELD, EmoryNLP and GoEmotions training text.

    python -m research.recipes.tokeniser DATA OUT.json

Lower-cases, but keeps what carries emotion: "!", "?", "?!" and "..." are tokens of their own.
Id 0 is padding, 1 the unknown.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

VOCABULARY = 8000
PAD, UNKNOWN = "[PAD]", "[UNK]"
# GoEmotions hides people and religions behind these.
PLACEHOLDERS = ["[name]", "[religion]"]
# quotes and dots of cp1252, read as Latin-1 or as UTF-8, to plain ASCII
_PLAIN = {"[’‘´`\u0091\u0092]": "'", "[“”\u0093\u0094]": '"', "[…\u0085]": "...", "[–—\u0096\u0097]": "-"}
_RUNS = {r"\.{2,}": "...", r"!{2,}": "!!", r"\?{2,}": "??", r"[!?]*(!\?|\?!)[!?]*": "?!"}
_WORDS = r"\[name\]|\[religion\]|[\p{L}\p{M}]+(?:'[\p{L}]+)*|\p{N}|\.\.\.|\?!|!!|\?\?|[^\s\p{L}\p{M}\p{N}]"


def build() -> Tokenizer:
    """The untrained tokenizer: normalisation and the split into words."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN, max_input_chars_per_word=40))
    replacements = [normalizers.Replace(Regex(old), new) for old, new in {**_PLAIN, **_RUNS}.items()]
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), *replacements, normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def train(texts: Iterator[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """Train on `texts`.  On a real corpus every run gives the same file; on a few lines, the library breaks ties
    between equally frequent pairs as they come."""
    tokenizer = build()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary, min_frequency=2, special_tokens=special_tokens(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    # the trainer numbers tokens of equal count in hash order: numbered by spelling, every run gives the same file
    special = special_tokens()
    words = special + sorted(set(tokenizer.get_vocab()) - set(special))
    tokenizer.model = models.WordPiece(
        vocab={word: i for i, word in enumerate(words)}, unk_token=UNKNOWN, max_input_chars_per_word=40
    )
    return tokenizer


def special_tokens() -> list[str]:
    """Tokens with fixed ids: padding 0, unknown 1, then the placeholders."""
    return [PAD, UNKNOWN, *PLACEHOLDERS]


def training_texts(root: Path) -> Iterator[str]:
    """The training splits' utterances under a data root, in the order of their files."""
    for path, column in (("meld/train_sent_emo.csv", "Utterance"), ("emorynlp/emorynlp_train_final.csv", "Utterance")):
        text = (root / path).read_bytes().decode("utf-8", errors="replace")
        yield from (row[column] for row in csv.DictReader(io.StringIO(text)))
    for line in (root / "goemotions/train.tsv").read_text(encoding="utf-8").splitlines():
        yield line.split("\t")[0]


def main(root: str, out: str) -> None:
    tokenizer = train(training_texts(Path(root)))
    tokenizer.save(out)
    print(f"{tokenizer.get_vocab_size()} tokens -> {out}")


if __name__ == "__main__":
    main(*sys.argv[1:])
