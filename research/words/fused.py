"""Recognised words, the voice that said them and somebody's body together, against the same words alone: all of MELD's
development lines instead of the few of the talks.

    python -m research.words.fused DATA RECOGNISED.jsonl [ENGINES]

RECOGNISED comes from `research.words.recognise_meld` with flite or espeak.  Each line is said again by the voice that
said it there, beside pictures of the given clips, whose bodies belong to other people.  A row without an emotion counts
as neutral in every column.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from emoje_edge import DialogueState, Recognizer
from emoje_edge.modality import Modality
from emoje_edge.perception.perceive import perceive
from emoje_edge.perception.quality import pose_quality, text_quality
from emoje_edge.perception.transcribe import Words
from emoje_edge.shapes import SAMPLE_RATE
from research.words.talks import CLIPS
from research.words.voices import Cast

FRAMES = 12.5  # pictures of a body a second
TEXT, AUDIO, POSE = Modality.TEXT, Modality.AUDIO, Modality.POSE
Witnesses = dict[Modality, tuple[NDArray[Any], NDArray[np.float32]]]
WITNESSES = {"words alone": {TEXT}, "words, voice": {TEXT, AUDIO}, "words, body": {TEXT, POSE}, "all": set(Modality)}


def main(data: Path, recognised: Path, engines: Path | None = None) -> None:
    """Print a row for each set of witnesses: all lines, those with words, those without."""
    rows = [json.loads(line) for line in recognised.read_text(encoding="utf-8").splitlines()]
    truth = np.array([row["emotion"] for row in rows])
    worded = np.array([row["sure"] for row in rows])
    print(f"{len(rows)} lines, {int((~worded).sum())} without words of which the model is sure")
    print("| beside the words | weighted F1 | with words | without | called neutral, of these | are neutral |")
    print("|---|---|---|---|---|---|")
    with closing(Offered(engine_dir=engines, words="off")) as recognizer:
        offered = list(recognizer.prepare(rows, data, recognised.stem))
        for name, wanted in WITNESSES.items():
            found = np.array([emotion or "neutral" for emotion in recognizer.answers(rows, offered, wanted)])
            parts = [_f1(truth[part], found[part]) for part in (worded | True, worded, ~worded)]
            calm = np.mean(found[~worded] == "neutral"), np.mean(truth[~worded] == "neutral")
            print(f"| {name} | {' | '.join(f'{x:.3f}' for x in (*parts, *calm))} |", flush=True)


class Offered(Recognizer):
    """A recogniser that answers what was computed before."""

    def prepare(self, rows: list[dict[str, Any]], data: Path, stem: str) -> Iterator[Witnesses]:
        """Feature and quality of each modality of each line."""
        cast, g = Cast("flite" if "flite" in stem else "espeak"), np.random.default_rng(0)
        bodies = [
            seen.features[POSE]
            for clip in CLIPS
            for seen in perceive(data / "video" / clip, "pose", window=7.5, hop=3.0)
            if POSE in seen.features
        ]
        for row in rows:
            sound = cast.voice(row["speaker"]).say(row["gold"])
            found: Witnesses = {}
            if row["sure"]:
                heard = Words(row["text"], row["logprob"], row["no_speech"], row["compression"])
                tokens = self._tokenizer()
                found[TEXT] = tokens.encode(heard.text), text_quality(tokens.known(heard.text), heard.confidence)
            voice = self._features(AUDIO, sound)
            if voice is not None:
                found[AUDIO] = voice
            body = bodies[int(g.integers(len(bodies)))][: max(6, round(sound.size / SAMPLE_RATE * FRAMES))]
            found[POSE] = body, pose_quality(body)
            yield found

    def answers(
        self, rows: list[dict[str, Any]], offered: list[Witnesses], wanted: set[Modality]
    ) -> Iterator[str | None]:
        """The emotion of each line in its dialogue, by some of the witnesses."""
        dialogues: dict[int, DialogueState] = {}
        for row, witnesses in zip(rows, offered, strict=True):
            there = {m: found for m, found in witnesses.items() if m in wanted}
            yield self._decide(
                {m: feature for m, (feature, _) in there.items()},
                dialogues.setdefault(row["dialogue"], DialogueState()),
                quality={m: good for m, (_, good) in there.items()},
                lacks={},
                source="",
                span=(0.0, 0.0),
                speaker=row["speaker"],
                latency_ms={},
                not_heard=not row["sure"],
            ).emotion


def _f1(truth: NDArray[np.str_], found: NDArray[np.str_]) -> float:
    return float(f1_score(truth, found, average="weighted", zero_division=0))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
