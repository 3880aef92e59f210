"""Pre-extracted features: `.npz` in the schema below, and the pickles of DialogueRNN and MMGCN.

`.npz`, N utterances (`text`, `audio`, `pose`: at least one of them; the rest as marked):

| array | shape | |
|---|---|---|
| `label` | [N] integers or strings | needed; "" or -1 for an utterance without a label |
| `classes` | [C] strings | needed where labels are integers |
| `dialogue` | [N] strings or integers | needed |
| `text`, `audio`, `pose` | [N, F] or [N, T, F] float | one vector, or T of them, an utterance |
| `text_length` … | [N] integers | vectors in each utterance, 0 where it lacks the modality; all T by default |
| `index` | [N] integers | order in the dialogue; the rows' order by default |
| `speaker`, `split`, `group`, `transcript` | [N] strings | optional |
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets.base import UNLABELLED, Corpus, Feature, Sample
from emoje_edge.training.datasets.find_files import find_files, split_of
from emoje_edge.training.datasets.options import Options
from emoje_edge.training.datasets.pickles import read_pickle

SCHEMA = "see docs/training.md: label, dialogue, and at least one of text, audio, pose"


def load(root: Path, options: Options) -> Corpus:
    """Read a feature file, or all of a folder; classes must agree.

    Raises:
        UsageError: a missing array, shapes that do not agree, a class that is not listed, code in a pickle.
    """
    files = find_files(root, ("*.npz", "*.pkl", "*.pickle"), "feature files (.npz, .pkl)")
    parts = [read_npz(p) if p.suffix == ".npz" else read_pickle(p) for p in files]
    classes = parts[0].classes
    for path, part in zip(files, parts, strict=True):
        if part.classes != classes:
            raise UsageError(f"{path}: classes {part.classes}, {files[0]} has {classes}", "read them one by one")
    return Corpus("features", classes, tuple(s for part in parts for s in part.samples))


def open_arrays(path: Path, needed: Sequence[str]) -> dict[str, np.ndarray]:
    """All arrays of an `.npz`, each with as many rows as the others; nothing is unpickled.

    Raises:
        UsageError: a missing array, or another number of rows.
        WorkError: not readable, or it holds pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise WorkError(f"{path}: {error}", "give an npz of plain arrays (numbers and strings)") from error
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise UsageError(f"{path}: no array {', '.join(missing)}; it has {', '.join(arrays)}", SCHEMA)
    rows = len(arrays[needed[0]])
    for name, array in arrays.items():
        if name != "classes" and (not array.ndim or len(array) != rows):
            raise UsageError(f"{path}: {name} has the shape {array.shape}, {needed[0]} has {rows} rows", SCHEMA)
    return arrays


def read_npz(path: Path) -> Corpus:
    """One file of the schema above."""
    a = open_arrays(path, ("label", "dialogue"))
    given = [m for m in Modality if m.value in a]
    if not given:
        raise UsageError(f"{path}: none of text, audio, pose; it has {', '.join(a)}", SCHEMA)
    for m in given:
        if a[m.value].ndim not in (2, 3) or a[m.value].dtype.kind not in "fiu":
            raise UsageError(f"{path}: {m} is {a[m.value].dtype} of shape {a[m.value].shape}", "[N, F] or [N, T, F]")
    classes, labels = _labels(path, a)
    text = a.get("transcript")
    samples = []
    for i in range(len(labels)):
        samples.append(
            Sample(
                dialogue=str(a["dialogue"][i]),
                index=int(a["index"][i]) if "index" in a else i,
                label=labels[i],
                speaker=str(a["speaker"][i]) if "speaker" in a else "",
                text=(str(text[i]) or None) if text is not None else None,
                features={m: x for m in given if (x := _vectors(a, m, i)) is not None},
                group=str(a["group"][i]) if "group" in a else "",
                split=str(a["split"][i]) if "split" in a else split_of(path),
                source=f"{path} row {i}",
            )
        )
    return Corpus("features", classes, tuple(samples))


def _vectors(a: dict[str, np.ndarray], m: Modality, i: int) -> Feature | None:
    x = a[m.value][i]
    x = (x[None] if x.ndim == 1 else x).astype(np.float32)
    length = int(a[f"{m.value}_length"][i]) if f"{m.value}_length" in a else len(x)
    return x[:length] if length else None


def _labels(path: Path, a: dict[str, np.ndarray]) -> tuple[tuple[str, ...], list[int]]:
    raw = a["label"]
    named = raw.dtype.kind in "US"
    if "classes" in a:
        classes = tuple(str(c) for c in a["classes"])
    elif named:
        classes = tuple(sorted({str(x) for x in raw} - {""}))
    else:
        raise UsageError(f"{path}: labels are numbers, and there is no `classes`", SCHEMA)
    labels = []
    for i, value in enumerate(raw.tolist()):
        if value in ("", -1):
            labels.append(UNLABELLED)
        elif named and str(value) in classes:
            labels.append(classes.index(str(value)))
        elif not named and value == int(value) and 0 <= value < len(classes):
            labels.append(int(value))
        else:
            raise UsageError(f"{path} row {i}: unknown label {value!r}", f"allowed: {', '.join(classes)}")
    return classes, labels
