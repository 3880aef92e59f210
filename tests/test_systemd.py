"""What systemd is told, over a socket of our own."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emoje_edge.systemd import Notifier

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd is Linux's")


@pytest.fixture(params=["file", "abstract"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A name as systemd gives it, and the socket behind it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        name = str(tmp_path / "notify") if request.param == "file" else f"@emoje-edge-{os.getpid()}"
        found.bind(name.replace("@", "\0") if request.param == "abstract" else name)
        found.setblocking(False)
        yield name, found


def received(there: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(there.recv(100).decode())
        except BlockingIOError:
            return found


def test_ready_once_then_signs_of_life_at_half_the_watchdogs_time(there: tuple[str, socket.socket]) -> None:
    name, listening = there
    now = [100.0]
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000000"}, clock=lambda: now[0])
    for seconds in (0.0, 1.0, 9.9, 10.0, 10.1, 19.9, 20.0):
        now[0] = 100.0 + seconds
        notifier.alive()
    assert received(listening) == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]


@pytest.mark.parametrize("watchdog", [{}, {"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}])
def test_no_signs_without_a_watchdog_of_ours(there: tuple[str, socket.socket], watchdog: dict[str, str]) -> None:
    name, listening = there
    now = [0.0]
    notifier = Notifier({"NOTIFY_SOCKET": name, **watchdog}, clock=lambda: now[0])
    for now[0] in (1.0, 100.0, 200.0):
        notifier.alive()
    assert received(listening) == ["READY=1"]


def test_without_systemd_nothing_happens_and_a_socket_that_is_gone_hurts_nobody(tmp_path: Path) -> None:
    Notifier({}).alive()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()
