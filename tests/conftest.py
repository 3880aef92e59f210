"""Shared fixtures, and how the suite spreads over processes: one a core, each with one thread."""

import os
from pathlib import Path

# before torch and the subprocesses of the tests: threads of several processes on one core wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

# started first, longest first, so that the processes end together
LONGEST = (
    "engine/test_tensorrt_lowering.py",
    "kernels/test_interpreter.py",
    "cli/test_bad_input.py",
    "engine/test_aot.py",
)
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real, labelled data; a user's checkout has none, and the test says so."""
    if not DATA.is_dir():
        pytest.skip("no ../shared/data beside this checkout: the labelled data are not part of the product")
    return DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first."""
    here = Path(__file__).parent
    rank = {here / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
