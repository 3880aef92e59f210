"""How many processes `-n auto` means."""

import os
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"


@pytest.hookimpl(optionalhook=True)  # on a device there may be pytest without xdist
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Every core that this process may use, four at most (a worker holds up to 1 GB); none where time is measured."""
    if any(Path(x.split("::")[0]).resolve().is_relative_to(BENCHMARKS) for x in config.args):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(4, cores)
