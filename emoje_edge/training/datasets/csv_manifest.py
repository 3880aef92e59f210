"""Your own data: a CSV with the columns `path,start,end,dialogue,speaker,text,label`.

`path` is relative to the CSV; `path`, `start`, `end`, `speaker`, `text` and `label` may be empty, `dialogue` not.  An
optional column `split` says train, dev or test, and `group` what a split must keep together (a person, a recording).
"""

from __future__ import annotations

import logging
from pathlib import Path

from emoje_edge.characters import visible
from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets.base import SPLITS, UNLABELLED, Corpus, Feature, Sample
from emoje_edge.training.datasets.find_files import find_files, split_of
from emoje_edge.training.datasets.options import Options
from emoje_edge.training.datasets.raw import clip_features
from emoje_edge.training.datasets.tables import read_rows, seconds

log = logging.getLogger(__name__)

_NOTHING = frozenset({"nan", "null", "n/a", "<na>"})
COLUMNS = ("path", "start", "end", "dialogue", "speaker", "text", "label")


def load(root: Path, options: Options) -> Corpus:
    """Read a manifest, or all of a folder.  Classes are the seven emotions where all labels are of them in whatever
    letters, else those found.

    Raises:
        UsageError: a missing column, a clip that is not there, an end before its start, a wrong split; with the row.
    """
    rows = [
        (source, row, path)
        for path in find_files(root, ("*.csv",), "manifest (path,start,end,dialogue,speaker,text,label)")
        for source, row in read_rows(path, COLUMNS)
    ]
    classes = _classes([_label(row) for _, row, _ in rows])
    count: dict[str, int] = {}
    samples = []
    for source, row, path in rows:
        dialogue = row["dialogue"].strip()
        if not dialogue:
            raise UsageError(f"{source}: no dialogue", "name the conversation; a single utterance has one of its own")
        index = count[dialogue] = count.get(dialogue, -1) + 1
        samples.append(_sample(row, source, path, classes, options, index=index))
    return Corpus("manifest", classes, tuple(samples))


def _cell(value: str) -> str:
    """What a cell says; nothing where a program wrote its word for that."""
    plain = value.strip()
    return "" if plain.casefold() in _NOTHING else plain


def _label(row: dict[str, str]) -> str:
    """A label without what nobody sees in it, and without a full stop."""
    return _cell(visible(row["label"]).strip().rstrip("."))


def _classes(labels: list[str]) -> tuple[str, ...]:
    """The seven emotions where all labels are of them, else those found; `Joy` and `joy` are one."""
    found = {label.casefold(): label for label in sorted(set(labels)) if label}
    others = [label for name, label in found.items() if name not in EMOTIONS]
    if not others:
        return EMOTIONS
    if len(others) < len(found):
        log.warning(
            "labels beside the seven emotions (%s), so the classes are those found: %s",
            *(", ".join(sorted(others)), ", ".join(sorted(found.values()))),
        )
    return tuple(sorted(found.values()))


def _index(classes: tuple[str, ...]) -> dict[str, int]:
    return {name.casefold(): number for number, name in enumerate(classes)}


def _sample(
    row: dict[str, str], source: str, path: Path, classes: tuple[str, ...], options: Options, *, index: int
) -> Sample:
    split = row.get("split", "").strip() or split_of(path)
    if split not in (*SPLITS, ""):
        raise UsageError(f"{source}: unknown split {split!r}", f"allowed: {', '.join(SPLITS)}, or empty")
    label, text = _label(row), _cell(row["text"])
    features = _clip(row, source, path, options)
    if not features and not text:
        raise UsageError(f"{source}: neither a clip with sound or picture nor text", "give a path, a text, or both")
    return Sample(
        dialogue=row["dialogue"].strip(),
        index=index,
        label=_index(classes)[label.casefold()] if label else UNLABELLED,
        speaker=row["speaker"].strip(),
        text=text or None,
        features=features,
        group=row.get("group", "").strip(),
        split=split,
        source=source,
    )


def _clip(row: dict[str, str], source: str, path: Path, options: Options) -> dict[Modality, Feature]:
    name = row["path"].strip()
    if not name:
        return {}
    clip = path.parent / name
    if not clip.is_file():
        raise UsageError(f"{source}: the clip {clip} is not there", "paths are relative to the manifest's folder")
    start, end = (seconds(row[c], source, c) if row[c].strip() else None for c in ("start", "end"))
    if end is not None and end <= (start or 0.0):
        raise UsageError(f"{source}: end {end} s is not after start {start or 0.0} s", "give seconds of the clip")
    return clip_features(clip, options, start=start, end=end)
