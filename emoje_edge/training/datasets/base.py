"""What every dataset loader returns: a `Corpus` of `Sample`s, each knowing the row that it came from.

A loader never splits by rows.  `group` names what must stay together (dialogue, actor, recording, content, video),
and `split` what the corpus' makers said, where they said it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality

UNLABELLED = -1
SPLITS = ("train", "dev", "test")


class Lazy:
    """An array computed when first asked for.

    Args:
        make: returns the array; raises `WorkError` with the file's name when it cannot.
        keep: hold the array after the first call.  Off for corpora that do not fit in memory.
        quality: how good it is, [2] as of `emoje_edge.perception.quality`, where that is known.
    """

    def __init__(
        self, make: Callable[[], np.ndarray], *, keep: bool = True, quality: Callable[[], np.ndarray] | None = None
    ) -> None:
        self._make, self._keep, self.quality = make, keep, quality
        self._value: np.ndarray | None = None

    def __call__(self) -> np.ndarray:
        if self._value is not None:
            return self._value
        value = self._make()
        if self._keep:
            self._value = value
        return value


Feature = np.ndarray | Lazy


@dataclass(frozen=True, eq=False)
class Sample:
    """One utterance.

    Args:
        dialogue: unique in its corpus; utterances of one dialogue share context.
        index: order within the dialogue.
        label: index into the corpus' classes, or `UNLABELLED`.
        speaker: who speaks, "" where unknown.
        text: words, where there are any; tokenized when a batch is made.
        features: [time, ...] arrays, one a modality.  Text may be here too, as vectors computed elsewhere.
        quality: how good each modality is, [2] as of `emoje_edge.perception.quality`; else as its feature says.
        group: what a split must keep together; the dialogue where not given.
        split: train, dev, test or "" where the corpus has no official split.
        source: file and row, for messages.
    """

    dialogue: str
    index: int
    label: int = UNLABELLED
    speaker: str = ""
    text: str | None = None
    features: Mapping[Modality, Feature] = field(default_factory=dict)
    quality: Mapping[Modality, np.ndarray] = field(default_factory=dict)
    group: str = ""
    split: str = ""
    source: str = ""

    @property
    def uid(self) -> str:
        """Unique in its corpus: what teacher targets are joined by."""
        return f"{self.dialogue}#{self.index}"

    @property
    def block(self) -> str:
        return self.group or self.dialogue

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What the sample brings, in canonical order."""
        return tuple(m for m in Modality if m in self.features or (m is Modality.TEXT and self.text))

    def feature(self, modality: Modality) -> np.ndarray:
        """The array of one modality.

        Raises:
            WorkError: not finite somewhere; the message names the file and row.
        """
        raw = self.features[modality]
        array = raw() if isinstance(raw, Lazy) else raw
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            bad = np.argwhere(~np.isfinite(array))[0].tolist()
            raise WorkError(
                f"{self.source}: the {modality} feature holds {array[tuple(bad)]} at {bad}",
                "features must be finite numbers; leave the modality out where it is unknown",
            )
        return array


@dataclass(frozen=True, eq=False)
class Corpus:
    """Samples with one list of classes.

    Args:
        name: for messages and run folders.
        classes: what `Sample.label` indexes.
    """

    name: str
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]

    def __len__(self) -> int:
        return len(self.samples)

    def keep(self, wanted: Callable[[Sample], bool]) -> Corpus:
        """The samples for which `wanted` holds, in order."""
        return replace(self, samples=tuple(s for s in self.samples if wanted(s)))

    def split(self, name: str) -> Corpus:
        """One official split, or everything for `all`.

        Raises:
            UsageError: the corpus has no such split.
        """
        if name == "all":
            return self
        part = self.keep(lambda s: s.split == name)
        if not part.samples:
            have = sorted({s.split for s in self.samples if s.split})
            raise UsageError(
                f"{self.name} has no split {name!r} here",
                f"it has {', '.join(have) or 'no official split'}; --split all takes everything",
            )
        return part

    def relabelled(self, classes: tuple[str, ...], mapping: Mapping[str, str | None]) -> Corpus:
        """The corpus under other classes; samples whose class maps to None lose their label but stay as context.

        Raises:
            UsageError: a class that the mapping does not name.
        """
        missing = [c for c in self.classes if c not in mapping]
        if missing:
            raise UsageError(f"{self.name}: no mapping for {missing}", "add them to emoje_edge/training/labels.py")
        to = [classes.index(new) if (new := mapping[c]) is not None else UNLABELLED for c in self.classes]
        relabelled = tuple(replace(s, label=to[s.label] if s.label >= 0 else UNLABELLED) for s in self.samples)
        return Corpus(self.name, classes, relabelled)

    def dialogues(self) -> list[tuple[Sample, ...]]:
        """Utterances by dialogue, in order of index; dialogues in order of first appearance."""
        by: dict[str, list[Sample]] = {}
        for sample in self.samples:
            by.setdefault(sample.dialogue, []).append(sample)
        return [tuple(sorted(d, key=lambda s: s.index)) for d in by.values()]

    def labels(self) -> np.ndarray:
        """[samples] integers, `UNLABELLED` where there is none."""
        return np.array([s.label for s in self.samples], dtype=np.int64)

    def counts(self) -> dict[str, int]:
        """Labelled samples by class."""
        tally = Counter(s.label for s in self.samples)
        return {name: tally[i] for i, name in enumerate(self.classes)}

    @classmethod
    def join(cls, corpora: Iterable[Corpus], name: str = "joined") -> Corpus:
        """Several corpora of equal classes as one; dialogues and groups get the corpus' name in front.

        Raises:
            UsageError: the classes differ, or two corpora share a name.
        """
        parts = list(corpora)
        if len({c.classes for c in parts}) != 1 or len({c.name for c in parts}) != len(parts):
            raise UsageError(
                f"cannot join {[(c.name, c.classes) for c in parts]}",
                "give corpora of different names and equal classes (`to_emotions` maps onto the seven emotions)",
            )
        samples = [
            replace(s, dialogue=f"{c.name}/{s.dialogue}", group=f"{c.name}/{s.block}") for c in parts for s in c.samples
        ]
        return cls(name, parts[0].classes, tuple(samples))


def label_index(value: str, classes: tuple[str, ...], source: str) -> int:
    """Index of a label.

    Raises:
        UsageError: no such class; the message names the file and row.
    """
    try:
        return classes.index(value)
    except ValueError:
        raise UsageError(f"{source}: unknown label {value!r}", f"allowed: {', '.join(classes)}") from None
