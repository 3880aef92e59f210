"""Talks without subtitles: MELD development dialogues spoken by synthesisers over other people's videos, and a score.

    python -m research.words.talks make DATA OUT           (needs flite, espeak-ng and ffmpeg)
    emoje-edge infer OUT/*.mp4 --out OUT/rows.jsonl        as a user runs it; add --mask text for words alone
    python -m research.words.talks score OUT OUT/rows.jsonl [ENGINES]

Synthetic voices are flat: words carry the emotion here, sound and body say nothing or mislead, as on many real videos.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.training.datasets.meld import COLUMNS
from emoje_edge.training.datasets.tables import read_rows
from research.words.voices import Cast, plain

TALKS, SEED = 8, 16
LINES, WORDS, EMOTIONS = (8, 20), (1, 25), 4  # of a dialogue: lines; words of each; different emotions at least
CLIPS = ("face_recognition_short_hamilton.mp4", "liveportrait_d13.mp4", "openpose_video.avi", "intel_asl/again.mkv")
_FLOOR = 10 ** (-50 / 20)  # noise below the voices, of full scale


def make(data: Path, out: Path) -> None:
    """Write `talk0.mp4` … and `labels.json` (file, lines: start, end (s), text, speaker, emotion)."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    labels = []
    for number, dialogue in enumerate(dialogues(data)):
        sound, lines = spoken(dialogue, Cast("flite" if number % 2 else "espeak"), rng)
        film(data / "video" / CLIPS[number % len(CLIPS)], sound, out / f"talk{number}.mp4")
        labels.append({"file": f"talk{number}.mp4", "lines": lines})
    (out / "labels.json").write_text(json.dumps(labels, indent=1))
    print(f"{len(labels)} talks, {sum(len(talk['lines']) for talk in labels)} lines")


def dialogues(data: Path) -> list[list[dict[str, str]]]:
    """Lively dialogues of the development part, the same ones each time."""
    found: dict[str, list[dict[str, str]]] = {}
    for _, row in read_rows(data / "meld" / "dev_sent_emo.csv", COLUMNS):
        found.setdefault(row["Dialogue_ID"], []).append(row)
    fit = [
        rows
        for rows in found.values()
        if LINES[0] <= len(rows) <= LINES[1]
        and all(WORDS[0] <= len(row["Utterance"].split()) <= WORDS[1] for row in rows)
        and len({row["Emotion"] for row in rows}) >= EMOTIONS
    ]
    random.Random(SEED).shuffle(fit)
    return fit[:TALKS]


def spoken(
    rows: list[dict[str, str]], cast: Cast, rng: np.random.Generator
) -> tuple[NDArray[np.float32], list[dict[str, Any]]]:
    """A dialogue's sound, with pauses of 0.7 to 1.4 s, and its lines."""
    parts, lines, now = [np.zeros(SAMPLE_RATE // 2, np.float32)], [], 0.5
    for row in rows:
        text = plain(row["Utterance"])
        voice = cast.voice(row["Speaker"]).say(text)
        end = now + voice.size / SAMPLE_RATE
        times = {"start": round(now, 2), "end": round(end, 2)}
        lines.append({**times, "text": text, "speaker": row["Speaker"], "emotion": row["Emotion"]})
        pause = np.zeros(round(rng.uniform(0.7, 1.4) * SAMPLE_RATE), np.float32)
        parts += [voice, pause]
        now = end + pause.size / SAMPLE_RATE
    sound = np.concatenate(parts)
    return (sound + _FLOOR * rng.standard_normal(sound.size)).astype(np.float32), lines


def film(clip: Path, sound: NDArray[np.float32], out: Path) -> None:
    """The clip over and over, with the sound under it."""
    voice = out.with_suffix(".wav")
    with wave.open(str(voice), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    command = ["ffmpeg", "-loglevel", "error", "-y", "-stream_loop", "-1", "-i", clip, "-i", voice]
    command += ["-map", "0:v", "-map", "1:a", "-vf", "scale=-2:360,fps=15", "-c:v", "libx264", "-crf", "34"]
    command += ["-preset", "veryfast", "-c:a", "aac", "-b:a", "48k", "-t", f"{sound.size / SAMPLE_RATE:.2f}", out]
    subprocess.run([str(part) for part in command], check=True)
    voice.unlink()


def score(out: Path, rows_file: Path, engines: Path | None = None) -> None:
    """Each line takes the row that overlaps it most: weighted F1 of the rows, and of their words alone."""
    from sklearn.metrics import f1_score

    rows: dict[str, list[dict[str, Any]]] = {}
    for text in rows_file.read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        rows.setdefault(Path(row["source"]).name, []).append(row)
    alone = words_alone(rows, engines)
    truth, found, by_words, worded = [], [], [], 0
    for talk in json.loads((out / "labels.json").read_text()):
        for line in talk["lines"]:
            best = max(rows.get(talk["file"], []), key=lambda row: overlap(row, line), default=None)
            hit = best if best is not None and overlap(best, line) > 0 else None
            truth.append(line["emotion"])
            found.append((hit["emotion"] if hit else None) or "none")
            by_words.append(alone.get((talk["file"], hit["start"])) or "neutral" if hit else "none")
            worded += bool(hit and "text" in hit["modalities"])
    for name, said in (("as infer", found), ("words alone", by_words), ("always neutral", ["neutral"] * len(truth))):
        print(f"{name}: weighted F1 {f1_score(truth, said, average='weighted', zero_division=0):.3f}", Counter(said))
    print(f"{len(truth)} lines, words behind {worded} of them", Counter(truth))


def words_alone(rows: dict[str, list[dict[str, Any]]], engines: Path | None) -> dict[tuple[str, float], str | None]:
    """What the text engine says of the words of each row, by file and start."""
    from emoje_edge import DialogueState, Recognizer

    found = {}
    with Recognizer("text", engine_dir=engines) as recognizer:
        for file, talk in rows.items():
            state = DialogueState()
            for row in talk:
                event = recognizer.recognize(text=row["text"], speaker=row["speaker"], state=state)
                found[file, row["start"]] = event.emotion
    return found


def overlap(row: dict[str, Any], line: dict[str, Any]) -> float:
    """s that a row and a line have in common, negative where they lie apart."""
    return float(min(row["end"], line["end"]) - max(row["start"], line["start"]))


if __name__ == "__main__":
    action, *paths = sys.argv[1:]
    actions: dict[str, Callable[..., Any]] = {"make": make, "score": score}
    actions[action](*map(Path, paths))
