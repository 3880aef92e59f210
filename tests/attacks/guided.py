"""Coverage-guided fuzzing of the parsers that are our own: `python -m tests.attacks.guided cues --seconds 600`.

Wants atheris (`pip install '.[fuzz]'`).  The same is asked of each input as of the campaign's mutants.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["emoje_edge"]):
    from emoje_edge.engine.manifest import Manifest
    from emoje_edge.errors import EmojeError
    from emoje_edge.perception.cues import read_cues  # noqa: F401  (instrumented here)
    from emoje_edge.training.datasets import csv_manifest  # noqa: F401

import logging

from emoje_edge.shipped import ENGINES
from tests.attacks.mutants import Checks
from tests.attacks.seeds import CSV, SUBTITLES

ENDINGS = ("srt", "vtt", "ass", "json", "tsv")


def target(what: str, scratch: Path) -> object:
    """What is called with every input."""
    checks = Checks.__new__(Checks)  # without a recogniser: none is needed here

    def cues(data: bytes) -> None:
        path = scratch / f"a.{ENDINGS[data[0] % len(ENDINGS)] if data else 'srt'}"
        path.write_bytes(data[1:])
        checks.outcome("subtitles", path)

    def tables(data: bytes) -> None:
        path = scratch / "mine.csv"
        path.write_bytes(data)
        checks.outcome("table", path)

    def engine_manifest(data: bytes) -> None:
        try:
            Manifest.from_json(data)
        except EmojeError:
            return

    return {"cues": cues, "tables": tables, "manifest": engine_manifest}[what]


def seeds_of(what: str) -> list[bytes]:
    """Whole inputs to begin with: without one, no mutant gets past the first check."""
    if what == "tables":
        return [CSV.encode()]
    if what == "manifest":
        return [path.read_bytes() for path in sorted(ENGINES.rglob("manifest.json"))]
    return [bytes([i]) + text.encode() for i, text in enumerate(SUBTITLES.values())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["cues", "tables", "manifest"])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds_of(given.what)):
            (corpus / str(number)).write_bytes(seed)
        options = [sys.argv[0], str(corpus), f"-max_total_time={given.seconds}", f"-seed={given.seed}"]
        options += ["-max_len=10000", f"-artifact_prefix={scratch}/"]
        atheris.Setup(options, target(given.what, Path(scratch)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
