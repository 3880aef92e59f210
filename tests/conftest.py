"""Shared fixtures: the real data beside the checkout, where there is any."""

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real, labelled data; a user's checkout has none, and the test says so."""
    if not DATA.is_dir():
        pytest.skip("no ../shared/data beside this checkout: the labelled data are not part of the product")
    return DATA
