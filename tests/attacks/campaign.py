"""The nightly campaign: `python -m tests.attacks.campaign --mutants 5000 --seed 1 --jobs 2 [--keep FOLDER]`.

Mutant N of a seed is the same on every machine.  Each is read in a worker process under a time limit, so that a hang or
a crash of a library ends that mutant alone.  Exit code 1 where one is a traceback, a hang, a crash or a wrong success.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from tests.attacks.mutants import Checks, Wrong, make
from tests.attacks.seeds import write_seeds

KINDS = ("video", "sound", "subtitles", "table", "engine")
SHARES = (3, 2, 8, 3, 2)  # parsers of our own are looked at most; a video costs a hundred times as much
LIMIT = 120.0  # s for one mutant, on a machine that does other things as well
BAD = ("traceback", "wrong", "hang", "crash")
Finding = tuple[int, str, str, str]  # number, kind, outcome, detail


def _serve(connection: Connection, seeds: dict[str, list[Path]], seed: int, scratch: Path) -> None:
    """A worker: reads numbers, answers with findings."""
    logging.disable(logging.WARNING)  # what a user is told of each would hide the findings
    checks = Checks()
    while (number := connection.recv()) is not None:
        connection.send(_try(checks, seeds, seed, number, scratch))


def _try(checks: Checks, seeds: dict[str, list[Path]], seed: int, number: int, scratch: Path) -> Finding:
    dice = random.Random(f"{seed}:{number}")
    kind = dice.choices(KINDS, SHARES)[0]
    folder = scratch / str(number)
    folder.mkdir()
    path = make(kind, seeds, folder, dice)
    try:
        outcome, detail = checks.outcome(kind, path), ""
    except Wrong as error:
        outcome, detail = "wrong", f"{path.name}: {error}"
    except Exception:  # whatever a user would see a traceback of
        outcome, detail = "traceback", f"{path.name}: {traceback.format_exc(limit=-3)}"
    if outcome not in BAD:
        shutil.rmtree(folder)
    return number, kind, outcome, detail


class _Worker:
    """One process that is replaced when it hangs or crashes."""

    def __init__(self, seeds: dict[str, list[Path]], seed: int, scratch: Path) -> None:
        self._given = (seeds, seed, scratch)
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, *self._given), daemon=True)
        self._process.start()
        theirs.close()

    def run(self, number: int) -> Finding:
        kind = random.Random(f"{self._given[1]}:{number}").choices(KINDS, SHARES)[0]
        self._connection.send(number)
        try:
            if self._connection.poll(LIMIT):
                found: Finding = self._connection.recv()
                return found
            outcome = "hang"
        except (EOFError, ConnectionError):
            outcome = "crash"
        self.close()
        self._start()
        return number, kind, outcome, ""

    def close(self) -> None:
        self._process.kill()
        self._process.join()


def campaign(numbers: Sequence[int], seed: int, jobs: int, scratch: Path) -> Iterator[Finding]:
    """Findings of these mutants, in no order; the bad ones' files stay under `scratch`."""
    folder = scratch / "seeds"
    folder.mkdir()
    seeds = write_seeds(folder)

    def share(part: int) -> list[Finding]:
        worker = _Worker(seeds, seed, scratch)
        try:
            return [worker.run(number) for number in numbers[part::jobs]]
        finally:
            worker.close()

    with ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(share, range(jobs)):
            yield from found


def main() -> int:
    """Run, print the counts, and name the bad ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0, help="number of the first one, to go on or to look again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the bad ones' files")
    given = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        numbers = range(given.first, given.first + given.mutants)
        for number, kind, outcome, detail in campaign(numbers, given.seed, given.jobs, Path(scratch)):
            counts[kind, outcome] += 1
            if outcome in BAD:
                print(f"{outcome} {kind} --seed {given.seed} --first {number} --mutants 1\n  {detail}", flush=True)
                if given.keep:
                    shutil.copytree(Path(scratch) / str(number), given.keep / str(number), dirs_exist_ok=True)
    for kind in KINDS:
        print(kind, dict(sorted((outcome, n) for (k, outcome), n in counts.items() if k == kind)))
    bad = sum(n for (_, outcome), n in counts.items() if outcome in BAD)
    print(f"{sum(counts.values())} mutants of seed {given.seed} in {time.monotonic() - begin:.0f} s: {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
