"""Seeded mutants of whole inputs, and what must hold of each: refused with a clear error, or right.

A wrong success is worse than a traceback: rows out of order or beyond the file's end, probabilities that do not sum to
one, words that stand nowhere in the file.
"""

from __future__ import annotations

import html
import math
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from emoje_edge.errors import EmojeError
from emoje_edge.perception.cues.encoding import decoded

TOKENS = (
    *(b"-->", b"\n", b"\n\n", b'"', b"\0", b"\xff", b"\xef\xbb\xbf", b"NaN", b"-1", b"1e309", b"99:59:59,999"),
    *(b"<v ", b"&gt;", b":", b"[", b"]", b"(", b"}", b"\t", b",", b"WEBVTT", b"Dialogue:", b"null", b"\r", b"{\\k9}"),
    "♪".encode(),
)
SIZES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1")
_TAG = re.compile(r"<[^<>]*>|\{[^}]*\}")  # of ASS: up to the first brace that closes
Wrong = AssertionError


def mutated(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """One to four changes: bits, sizes, cuts, repeated and spliced parts, tokens of the formats."""
    for _ in range(dice.randint(1, 4)):
        data = dice.choice(_CHANGES)(bytearray(data or b"\0"), other or b"\0", dice)
    return bytes(data)


def _flip(data: bytearray, other: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.choice((1, 2, 8, 32))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _size(data: bytearray, other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    data[at : at + 4] = dice.choice(SIZES)
    return bytes(data)


def _cut(data: bytearray, other: bytes, dice: random.Random) -> bytes:
    return bytes(data[: dice.randrange(len(data) + 1)])


def _without(data: bytearray, other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    del data[at : at + dice.randint(1, 1 + len(data) // 4)]
    return bytes(data)


def _again(data: bytearray, other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return bytes(data[:at] + data[max(0, at - dice.randint(1, 1 + len(data) // 3)) :])


def _spliced(data: bytearray, other: bytes, dice: random.Random) -> bytes:
    at, there = dice.randrange(len(data)), dice.randrange(len(other))
    return bytes(data[:at] + other[there : there + dice.randint(1, 400)] + data[at:])


def _token(data: bytearray, other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return bytes(data[:at] + dice.choice(TOKENS) + data[at + dice.randint(0, 3) :])


_CHANGES: tuple[Callable[[bytearray, bytes, random.Random], bytes], ...] = (
    *(_flip, _size, _cut, _without, _again, _spliced, _token, _token),
)


def make(kind: str, seeds: dict[str, list[Path]], folder: Path, dice: random.Random) -> Path:
    """Write one mutant of this kind and return its path."""
    original = dice.choice(seeds[kind])
    if kind == "engine":
        shutil.copytree(original, folder / original.name)
        if (weights := original.parent / "weights").is_dir():
            shutil.copytree(weights, folder / "weights")
        file = dice.choice(
            [p for p in folder.rglob("*") if p.is_file()] + [folder / original.name / "manifest.json"] * 4
        )
        file.write_bytes(mutated(file.read_bytes(), original.name.encode(), dice))
        return folder / original.name
    others = [path for paths in seeds.values() for path in paths if path.is_file()]
    data = mutated(original.read_bytes(), dice.choice(others).read_bytes(), dice)
    # sometimes under another ending, or a name that few expect
    name = original.name if dice.random() < 0.8 else f"{dice.choice(('a b', 'é%s', '-x', 'a:b'))}{original.suffix}"
    path = folder / name
    path.write_bytes(data)
    return path


class Checks:
    """Reads mutants as the product does, with one recogniser for all, and judges what comes of them."""

    def __init__(self) -> None:
        from emoje_edge.recognizer import Recognizer

        self._recognizer = Recognizer("text,audio", words="off")

    def outcome(self, kind: str, path: Path) -> str:
        """`refused`, or `read` where all that came is right.

        Raises:
            AssertionError: a wrong success.
            Exception: anything that a user would see a traceback of.
        """
        try:
            getattr(self, f"_{kind}")(path)
        except EmojeError as error:
            if not error.message.strip():
                raise Wrong("an error without a message") from error
            return "refused"
        return "read"

    def _video(self, path: Path) -> None:
        from emoje_edge.perception.media import decode, probe

        rows = []
        try:
            for row in self._recognizer.stream(path):
                rows.append(row)
        finally:  # those before an error count as well
            end = 0.0
            try:
                end = probe(path).duration or 0.0  # as the file says; a damaged one gives less
                for item in decode(path, fps=2.0):
                    end = max(end, item.time + (len(item.samples) / 16_000 if hasattr(item, "samples") else 1.0))
            except EmojeError:
                pass
            _judge_rows(rows, end)

    _sound = _video

    def _subtitles(self, path: Path) -> None:
        from emoje_edge.perception.cues import read_cues

        cues = read_cues(path)
        text = decoded(path.read_bytes(), path).replace("\ufeff", "")  # which nobody sees, also within a word
        # words of which a tag or an entity is in the middle; one entity may hold another
        text += html.unescape(text) + _plain(text) + _plain(_TAG.sub("", text)) + _TAG.sub("", _plain(text))
        before = 0.0
        for cue in cues:
            assert before <= cue.start < cue.end < math.inf, f"times {cue}"
            assert any(c.isalnum() for c in cue.text or ""), f"nothing said in {cue}"
            assert cue.speaker is None or cue.speaker.strip(), f"an empty name in {cue}"
            for word in re.findall(r"\w+", cue.text or ""):
                assert word in text, f"{word!r} of {cue} stands nowhere in the file"
            before = cue.start

    def _table(self, path: Path) -> None:
        from emoje_edge.training.datasets import csv_manifest
        from emoje_edge.training.datasets.options import Options

        text = decoded(path.read_bytes(), path)
        corpus = csv_manifest.load(path, Options())
        assert len(corpus.samples) < max(2, len(text.splitlines())), "more samples than rows"
        for sample in corpus.samples:
            assert -1 <= sample.label < len(corpus.classes), f"label {sample.label}"
            assert not sample.text or sample.text.replace('"', "") in text.replace('"', ""), f"{sample.text!r}"
            # three commas within one line are a quoted field's own
            swallowed = sample.text and ",,," in sample.text and not _within_a_line(sample.text, text)
            assert not swallowed, f"a row was swallowed: {sample.text!r}"

    def _engine(self, path: Path) -> None:
        import numpy as np

        from emoje_edge.engine.session import open_engine

        session = open_engine("pose", engine_dir=path)
        shapes = [
            (t.name, tuple(1 if isinstance(n, str) else n for n in t.shape), t.dtype) for t in session.manifest.inputs
        ]
        found = session.run({name: np.zeros(shape, dtype) for name, shape, dtype in shapes})
        assert all(np.isfinite(array).all() for array in found.values()), "numbers that are none"


def _judge_rows(rows: list[object], end: float) -> None:
    before = 0.0
    for row in rows:
        start, stop, shares = row.start, row.end, row.probabilities  # type: ignore[attr-defined]
        assert before <= start <= stop < math.inf, f"out of order: {start} to {stop} after {before}"
        assert stop <= end + 1.0, f"a row to {stop:.2f} s of {end:.2f} s"
        if row.emotion is not None:  # type: ignore[attr-defined]
            assert abs(sum(shares.values()) - 1) < 1e-3, f"shares {shares}"
            assert row.emotion in shares, f"{row}"  # type: ignore[attr-defined]
        before = start


def _within_a_line(field: str, text: str) -> bool:
    return any(field.replace('"', "") in line.replace('"', "") for line in re.split(r"[\r\n]", text))


def _plain(text: str) -> str:
    return html.unescape(html.unescape(text.replace("\\u", " ")))
