"""EmoryNLP (Zahiri and Choi, arXiv 1708.04299): scenes of Friends, seven emotions of Willcox' feeling wheel.

Official files: `emorynlp_train_final.csv`, `emorynlp_dev_final.csv`, `emorynlp_test_final.csv`.
"""

from __future__ import annotations

import ast
from pathlib import Path

from emoje_edge.training.datasets.base import Corpus, Sample, label_index
from emoje_edge.training.datasets.find_files import find_files, split_of
from emoje_edge.training.datasets.options import Options
from emoje_edge.training.datasets.tables import number, read_rows

CLASSES = ("joyful", "mad", "neutral", "peaceful", "powerful", "sad", "scared")
COLUMNS = ("Utterance", "Speaker", "Emotion", "Scene_ID", "Utterance_ID", "Season", "Episode")


def load(root: Path, options: Options) -> Corpus:
    """Read EmoryNLP (text); a dialogue is a scene.

    Raises:
        UsageError: no such file, a missing column or an unknown emotion; with file and row.
    """
    samples = []
    for path in find_files(root, ("emorynlp*.csv",), "EmoryNLP's csv (emorynlp_train_final.csv, …)"):
        split = split_of(path)
        for source, row in read_rows(path, COLUMNS):
            scene = "-".join(str(number(row[c], source, c)) for c in ("Season", "Episode", "Scene_ID"))
            samples.append(
                Sample(
                    dialogue=f"{split}{scene}",
                    index=number(row["Utterance_ID"], source, "Utterance_ID"),
                    label=label_index(row["Emotion"].strip().lower(), CLASSES, source),
                    speaker=_speaker(row["Speaker"]),
                    text=row["Utterance"].strip() or None,
                    split=split,
                    source=source,
                )
            )
    return Corpus("emorynlp", CLASSES, tuple(samples))


def _speaker(value: str) -> str:
    """The column holds a list in Python's spelling, "['Monica Geller']"; several speak at once now and then."""
    try:
        names = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value.strip()
    return " & ".join(map(str, names)) if isinstance(names, list) else str(names)
