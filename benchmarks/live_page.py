"""The page of `emoje-edge serve`, measured in a browser: python benchmarks/live_page.py VIDEO [CHROMIUM]

One JSON line: requests to elsewhere, first skeleton, skeletons a second, marks, a client that does not read, a restart.
Wants idle cores; the table of refusals and the content policy are in tests/serve.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
from live_source import Server, free_port
from playwright.sync_api import Page, sync_playwright

SECONDS = 30.0


class Served:
    """`emoje-edge serve` of an address."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emoje_edge", "serve", *arguments], stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr
        for line in self.process.stderr:
            if found := re.search(r"(http://127\.0\.0\.1:(\d+)/#(\S+))", line):
                self.address, self.port, self.token = found[1], int(found[2]), found[3]
                return
        raise AssertionError("no address was printed")

    def megabytes(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def listens_on(self) -> set[str]:
        connections = psutil.Process(self.process.pid).net_connections("inet")
        return {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def count(page: Page, what: str) -> int:
    return int(page.locator("body").evaluate(f"() => window.{what}"))


def skeletons_a_second(page: Page, seconds: float) -> tuple[float, int]:
    """Skeletons painted a second, and the least in any one of the seconds."""
    counts = []
    for _ in range(round(seconds)):
        counts.append(count(page, "poses"))
        time.sleep(1.0)
    counts.append(count(page, "poses"))
    each = [b - a for a, b in pairwise(counts)]
    return round(sum(each) / seconds, 1), min(each)


def one_that_does_not_read(served: Served) -> socket.socket:
    """A client that asks for the events and takes none of them."""
    there = socket.create_connection(("127.0.0.1", served.port))
    there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    head = f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {served.token}\r\n\r\n"
    there.sendall(head.encode())
    return there


def measure(video: Path, chromium: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        server = Server(Path(folder), video)
        server.start()
        arguments = ["--port", str(free_port()), "--token-file", str(Path(folder) / "token"), server.address]
        served = Served(*arguments)
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page, asked = browser.new_page(), []
            page.on("request", lambda request: asked.append(request.url))
            # the first page waits for the camera itself; the second finds it running
            page.goto(served.address)
            while count(page, "marks") < 1:
                time.sleep(0.1)
            second = browser.new_page()
            second.goto(served.address)
            begin = time.perf_counter()
            while count(second, "poses") < 1:
                time.sleep(0.01)
            found["first_skeleton_s"] = round(time.perf_counter() - begin, 2)
            second.close()
            found["skeletons_a_second"], found["least_in_a_second"] = skeletons_a_second(page, SECONDS)
            before = served.megabytes()
            stopped = one_that_does_not_read(served)
            found["beside_one_that_does_not_read"], _ = skeletons_a_second(page, SECONDS)
            found["it_costs_MB"] = round(served.megabytes() - before, 1)
            stopped.close()
            found["listens_on"] = sorted(served.listens_on())
            found["marks_and_rows"] = [count(page, "marks"), page.locator(".rows li:not(.gap)").count()]
            served.end()
            page.locator("#link[data-state=lost]").wait_for()
            rows = count(page, "marks")
            served = Served(*arguments)
            page.locator("#link[data-state=live]").wait_for()
            while count(page, "marks") < rows + 1:
                time.sleep(0.1)
            found["after_a_restart"] = [rows, count(page, "marks")]
            found["foreign_requests"] = sum(f"//127.0.0.1:{served.port}/" not in url for url in asked)
            found["requests"] = len(asked)
        finally:
            browser.close()
            served.end()
            server.kill()
    return found


if __name__ == "__main__":
    where = sys.argv[2] if len(sys.argv) > 2 else shutil.which("chromium") or "chromium"
    print(json.dumps({"measured": "page", **measure(Path(sys.argv[1]), where)}))
