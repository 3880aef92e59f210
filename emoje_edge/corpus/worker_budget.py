"""How many workers this machine has room for."""

from __future__ import annotations

import os
from dataclasses import dataclass

from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask, Modality

# MB that a worker is reckoned with: a whole `infer` of a ten-second clip held 228 with sound and body, 364 with words
_BASE, _POSE, _WORDS = 150, 120, 150


@dataclass(frozen=True)
class WorkerBudget:
    """Cores and memory that are there, and what a worker takes of the latter, MB."""

    cores: int
    free: int | None
    worker: int

    @classmethod
    def here(cls, mask: Mask, *, words: bool = False) -> WorkerBudget:
        """This machine, now.  Memory is None where the system does not tell it."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(cores, _free(), _BASE + _POSE * (Modality.POSE in mask) + _WORDS * words)

    def workers(self, wanted: int | None) -> int:
        """How many to start: one a core, as many as memory holds; never more than that even where asked for.

        Raises:
            UsageError: fewer than one.
        """
        if wanted is not None and wanted < 1:
            raise UsageError(f"--workers {wanted}", "give 1 or more")
        most = max(1, self.free // self.worker) if self.free is not None else self.cores
        return min(wanted or self.cores, most)

    def describe(self, workers: int) -> str:
        """For people, before the run starts."""
        free = f"{self.free} MB are free" if self.free is not None else "free memory is not known"
        return f"{workers} workers x {self.worker} MB = {workers * self.worker} MB; {free}"


def _free() -> int | None:
    """MB that can be taken without swapping."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            found = dict(line.split(":", 1) for line in file)
        return int(found["MemAvailable"].split()[0]) // 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (ValueError, OSError, AttributeError):
        return None
