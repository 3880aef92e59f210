"""Hints name commands that work: the extras are declared, and the checkout that is named is there."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from emoje_edge.engine import install
from emoje_edge.extras import checkout, target
from emoje_edge.extras import install as install_command

HOUSE = Path(__file__).resolve().parents[1]
PRODUCT = [*(HOUSE / "emoje_edge").rglob("*.py"), *(HOUSE / "kernels").rglob("*.py")]


def declared() -> set[str]:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project["optional-dependencies"])


def test_every_extra_that_is_asked_for_is_declared() -> None:
    asked = {
        name
        for path in PRODUCT
        for names in re.findall(r"\b(?:install|target)\([\"']([a-z,]+)[\"']\)", path.read_text(encoding="utf-8"))
        for name in names.split(",")
    }
    assert {"build", "gpu", "tensorrt", "mediapipe", "corpus", "cluster"} <= asked
    assert asked <= declared()


def test_a_hint_names_this_checkout() -> None:
    assert checkout() == HOUSE
    *_, last = shlex.split(install_command("build"))
    assert last == f"{HOUSE}[build]"
    for machine in (install.CPU, install.X86_GPU, install.JETPACK_6, install.JETPACK_7):
        assert all(str(HOUSE) in command for command in machine.commands.values())


def test_installed_from_a_wheel_the_hint_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    extras = sys.modules["emoje_edge.extras"]
    monkeypatch.setattr(extras, "__file__", str(tmp_path / "site-packages" / "emoje_edge" / "extras.py"))
    assert checkout() is None
    assert target("build") == "'.[build]'"
    assert install_command("build") == "pip install '.[build]' in a checkout of emoje-edge"


def test_no_hint_names_an_index_that_does_not_have_the_package() -> None:
    for path in PRODUCT:
        assert "emoje-edge[" not in path.read_text(encoding="utf-8"), path
