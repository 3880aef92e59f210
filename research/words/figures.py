"""Figures of docs/evidence/words.md: word errors, words where nobody speaks, emotion from recognised words.

python -m research.words.figures ravdess DATA       word error rate of 200 acted clips
python -m research.words.figures speech             … of a speech that never pauses, through segmentation
python -m research.words.figures nobody DATA        words in ten minutes of six sounds without speech
python -m research.words.figures emotion MELD.jsonl [ENGINES]   MELD's lines as recognised (recognise_meld.py)
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emoje_edge.perception.background_transcriber import CONTEXT
from emoje_edge.perception.transcribe import Transcriber, Words
from emoje_edge.perception.voice_activity import VoiceActivity
from emoje_edge.shapes import SAMPLE_RATE
from research.words.noises import Sound, load, silent, utterances
from research.words.voices import Voice

CLIPS_PER_EMOTION = 25
SENTENCES = {"01": "kids are talking by the door", "02": "dogs are sitting by the door"}
# Abraham Lincoln at Gettysburg, 1863: public domain
SPEECH = (
    "Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in Liberty, "
    "and dedicated to the proposition that all men are created equal. Now we are engaged in a great civil war, testing "
    "whether that nation, or any nation so conceived and so dedicated, can long endure. We are met on a great "
    "battlefield of that war. We have come to dedicate a portion of that field, as a final resting place for those who "
    "here gave their lives that that nation might live. It is altogether fitting and proper that we should do this. "
    "But, in a larger sense, we cannot dedicate, we cannot consecrate, we cannot hallow this ground. The brave men, "
    "living and dead, who struggled here, have consecrated it, far above our poor power to add or detract. The world "
    "will little note, nor long remember what we say here, but it can never forget what they did here."
)


def ravdess(data: Path) -> None:
    """Word errors of acted clips, a fixed number of each emotion: whole, and found and cut as `infer` does it."""
    by_emotion: dict[str, list[Path]] = {}
    for path in np.random.default_rng(0).permutation(np.array(sorted((data / "ravdess").glob("*.flac")), dtype=object)):
        by_emotion.setdefault(path.name.split("-")[2], []).append(path)
    model, wrong, cut, total, refused, seconds, cost = Transcriber(), 0, 0, 0, 0, 0.0, 0.0
    for path in (path for paths in by_emotion.values() for path in paths[:CLIPS_PER_EMOTION]):
        sound, said = load(path), SENTENCES[path.name.split("-")[4]].split()
        begin = time.process_time()
        words = model.transcribe(sound)
        cost, seconds = cost + time.process_time() - begin, seconds + sound.size / SAMPLE_RATE
        wrong, total = wrong + errors(said, plain_words(words.text)), total + len(said)
        refused += not words.sure
        cut += errors(said, plain_words(" ".join(part.text for part in heard_by(model, sound) if part.sure)))
    print(f"word error rate {wrong / total:.4f}, {refused} refused, {cost / seconds:.3f} CPU s a second of sound")
    print(f"found and cut as infer does it: {cut / total:.4f}")


def speech() -> None:
    """Word errors of a long speech by each program's first voice, found and cut as `infer` does it."""
    said, model = plain_words(SPEECH), Transcriber()
    for voice in (Voice("flite", "slt"), Voice("flite", "rms"), Voice("espeak-ng", "en-us+f2")):
        sound = voice.say(SPEECH)
        found = heard_by(model, sound)
        heard = plain_words(" ".join(words.text for words in found if words.sure))
        rate = errors(said, heard) / len(said)
        print(f"{voice.program} {voice.name}: {rate:.3f} of {len(said)} words wrong, {len(found)} utterances")


def nobody(data: Path) -> None:
    """Words that are said where nobody speaks: behind the network that finds speech, and without it."""
    model = Transcriber()
    for name, (sound, _) in silent(data, np.random.default_rng(0), seconds=100.0).items():
        behind = heard_by(model, sound)
        without = [model.transcribe(piece) for piece in np.split(sound, 25)]
        print(
            f"| {name} | {_sure(behind)} of {len(behind)} utterances | {_sure(without)} sure, "
            f"{sum(any(c.isalnum() for c in words.text) for words in without)} with text, of {len(without)} windows |",
            flush=True,
        )


def emotion(lines: Path, engines: Path | None) -> None:
    """Weighted F1 of the text engine on what was really said, and on what was recognised of it."""
    from sklearn.metrics import f1_score

    from emoje_edge import DialogueState, Recognizer

    rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    wrong = sum(errors(plain_words(row["gold"]), plain_words(row["text"])) for row in rows)
    total = sum(len(plain_words(row["gold"])) for row in rows)
    print(f"{len(rows)} lines, word error rate {wrong / total:.3f}, {sum(not row['sure'] for row in rows)} refused")
    truth = [row["emotion"] for row in rows]
    versions = {
        "as said": [row["gold"] for row in rows],
        "as recognised": [row["text"] if row["sure"] else None for row in rows],
        "as recognised, unsure ones too": [row["text"] or None for row in rows],
        "as said, without marks": [re.sub(r"[^\w' ]", " ", row["gold"]) for row in rows],
    }
    with Recognizer("text", engine_dir=engines) as recognizer:
        for name, texts in versions.items():
            found, states = [], {row["dialogue"]: DialogueState() for row in rows}
            for row, text in zip(rows, texts, strict=True):
                event = recognizer.recognize(text=text, speaker=row["speaker"], state=states[row["dialogue"]])
                found.append(event.emotion or "neutral")
            print(f"{name}: weighted F1 {f1_score(truth, found, average='weighted', zero_division=0):.3f}", flush=True)


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Least number of words put in, left out or changed (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        before, row[0] = row[0], number
        for at, other in enumerate(heard, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1]


def plain_words(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("’", "'")).split()


def heard_by(model: Transcriber, sound: Sound) -> list[Words]:
    """The words of a sound's utterances, found and cut as `infer` does it."""
    found, before = [], 0.0
    for start, end in utterances(VoiceActivity(), sound):
        first = max(before, start - CONTEXT)
        found.append(model.transcribe(sound[round(first * SAMPLE_RATE) : round(end * SAMPLE_RATE)]))
        before = end
    return found


def _sure(found: Sequence[Words]) -> int:
    return sum(words.sure for words in found)


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    if name == "speech":
        speech()
    elif name == "emotion":
        emotion(Path(rest[0]), Path(rest[1]) if len(rest) > 1 else None)
    else:
        {"ravdess": ravdess, "nobody": nobody}[name](Path(rest[0]))
