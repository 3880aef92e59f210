"""A tokenizer for text branches that start from a sentence encoder: its word pieces that people use, and emoji.

    python -m research.recipes.minilm_tokenizer DATA ENCODER OUT.json

ENCODER is the folder of all-MiniLM-L6-v2 (Apache-2.0), whose 30,522 pieces are cut to those that the training texts
of MELD, EmoryNLP and GoEmotions use or that any English does.  Added are what carries emotion and what it has no piece
for: "?!", "!!" and "..." as one, emoticons, emoji, words like "ugh".  `recipes.pretrained` gives each its vector.
Id 0 is padding, 1 the unknown.
"""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

PAD, UNKNOWN, FIRST, LAST = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
# GoEmotions hides people and religions behind these.
PLACEHOLDERS = ["[name]", "[religion]"]
MARKS = ["...", "?!", "!!", "??", ":)", ":(", ";)"]
USED = 4  # times in the training texts: a piece seen less often keeps no place of its own
COMMON = 4000  # of the encoder's own words, most frequent first
WHOLE = 12  # times: a word of several pieces becomes one token
# quotes and dots of cp1252, read as Latin-1 or as UTF-8, to plain ASCII; what only varies an emoji, to nothing
_PLAIN = {"[’‘´`\u0091\u0092]": "'", "[“”\u0093\u0094]": '"', "[…\u0085]": "...", "[–—\u0096\u0097]": "-"}
_PLAIN |= {"[\ufe0f\u200d\u2640\u2642\U0001f3fb-\U0001f3ff]": "", "♥": "❤", ":-\\)": ":)", ":-\\(": ":(", ";-\\)": ";)"}
_RUNS = {r"\.{2,}": "...", r"!{2,}": "!!", r"\?{2,}": "??", r"[!?]*(!\?|\?!)[!?]*": "?!"}
_LONG = {f"{letter}{{3,}}": 2 * letter for letter in "abcdefghijklmnopqrstuvwxyz"}  # soooo
_WORDS = r"\[name\]|\[religion\]|[:;][()]|[\p{L}\p{M}\p{N}]+|\.\.\.|\?!|!!|\?\?|[^\s\p{L}\p{M}\p{N}]"
_EMOJI = ((0x1F600, 0x1F64F), (0x1F910, 0x1F92F), (0x1F970, 0x1F97A), (0x1F493, 0x1F49F), (0x1F440, 0x1F450))
_MORE_EMOJI = "❤☹☺✌✨⭐🎂🎉🎊🎁🎶🏆💀💩💪💯🔥🤎🤍🖤🧡👻👿😈💦💋🥺🥵🥶🥱🤷🤦🙋🙅🙆🌹🍀☀⚡❌✅❓❗"


def build(vocabulary: Iterable[str] = (PAD, UNKNOWN, FIRST, LAST)) -> Tokenizer:
    """Normalisation, the split into words, and a vocabulary in the order of its ids."""
    ids = {token: i for i, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(vocab=ids, unk_token=UNKNOWN, max_input_chars_per_word=40))
    lower = [normalizers.NFKC(), *_replaced(_PLAIN), *_replaced(_RUNS), normalizers.Lowercase()]
    accents = [normalizers.NFD(), normalizers.StripAccents(), normalizers.NFC()]
    tokenizer.normalizer = normalizers.Sequence([*lower, *accents, *_replaced(_LONG)])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{FIRST} $A {LAST}", special_tokens=[(token, ids[token]) for token in (FIRST, LAST)]
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _replaced(table: dict[str, str]) -> list[normalizers.Normalizer]:
    return [normalizers.Replace(Regex(old), new) for old, new in table.items()]


def special_tokens() -> list[str]:
    """Tokens with fixed ids: padding 0, unknown 1, beginning, end, then the placeholders."""
    return [PAD, UNKNOWN, FIRST, LAST, *PLACEHOLDERS]


def emoji() -> list[str]:
    """Faces, hearts, hands and a few more, by code point."""
    ranges = (chr(code) for first, last in _EMOJI for code in range(first, last + 1))
    return sorted({c for c in (*ranges, *_MORE_EMOJI) if unicodedata.name(c, "")})


def make(texts: Iterable[str], pieces: dict[str, int]) -> Tokenizer:
    """The tokenizer of `texts` from an encoder's word pieces (piece -> id, whole words in order of frequency)."""
    used = _words(texts)
    whole_first = build([*special_tokens(), *(p for p in pieces if p not in special_tokens())])
    counts: Counter[str] = Counter()
    whole: set[str] = set()
    for word, times in used.items():
        tokens = whole_first.encode(word, add_special_tokens=False).tokens
        counts.update({token: times * tokens.count(token) for token in set(tokens)})
        if len(tokens) > 1 and times >= WHOLE and word.isalpha():
            whole.add(word)
    words = sorted((p for p in pieces if p.isascii() and p.isalpha() and len(p) > 1), key=pieces.__getitem__)
    letters = {p for p in pieces if len(p.removeprefix("##")) == 1 and p.isascii()}
    kept = {p for p in pieces if counts[p] >= USED and not p.startswith("[")} | set(words[:COMMON]) | letters | whole
    return build([*special_tokens(), *MARKS, *emoji(), *sorted(kept - {*MARKS, *emoji()})])


def _words(texts: Iterable[str]) -> Counter[str]:
    plain = build()
    split = (plain.pre_tokenizer.pre_tokenize_str(plain.normalizer.normalize_str(text)) for text in texts)
    return Counter(word for words in split for word, _ in words)


def training_texts(root: Path) -> Iterator[str]:
    """The training splits' utterances under a data root, in the order of their files."""
    for path, column in (("meld/train_sent_emo.csv", "Utterance"), ("emorynlp/emorynlp_train_final.csv", "Utterance")):
        text = (root / path).read_bytes().decode("utf-8", errors="replace")
        yield from (row[column] for row in csv.DictReader(io.StringIO(text)))
    for line in (root / "goemotions/train.tsv").read_text(encoding="utf-8").splitlines():
        yield line.split("\t")[0]


def pieces(encoder: Path) -> dict[str, int]:
    """An encoder's word pieces, with their ids."""
    return {piece: i for i, piece in enumerate((encoder / "vocab.txt").read_text(encoding="utf-8").splitlines())}


def main(root: str, encoder: str, out: str) -> None:
    tokenizer = make(training_texts(Path(root)), pieces(Path(encoder)))
    tokenizer.save(out)
    print(f"{tokenizer.get_vocab_size()} tokens -> {out}")


if __name__ == "__main__":
    main(*sys.argv[1:])
