"""Voices that talk without acting, for the stress table: 48 lines of MELD's training part said by synthesisers.

    python -m research.words.flat_speech DATA OUT          (needs flite and espeak-ng)

The lines are neutral ones of 5 to 20 words; each voice says as many.  They are not those of people.
"""

from __future__ import annotations

import random
import sys
import wave
from itertools import cycle
from pathlib import Path

import numpy as np

from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.training.datasets.meld import COLUMNS
from emoje_edge.training.datasets.tables import read_rows
from research.words.voices import ESPEAK, FLITE, Voice, plain

LINES, WORDS, SEED = 48, (5, 20), 16


def main(data: Path, out: Path) -> None:
    """Write `00-VOICE.wav` …, mono at 16 kHz."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [row for _, row in read_rows(data / "meld" / "train_sent_emo.csv", COLUMNS)]
    texts = [plain(row["Utterance"]) for row in rows if row["Emotion"] == "neutral"]
    texts = [text for text in texts if WORDS[0] <= len(text.split()) <= WORDS[1]]
    random.Random(SEED).shuffle(texts)
    voices = cycle([*(Voice("flite", name) for name in FLITE), *(Voice("espeak", name) for name in ESPEAK)])
    for number, (text, voice) in enumerate(zip(texts[:LINES], voices, strict=False)):
        with wave.open(str(out / f"{number:02d}-{voice.name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes((np.clip(voice.say(text), -1, 1) * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
