"""The page in a browser: what it asks for, what it shows, how it comes back."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from emoje_edge.serve.hub import Hub
from emoje_edge.serve.server import PageServer

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (the test extra)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BODY = [[0.5 + 0.02 * joint, 0.1 + 0.06 * joint, 1.0] for joint in range(13)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = found.new_context()
        context.set_default_timeout(300_000)  # ms: a machine on which other tests run may be slow
        yield context
        found.close()


def row(number: int, **more: Any) -> dict[str, Any]:
    base = {
        "source": "cam",
        "start": float(number),
        "end": number + 0.9,
        "speaker": "ROSS",
        "text": "That is wonderful!",
    }
    return {**base, "emotion": "joy", "confidence": 0.7, "weights": {"text": 0.8, "pose": 0.2}, **more}


def pixels(page: Any) -> str:
    return page.locator("canvas.body").evaluate("canvas => canvas.toDataURL()")


def until_painted(page: Any, skeletons: int) -> None:
    """Wait until so many skeletons were painted, however slow the machine is."""
    while page.locator("body").evaluate("() => window.poses") < skeletons:
        page.wait_for_timeout(20)


def test_a_row_is_one_mark_and_nothing_is_fetched_from_elsewhere(browser: Any) -> None:
    hub = Hub()
    with PageServer(hub) as server:
        page, asked, troubles = browser.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(server.address)
        for number in range(3):
            hub.row("row", row(number))
        hub.row("gap", {"source": "cam", "start": 4.0, "end": 6.5, "why": "the stream stalled"})
        page.locator(".rows li").nth(3).wait_for()
        assert page.locator(".rows li").count() == 4
        assert page.locator(".emotion").inner_text() == "joy 70 %"
        assert "“That is wonderful!”" in page.locator(".words").inner_text()
        assert page.locator(".rests").inner_text().split() == ["words", "80", "%", "body", "20", "%"]
        assert page.locator(".rows .gap").inner_text().split("\n")[1:] == ["lost 2.5 s", "the stream stalled"]
        assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{server.port}"}
        assert all(server.token not in url.partition("#")[0] for url in asked)
        assert troubles == []
        page.close()


def test_the_skeleton_moves(browser: Any) -> None:
    hub = Hub()
    with PageServer(hub) as server:
        page = browser.new_page()
        page.goto(server.address)
        hub.state("cam", {"state": "live"})
        page.locator("canvas.body").wait_for()
        seen = set()
        for shift in (0.0, 0.1, 0.2):
            people = [[[x + shift, y, v] for x, y, v in BODY]]
            hub.passing("pose", {"source": "cam", "time": shift, "aspect": 1.5, "people": people})
            until_painted(page, len(seen) + 1)
            seen.add(pixels(page))
        assert len(seen) == 3
        page.close()


def test_an_open_utterance_shows_and_leaves_no_mark_and_reasons_are_words(browser: Any) -> None:
    hub = Hub()
    with PageServer(hub) as server:
        page = browser.new_page()
        page.goto(server.address)
        hub.row("row", row(0, emotion=None, confidence=None, weights={}, text=None, reason="no_speech"))
        page.locator(".rows li").first.wait_for()
        assert page.locator(".rows .what").all_inner_texts() == ["nobody speaks"]
        hub.passing("open", row(1, emotion="anger", final=False))
        page.locator(".answer[data-open=true]").wait_for()
        assert page.locator(".emotion .name").inner_text() == "anger"
        assert page.locator(".rows li").count() == 1
        hub.row("row", row(1, emotion="anger"))
        page.locator(".rows li").nth(1).wait_for()
        assert page.locator(".shares").first.get_attribute("aria-label") == "rests on words 80 %, body 20 %"
        assert page.locator(".answer").get_attribute("data-open") == "false"
        page.close()


def test_it_comes_back_by_itself_with_no_row_twice(browser: Any) -> None:
    hub = Hub()
    server = PageServer(hub)
    with server:
        page = browser.new_page()
        page.goto(server.address)
        hub.row("row", row(0))
        page.locator(".rows li").first.wait_for()
    page.locator("#link[data-state=lost]").wait_for()
    again = PageServer(hub, server.port)
    again.token = server.token
    hub.row("row", row(1, emotion="anger"))
    with again:
        page.locator(".rows li").nth(1).wait_for()
        assert page.locator(".rows .what").all_inner_texts() == ["anger", "joy"]
        page.close()


def test_without_the_token_it_says_what_to_do(browser: Any) -> None:
    with PageServer(Hub()) as server:
        page = browser.new_page()
        page.goto(server.address.partition("#")[0])
        page.locator("#link[data-state=lost]").wait_for()
        assert "open the one that was printed" in page.locator("#link").inner_text()
        page.close()
