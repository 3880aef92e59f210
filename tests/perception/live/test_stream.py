"""A network stream that ends, stalls, comes back or stays away, from a server on this machine."""

import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emoje_edge.errors import WorkError
from emoje_edge.perception.live.inbox import Item, Lost
from emoje_edge.perception.live.stream import LiveStream
from emoje_edge.perception.media import AudioBlock, VideoFrame

SERVER = shutil.which("rtsp-server")
Start = Callable[[], "subprocess.Popen[bytes]"]
Items = Iterator[Item]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path, shared_data: Path) -> Iterator[tuple[str, Start]]:
    """An address, and what starts the server behind it; all that were started end with the test."""
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


def until(items: Items, end: Callable[[Item], bool]) -> list[float]:
    """Times of the pictures and sound up to an item."""
    times = []
    for item in items:
        if isinstance(item, (AudioBlock, VideoFrame)):
            times.append(item.time)
        if end(item):
            return times
    raise AssertionError("the stream ended")


def test_a_lost_stream_comes_back_later_in_the_same_time(server: tuple[str, Start]) -> None:
    address, start = server
    running = start()
    threads = threading.active_count()
    with LiveStream([address]) as stream:
        assert (stream.info.has_video, stream.info.has_audio) == (True, True)
        items = stream.decode(fps=12.5)
        before = until(items, lambda item: isinstance(item, AudioBlock) and item.time > 1.0)
        running.send_signal(signal.SIGKILL)
        until(items, lambda item: isinstance(item, Lost))
        start()
        after = until(items, lambda item: isinstance(item, VideoFrame))
        (gap,) = stream.gaps()
        assert stream.reconnects == 1
        assert max(before) <= gap.start <= gap.end
        assert min(after[-1:]) >= max(before)
        status = stream.status(0.0, 1.0, 12.5)
        assert status["lag_ms"] > 0
        assert status["reconnects"] == 1
        assert "secret" not in f"{stream} {gap} {status}"
    assert threading.active_count() == threads


def test_a_stream_that_stays_away_is_given_up_by_name(server: tuple[str, Start]) -> None:
    address, start = server
    running = start()
    with LiveStream([address], reconnect=0.5) as stream:
        items = stream.decode(video=False)
        next(items)
        running.send_signal(signal.SIGKILL)
        with pytest.raises(WorkError, match=r"127\.0\.0\.1.* was lost at") as error:
            for _ in items:
                pass
    assert "secret" not in str(error.value)


def test_a_stream_that_is_not_there_says_so_at_once(server: tuple[str, Start]) -> None:
    address, _ = server
    with pytest.raises(WorkError, match="gives no stream") as error:
        LiveStream([address])
    assert "secret" not in str(error.value)
    assert "play it" not in str(error.value)
