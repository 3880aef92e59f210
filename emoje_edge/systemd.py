"""Signs of life for systemd (`Type=notify`, `WatchdogSec=`): sd_notify(3), a datagram to the socket that it names.

Signs come from the loop that recognises, not from a thread of their own: where that hangs, systemd notices.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping


class Notifier:
    """Tells systemd that the service is ready and alive; does nothing where systemd did not start it.

    Args:
        environment: has `NOTIFY_SOCKET` and, with a watchdog, `WATCHDOG_USEC`.
    """

    def __init__(
        self, environment: Mapping[str, str] = os.environ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        place = environment.get("NOTIFY_SOCKET", "")
        self._place = "\0" + place[1:] if place.startswith("@") else place
        given = environment.get("WATCHDOG_USEC", "")
        # half of the time that systemd waits, as its manual recommends
        self._every = int(given) / 2e6 if given.isdecimal() and _meant(environment) else float("inf")
        self._clock, self._ready, self._told = clock, False, 0.0

    def alive(self) -> None:
        """The loop went round: the first time that means ready."""
        if not self._place:
            return
        now = self._clock()
        if not self._ready:
            self._ready, self._told = True, now
            self._send("READY=1")
        elif now - self._told >= self._every:
            self._told = now
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.setblocking(False)  # who does not read must not hold up a camera
            with contextlib.suppress(OSError):  # systemd is gone or slow; it asks again by itself
                there.sendto(text.encode(), self._place)


def _meant(environment: Mapping[str, str]) -> bool:
    """Whether the watchdog is this process's, and not that of the one that started it."""
    return environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
