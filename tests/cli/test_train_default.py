"""`train default` runs the recipe of the checkout, and says what to do where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]


def train_default(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(house / part) for part in (".", "kernels", "calibration"))
    return subprocess.run(
        [sys.executable, "-m", "emoje_edge", "train", "default", *arguments],
        cwd=house, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_recipe_of_the_checkout_is_run(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    encoder = ("--encoder", str(tmp_path / "nothing"))
    done = train_default(HOUSE, "--root", str(tmp_path), "--out", str(tmp_path / "run"), *encoder)
    # it got as far as the sentence encoder or the corpora, neither of which is there
    assert done.returncode == 2, done.stderr
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_recipes_the_checkout_is_named(tmp_path: Path) -> None:
    shutil.copytree(
        HOUSE / "emoje_edge", tmp_path / "emoje_edge", ignore=shutil.ignore_patterns("assets", "__pycache__")
    )
    done = train_default(tmp_path, "--root", str(tmp_path), "--out", str(tmp_path / "run"))
    assert done.returncode == 2, done.stderr
    assert "clone the repository" in done.stderr
