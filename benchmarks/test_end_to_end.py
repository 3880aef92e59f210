"""The whole command in a process of its own, start-up included: wall time, cold start, memory."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from emoje_edge.perception.media import probe


def command(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "emoje_edge", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.benchmark(group="end to end, a process of its own")
@pytest.mark.parametrize("mask", ["auto", "pose", "audio"])
def test_infer(benchmark: BenchmarkFixture, video: Path, mask: str) -> None:
    """`emoje-edge infer` on the clip; `extra_info` holds the clip's seconds, rows and the children's peak memory."""
    rows = benchmark.pedantic(lambda: command("infer", str(video), "--mask", mask), warmup_rounds=1, rounds=3)
    benchmark.extra_info |= {
        "seconds_of_video": probe(video).duration,
        "rows": len([json.loads(line) for line in rows.splitlines()]),
        "peak_mib_of_any_child": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]], ids=" ".join)
@pytest.mark.benchmark(group="cold start")
def test_cold_start(benchmark: BenchmarkFixture, arguments: list[str]) -> None:
    benchmark.pedantic(lambda: command(*arguments), warmup_rounds=1, rounds=5)


@pytest.mark.benchmark(group="cold start")
def test_first_sentence(benchmark: BenchmarkFixture) -> None:
    """From an empty process to the emotion of one sentence through the Python API."""
    code = "import emoje_edge; print(emoje_edge.Recognizer('text').recognize(text='what a day!').emotion)"
    benchmark.pedantic(lambda: subprocess.run([sys.executable, "-c", code], check=True), warmup_rounds=1, rounds=5)
