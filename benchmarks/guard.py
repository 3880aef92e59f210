"""The guard against getting slower: this tree against an earlier commit, timed call by call in turn in one run.

    python benchmarks/guard.py check                         exit 1 where a work takes over 20 % longer than it did
    python benchmarks/guard.py accept WORK... --why REASON   record a loss that is meant; commit it with the change

No figure is stored, so none can be another processor's.  The commit to hold to is the last one that touched
benchmarks/guard.json, the record of accepted losses: small losses cannot add up unseen, and a rebase changes nothing.
In the commit that touches it, the tree is held to the one accepted before, and only the works it names may lose.

Both trees run in processes of their own, each with its own code, engines and inputs (benchmarks/guard_works.py).
A work that looks lost is timed again, twice at most, and the best counts: noise only ever makes us look slower.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RECORD = "benchmarks/guard.json"
WORKS = "benchmarks/guard_works.py"
ALLOWED = 1.20  # times as long
TRIES = 3
TURNS, CALLS, WARMUP = 20, 4, 10
PERCENTILE = 25  # of the calls' times: what the machine does besides only adds, so the quick quarter tells most


class Incomparable(Exception):
    """A work that cannot be run on one of the two sides; the message says on which, and why."""


class Side:
    """The works of one tree, in a process of its own.  A context manager.

    Args:
        tree: a checkout, or an unpacked commit.
        name: what to call it in messages.

    Raises:
        Incomparable: the tree's works do not start.
    """

    def __init__(self, tree: Path, name: str) -> None:
        self.name = name
        path = os.pathsep.join(str(tree / folder) for folder in ("", "kernels", "calibration"))
        # engines that somebody built on this machine belong to neither tree
        environment = {**os.environ, "PYTHONPATH": path, "EMOJE_ENGINES": str(tree / "no engines")}
        self._process = subprocess.Popen(
            [sys.executable, str(tree / WORKS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=environment,
        )  # fmt: skip
        self.works: list[str] = self._answer()["works"]

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def time(self, work: str, calls: int) -> list[float]:
        """Milliseconds of each call.

        Raises:
            Incomparable: it cannot be run here.
        """
        assert self._process.stdin
        print(json.dumps({"work": work, "calls": calls}), file=self._process.stdin, flush=True)
        answer = self._answer()
        if "error" in answer:
            raise Incomparable(f"{self.name}: {answer['error']}")
        return answer["ms"]

    def _answer(self) -> dict:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise Incomparable(f"{self.name}: {WORKS} ended with exit code {self._process.wait()}")
        return json.loads(line)


@dataclass(frozen=True)
class Base:
    """What this tree is held to.

    Attributes:
        commit: its hash.
        forgiven: works that today's record accepts to have lost against it.
    """

    commit: str
    forgiven: frozenset[str] = field(default_factory=frozenset)


def git(*arguments: str, root: Path) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def find_base(root: Path) -> Base | None:
    """The commit to hold this tree to; None where the history here has none, as in a first or a lone shallow commit."""
    touched = git("log", "--format=%H", "-2", "--", RECORD, root=root).split()
    accepting = bool(git("status", "--porcelain", "--", RECORD, root=root))
    altered = bool(git("status", "--porcelain", "--untracked-files=no", root=root))
    if touched and touched[0] == git("rev-parse", "HEAD", root=root) and not altered:
        # this is the commit that accepts: held to the one before, but for what it names
        touched, accepting = touched[1:], True
    if not touched:
        return None
    return Base(touched[0], frozenset(json.loads((root / RECORD).read_text())["accepted"] if accepting else ()))


@contextmanager
def unpacked(commit: str, root: Path) -> Iterator[Path]:
    """The files of a commit in a temporary folder."""
    packed = subprocess.run(["git", "-C", str(root), "archive", commit], stdout=subprocess.PIPE, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="guard-") as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def ratio(now: Side, then: Side, work: str) -> float:
    """How many times as long the work takes now: both sides a few calls each in turn, so that drift strikes both."""
    times: dict[Side, list[float]] = {now: [], then: []}
    for side in times:
        side.time(work, WARMUP)
    for _ in range(TURNS):
        for side, values in times.items():
            values += side.time(work, CALLS)
    return float(np.percentile(times[now], PERCENTILE) / np.percentile(times[then], PERCENTILE))


def check(now: Side, then: Side, forgiven: frozenset[str] = frozenset()) -> dict[str, str]:
    """Measure, print and compare.  Returns what each work that is lost has lost."""
    losses: dict[str, str] = {}
    for work in dict.fromkeys([*then.works, *now.works]):
        if work not in then.works:
            print(f"new   {work}: nothing to compare with")
            continue
        try:
            if work not in now.works:
                raise Incomparable(f"{now.name}: there is no such work any more")
            best = min(_until_held(now, then, work))
        except Incomparable as error:
            loss = f"cannot be compared ({error})"
        else:
            loss = "" if best <= ALLOWED else f"takes {best:.2f} times as long (allowed {ALLOWED:.2f})"
            if not loss:
                print(f"ok    {work}: {best:.2f} times as long")
        if loss and work in forgiven:
            print(f"meant {work}: {loss}")
        elif loss:
            print(f"LOST  {work}: {loss}")
            losses[work] = loss
    return losses


def _until_held(now: Side, then: Side, work: str) -> Iterator[float]:
    for _ in range(TRIES):
        yield (found := ratio(now, then, work))
        if found <= ALLOWED:
            return


def compare(root: Path, *, forgive: bool = True) -> dict[str, str] | None:
    """Losses of the tree at `root` against its base; None, told, where there is nothing to compare with."""
    base = find_base(root)
    if base is None:
        print(f"not compared: the history here has no earlier commit with {RECORD}.  In a shallow clone:"
              " git fetch --unshallow")  # fmt: skip
        return None
    with unpacked(base.commit, root) as tree:
        if not (tree / WORKS).exists():
            print(f"not compared: {base.commit[:9]} is from before this guard, it has no {WORKS}")
            return None
        print(f"this tree against {base.commit[:9]}")
        with Side(root, "this tree") as now, Side(tree, base.commit[:9]) as then:
            return check(now, then, base.forgiven if forgive else frozenset())


def accept(root: Path, works: Sequence[str], why: str) -> int:
    """Record that these works, and no others, may lose what they have lost; refuses those that have lost nothing."""
    losses = compare(root, forgive=False) or {}
    unlost = [work for work in works if work not in losses]
    if unlost:
        there_are = ", ".join(losses) or "nothing"
        print(f"not lost, so not accepted: {', '.join(unlost)}; lost: {there_are}", file=sys.stderr)
        return 2
    record = {"accepted": {work: losses[work] for work in works}, "why": why}
    (root / RECORD).write_text(json.dumps(record, indent=2) + "\n")
    print(f"accepted; commit {RECORD} with the change")
    return 0


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="compare; exit 1 on a loss")
    accepting = commands.add_parser("accept", help="record a loss that is meant")
    accepting.add_argument("works", nargs="+", metavar="WORK")
    accepting.add_argument("--why", required=True, metavar="REASON")
    options = parser.parse_args(arguments)
    try:
        if options.command == "accept":
            return accept(root, options.works, options.why)
        losses = compare(root) or {}
    except Incomparable as error:
        losses = {"everything": str(error)}
        print(f"LOST  {error}")
    if losses:
        print(f"Slower: {', '.join(losses)}.  Meant?  python benchmarks/guard.py accept WORK --why REASON,"
              f" and commit {RECORD} with the change.", file=sys.stderr)  # fmt: skip
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
