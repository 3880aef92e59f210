"""A small corpus of spoken lines: a second of tone each, with its words beside it."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.corpus.ledger import Ledger
from emoje_edge.corpus.settings import Settings

LINES = (
    "I hate you! Get out of my house!",
    "That is wonderful news, I am so happy for you!",
    "I miss her so much. I cannot stop crying.",
    "Oh my god, what was that? I am scared.",
    "The meeting is at ten on Monday.",
)
WORDS = Settings("text")


def write_wav(path: Path, seconds: float = 1.0, rate: int = 8000) -> Path:
    """A tone, mono, 16 bit."""
    tone = (8000 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone.tobytes())
    return path


def write_line(folder: Path, name: str, line: str) -> Path:
    """A recording in which one line is said."""
    path = folder / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".srt").write_text(f"1\n00:00:00,100 --> 00:00:00,900\n{line}\n", encoding="utf-8")
    return write_wav(path)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Five recordings, two of them in a subfolder."""
    folder = tmp_path / "clips"
    for number, line in enumerate(LINES):
        write_line(folder / "later" if number > 2 else folder, f"line-{number}", line)
    return folder


@pytest.fixture
def ledger(tmp_path: Path) -> Callable[[str], Ledger]:
    """A ledger for an output of this name, by words alone."""

    def make(name: str = "rows.jsonl") -> Ledger:
        return Ledger(tmp_path / name, WORDS.describe())

    return make
