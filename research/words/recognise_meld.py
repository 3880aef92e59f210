"""MELD's lines spoken by a synthesiser and written down again: what is left of the words, as rows of JSONL.

    python -m research.words.recognise_meld DATA/meld/dev_sent_emo.csv flite meld_dev_flite.jsonl
    python -m research.words.recognise_meld DATA/meld/train_sent_emo.csv both meld_train_both.jsonl 3000

The second is material for training: the first 3,000 lines, one dialogue by flite, the next by espeak-ng.  A file that
is there already is gone on with.
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


def main(table: Path, program: str, out: Path, most: int | None = None) -> None:
    """Dialogues in random order, each whole, a row a line: ids, gold text and emotion, words and how sure.

    Args:
        program: `flite`, `espeak`, or `both` in turn, a dialogue each.
        most: lines.
    """
    done = sum(1 for _ in out.open()) if out.exists() else 0
    dialogues: dict[str, list[dict[str, str]]] = {}
    for _, row in read_rows(table, COLUMNS):
        dialogues.setdefault(row["Dialogue_ID"], []).append(row)
    order = sorted(dialogues, key=int)
    random.Random(1).shuffle(order)
    rows = [row for name in order for row in dialogues[name]]
    casts = [Cast(name) for name in (("flite", "espeak") if program == "both" else (program,))]
    place = {name: number for number, name in enumerate(order)}
    transcriber = Transcriber()
    with out.open("a", buffering=1) as file:
        for number, row in enumerate(rows[:most]):
            voice = casts[place[row["Dialogue_ID"]] % len(casts)].voice(row["Speaker"])
            if number < done:
                continue
            gold = plain(row["Utterance"])
            words = transcriber.transcribe(voice.say(gold))
            record = {
                "dialogue": int(row["Dialogue_ID"]),
                "utterance": int(row["Utterance_ID"]),
                "speaker": row["Speaker"],
                "voice": voice.name,
                "emotion": row["Emotion"],
                "gold": gold,
                **asdict(words),
                "sure": words.sure,
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), *map(int, sys.argv[4:]))
