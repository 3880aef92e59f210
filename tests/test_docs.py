"""The documents: every page has a place in the site, every link leads somewhere, the site builds without a warning."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
DOCS = HOUSE / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def test_every_page_is_in_the_navigation() -> None:
    nav = set(re.findall(r"([\w/-]+\.md)$", (HOUSE / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert nav == {page.relative_to(DOCS).as_posix() for page in PAGES}


def test_every_folder_of_the_house_exists() -> None:
    named = re.findall(r"`((?:emoje_edge|research|tests|calibration|kernels|benchmarks)/[\w/.-]*)`", "\n".join(
        page.read_text(encoding="utf-8") for page in PAGES
    ))  # fmt: skip
    assert not [name for name in named if not (HOUSE / name).exists()]


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="the site is an extra: pip install '.[docs]'")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=HOUSE, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "how-it-works" / "index.html").stat().st_size > 5000
