"""A network camera on this machine, to be killed and started again."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SERVER = shutil.which("rtsp-server")
Start = Callable[[], "subprocess.Popen[bytes]"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path, shared_data: Path) -> Iterator[tuple[str, Start]]:
    """An address, and what starts the server behind it; all that were started end with the test.

    The file that it plays is `talk.mp4` in the test's folder.
    """
    if SERVER is None:
        pytest.skip("no RTSP server on this machine (aio-rtsp-toolkit, the test extra)")
    shutil.copy(shared_data / "video" / "face_recognition_short_hamilton.mp4", tmp_path / "talk.mp4")
    port, control = free_port(), free_port()
    command = [SERVER, "-d", str(tmp_path), "-H", "127.0.0.1", "-p", str(port), "-cp", str(control)]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started.append(running)
        while running.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return running
            except OSError:
                continue
        raise AssertionError("the RTSP server did not start")

    yield f"rtsp://user:secret@127.0.0.1:{port}/talk.mp4", start
    for running in started:
        running.send_signal(signal.SIGKILL)
        running.wait()
