"""The same work done in other ways, call by call on the same inputs and threads."""

from itertools import cycle

import pytest
from contenders import CONTENDERS, late_fusion
from pytest_benchmark.fixture import BenchmarkFixture

from emoje_edge import Mask
from emoje_edge.bench.time_engines import example_inputs
from emoje_edge.engine.session import open_engine
from emoje_edge.errors import WorkError


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.parametrize("mask", [Mask(7), Mask.parse("pose")], ids=str)
@pytest.mark.benchmark(group="the same network, batch 1")
def test_runtimes(benchmark: BenchmarkFixture, name: str, mask: Mask, threads: int) -> None:
    inputs = cycle(example_inputs(open_engine(mask).manifest))
    try:
        run = CONTENDERS[name](mask, threads)
    except WorkError as error:
        pytest.skip(str(error))
    benchmark.pedantic(lambda: run(next(inputs)), warmup_rounds=10, rounds=100)


@pytest.mark.benchmark(group="what people would pick instead, batch 1")
def test_late_fusion_of_two_large_models(benchmark: BenchmarkFixture, threads: int) -> None:
    inputs = cycle(example_inputs(open_engine(Mask(7)).manifest))
    run = late_fusion(Mask(7), threads)
    benchmark.pedantic(lambda: run(next(inputs)), warmup_rounds=1, rounds=5)
