"""Shared fixtures, and how the suite spreads over processes: one a core, each with one thread."""

import os
import random
import sys
from pathlib import Path

# before torch and the subprocesses of the tests: threads of several processes on one core wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

# the gate says the same of the same code; `HYPOTHESIS_PROFILE=default pytest` looks further
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# started first, longest first, so that the processes end together
LONGEST = (
    "engine/test_tensorrt_lowering.py",
    "kernels/test_interpreter.py",
    "cli/test_bad_input.py",
    "engine/test_aot.py",
)
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Every test draws the same numbers, alone and in any company."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


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
