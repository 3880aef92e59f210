"""GoEmotions (Demszky et al., arXiv 2005.00547) with Ekman's labels: single Reddit comments.

Official files: `train.tsv`, `dev.tsv`, `test.tsv` (text, label numbers, id) and `labels.txt`.
"""

from __future__ import annotations

from pathlib import Path

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.training.datasets.base import UNLABELLED, Corpus, Sample
from emoje_edge.training.datasets.find_files import find_files, split_of
from emoje_edge.training.datasets.options import Options
from emoje_edge.training.datasets.tables import number, read_rows, read_text

COLUMNS = ("text", "labels", "id")


def load(root: Path, options: Options) -> Corpus:
    """Read GoEmotions (text).  Comments with several labels stay, unlabelled: they have no one emotion.

    Raises:
        UsageError: no such file, or a label number outside labels.txt; with file and row.
    """
    samples = []
    files = find_files(root, ("train.tsv", "dev.tsv", "test.tsv"), "GoEmotions' tsv (train.tsv, dev.tsv, test.tsv)")
    for path in files:
        names_file = path.parent / "labels.txt"
        names = tuple(read_text(names_file).split()) if names_file.exists() else EMOTIONS
        if set(names) != set(EMOTIONS):
            raise UsageError(f"{names_file}: {', '.join(names)}", f"Ekman's labels are needed: {', '.join(EMOTIONS)}")
        for source, row in read_rows(path, COLUMNS, delimiter="\t", header=COLUMNS):
            numbers = [number(x, source, "label") for x in row["labels"].split(",")]
            bad = [n for n in numbers if not 0 <= n < len(names)]
            if bad:
                raise UsageError(f"{source}: unknown label {bad[0]}", f"allowed: 0 to {len(names) - 1} ({names})")
            samples.append(
                Sample(
                    dialogue=row["id"],
                    index=0,
                    label=EMOTIONS.index(names[numbers[0]]) if len(numbers) == 1 else UNLABELLED,
                    text=row["text"].strip() or None,
                    split=split_of(path),
                    source=source,
                )
            )
    return Corpus("goemotions", EMOTIONS, tuple(samples))
