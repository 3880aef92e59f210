"""MELD's lines spoken by a synthesiser and written down again: what is left of the words, as rows of JSONL.

    python -m research.words.recognise_meld DATA/meld/dev_sent_emo.csv flite meld_dev_flite.jsonl

A file that is there already is gone on with.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import asdict
from pathlib import Path

from emoje_edge.perception.transcribe import Transcriber
from emoje_edge.training.datasets.meld import COLUMNS
from emoje_edge.training.datasets.tables import read_rows
from research.words.voices import Cast, plain


def main(table: Path, program: str, out: Path) -> None:
    """Dialogues in random order, each whole, a row a line: ids, gold text and emotion, words and how sure."""
    done = sum(1 for _ in out.open()) if out.exists() else 0
    dialogues: dict[str, list[dict[str, str]]] = {}
    for _, row in read_rows(table, COLUMNS):
        dialogues.setdefault(row["Dialogue_ID"], []).append(row)
    order = sorted(dialogues, key=int)
    random.Random(1).shuffle(order)
    rows = [row for name in order for row in dialogues[name]]
    transcriber, cast = Transcriber(), Cast(program)
    with out.open("a", buffering=1) as file:
        for number, row in enumerate(rows):
            voice = cast.voice(row["Speaker"])
            if number < done:
                continue
            gold = plain(row["Utterance"])
            words = transcriber.transcribe(voice.say(gold))
            record = {
                "dialogue": int(row["Dialogue_ID"]),
                "utterance": int(row["Utterance_ID"]),
                "speaker": row["Speaker"],
                "emotion": row["Emotion"],
                "gold": gold,
                **asdict(words),
                "sure": words.sure,
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
