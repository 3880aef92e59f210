"""Engines: every mask at batch 1 with a running dialogue state, and offline batches."""

from collections.abc import Iterator
from itertools import cycle

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from emoje_edge import Mask
from emoje_edge.bench.time_engines import example_inputs
from emoje_edge.engine.backends import BACKENDS
from emoje_edge.engine.session import find_engine, open_engine

ENGINES = [(mask, backend) for backend in BACKENDS for mask in Mask.all() if find_engine(mask, backend)]
engines = pytest.mark.parametrize(("mask", "backend"), ENGINES, ids=lambda value: str(value))


def streaming(session: object, sets: list[dict]) -> Iterator[None]:
    """Utterances of one dialogue: each step's state is the next one's input."""
    state = sets[0]["state"]
    for arrays in cycle(sets):
        state = session.run({**arrays, "state": state})["next_state"]  # type: ignore[attr-defined]
        yield


@engines
@pytest.mark.benchmark(group="engine, batch 1, streaming with dialogue state")
def test_streaming(benchmark: BenchmarkFixture, mask: Mask, backend: str, threads: int) -> None:
    session = open_engine(mask, backend=backend, threads=threads)
    steps = streaming(session, example_inputs(session.manifest))
    benchmark.extra_info |= {"precision": session.manifest.precision, "threads": threads}
    benchmark.pedantic(lambda: next(steps), warmup_rounds=10, rounds=200)


@engines
@pytest.mark.parametrize("batch", [16, 64, 256])
@pytest.mark.benchmark(group="engine, offline batches")
def test_offline(benchmark: BenchmarkFixture, mask: Mask, backend: str, batch: int, threads: int) -> None:
    session = open_engine(mask, backend=backend, threads=threads)
    if session.manifest.inputs[0].shape[0] != "batch":
        pytest.skip(f"the {backend} engine was built for one batch size")
    inputs = cycle(example_inputs(session.manifest, batch=batch, sets=2))
    benchmark.extra_info |= {"precision": session.manifest.precision, "threads": threads, "batch": batch}
    benchmark.pedantic(lambda: session.run(next(inputs)), warmup_rounds=1, rounds=5)
