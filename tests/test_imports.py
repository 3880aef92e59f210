"""Imports run one way: research stands on the product, never the product on research."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
PRODUCT = [HOUSE / name for name in ("emoje_edge", "kernels/emoje_kernels", "calibration/emoje_calibration")]
FILES = [path for folder in PRODUCT for path in sorted(folder.rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """Names of all modules that a file imports, at its head or within a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_the_product_does_not_import_research(path: Path) -> None:
    assert not [name for name in imported(path) if name.split(".")[0] == "research"]


GROUND = [
    path for path in FILES if path.is_relative_to(HOUSE / "kernels") or path.is_relative_to(HOUSE / "calibration")
]


@pytest.mark.parametrize("path", GROUND, ids=lambda path: path.name)
def test_kernels_and_calibration_are_ground_floors(path: Path) -> None:
    assert not [name for name in imported(path) if name.split(".")[0] == "emoje_edge"]


def test_research_is_not_in_the_wheel(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path / "lib")],
        cwd=HOUSE, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "lib").iterdir()} == {"emoje_edge", "emoje_kernels", "emoje_calibration"}
