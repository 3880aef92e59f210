"""The timeline as a page: it opens in a browser, shows each utterance, fetches nothing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from emoje_edge.report.timeline import draw_timeline
from tests.report.events import make_event

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EVENTS = [
    make_event(0, text="Oh </script><b>my God!"),
    make_event(2, speaker=None, empty=True),
    make_event(3700, speaker="MÓNICA"),
]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    draw_timeline(EVENTS, tmp_path / "t.html", title="a & <i>b.mp4")
    return tmp_path / "t.html"


def test_the_rows_are_in_it_and_no_text_of_theirs_is_markup(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    found = json.loads(data)
    assert [row["emotion"] for row in found["rows"]] == ["joy", None, "joy"]
    assert [row["sure"] for row in found["rows"]] == [0.7, 0.0, 0.7]
    assert found["rows"][0]["text"] == "Oh </script><b>my God!"
    assert found["title"] == "a & <i>b.mp4"


def test_it_fetches_nothing(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href|url)\s*[=(]|https?:|import |fetch\(", html)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_draws_it(page: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser is part of the test extra")
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1000, "height": 700})
        problems: list[str] = []
        view.on("pageerror", lambda error: problems.append(str(error)))
        view.goto(page.as_uri())
        assert "Oh </script><b>my God!" in view.inner_text("#told")
        view.keyboard.press("ArrowRight")
        view.keyboard.press("ArrowRight")
        assert "MÓNICA: joy" in view.inner_text("#told")
        browser.close()
    assert not problems
