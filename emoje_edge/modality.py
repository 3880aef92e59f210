"""Modalities and masks: which of text, audio and pose there are.

One small type for every layer, from the file that holds no sound to the engine that holds no audio branch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from emoje_edge.errors import UsageError, nearest

QUALITIES = 2  # numbers in 0..1 that say how good one modality of an utterance is: see `emoje_edge.perception.quality`


class Modality(str, Enum):
    """One source of evidence.  The order of definition is the canonical order everywhere."""

    TEXT = "text"
    AUDIO = "audio"
    POSE = "pose"

    @property
    def bit(self) -> int:
        """1 for text, 2 for audio, 4 for pose."""
        return 1 << tuple(Modality).index(self)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, order=True)
class Mask:
    """A non-empty set of modalities.

    Args:
        bits: sum of the modalities' bits, 1 to 7.

    Raises:
        UsageError: `bits` outside 1 to 7.
    """

    bits: int

    def __post_init__(self) -> None:
        if isinstance(self.bits, bool) or not isinstance(self.bits, int) or not 1 <= self.bits <= 7:
            raise UsageError(f"mask bits {self.bits!r} name no set of modalities", "bits go from 1 (text) to 7 (all)")

    @classmethod
    def of(cls, modalities: Iterable[Modality | str]) -> Mask:
        """The mask that holds these modalities (at least one)."""
        return cls.parse(",".join(Modality(m).value if isinstance(m, Modality) else str(m) for m in modalities))

    @classmethod
    def parse(cls, text: str | Mask) -> Mask:
        """Read `"text,pose"`, `"text+pose"` or `"all"`; order, case, spaces and repeats do not matter.

        Raises:
            UsageError: an unknown or empty name, with the nearest right one.
        """
        if isinstance(text, Mask):
            return text
        names = [name.strip().lower() for name in text.replace("+", ",").split(",")]
        if names == ["all"]:
            return cls(7)
        bits = 0
        for name in names:
            try:
                bits |= Modality(name).bit
            except ValueError:
                raise UsageError(f"unknown mask {text!r}: {name!r} is no modality", _suggest(name)) from None
        return cls(bits)

    @classmethod
    def all(cls) -> tuple[Mask, ...]:
        """All seven masks: single modalities first, then pairs, then the full one."""
        return tuple(sorted(map(cls, range(1, 8)), key=lambda mask: (len(mask), mask.bits)))

    @property
    def modalities(self) -> tuple[Modality, ...]:
        return tuple(m for m in Modality if self.bits & m.bit)

    @property
    def folder(self) -> str:
        """Stable name for folders and files, e.g. `text+pose`."""
        return "+".join(m.value for m in self)

    def __str__(self) -> str:
        return ",".join(m.value for m in self)

    def __iter__(self) -> Iterator[Modality]:
        return iter(self.modalities)

    def __len__(self) -> int:
        return len(self.modalities)

    def __contains__(self, modality: object) -> bool:
        return isinstance(modality, Modality) and bool(self.bits & modality.bit)

    def issubset(self, other: Mask) -> bool:
        return self.bits & other.bits == self.bits

    def __and__(self, other: Mask) -> Mask | None:
        """The modalities in both, or None where there are none."""
        bits = self.bits & other.bits
        return Mask(bits) if bits else None


def _suggest(name: str) -> str:
    allowed = "allowed: " + " | ".join(str(mask) for mask in Mask.all())
    return nearest(name, [m.value for m in Modality], cutoff=0.5) + allowed
