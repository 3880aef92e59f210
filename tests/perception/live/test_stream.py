"""A network stream that ends, comes back, changes or stays away, from a server on this machine."""

import io
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.live.inbox import Item, Lost
from emoje_edge.perception.live.reader import Gap
from emoje_edge.perception.live.stream import LiveStream, opened
from emoje_edge.perception.media import AudioBlock, VideoFrame
from tests.perception.conftest import tone, write_clip
from tests.perception.live.conftest import Start, free_port

Items = Iterator[Item]


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


def test_a_stream_that_is_closed_is_not_called_lost(
    server: tuple[str, Start], caplog: pytest.LogCaptureFixture
) -> None:
    address, start = server
    start()
    with LiveStream([address]) as stream:
        items = stream.decode(fps=12.5)
        until(items, lambda item: isinstance(item, AudioBlock) and item.time > 0.5)
    assert "lost" not in caplog.text


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


def camera_clip(path: Path, size: tuple[int, int]) -> Path:
    """Four seconds as a camera sends them: H.264 at 10 pictures a second, AAC at 16 kHz."""
    with av.open(str(path), "w") as out:
        video, audio = out.add_stream("libx264", rate=10), out.add_stream("aac", rate=16_000)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        for number in range(40):
            picture = av.VideoFrame(*size, "yuv420p")
            picture.pts = number
            out.mux(video.encode(picture))
        samples = av.AudioFrame.from_ndarray(tone(4.0)[None], format="fltp", layout="mono")
        samples.rate, samples.pts = 16_000, 0
        out.mux(audio.encode(samples))
        out.mux([*video.encode(None), *audio.encode(None)])
    return path


def test_a_camera_that_comes_back_with_another_size_and_sound_goes_on(
    server: tuple[str, Start], tmp_path: Path
) -> None:
    address, start = server
    running = start()
    with LiveStream([address]) as stream:
        items = stream.decode()
        until(items, lambda item: isinstance(item, VideoFrame) and item.pixels.shape == (360, 640, 3))
        running.send_signal(signal.SIGKILL)
        other = camera_clip(tmp_path / "other.mp4", (320, 240))
        other.replace(tmp_path / "talk.mp4")
        start()
        until(items, lambda item: isinstance(item, VideoFrame) and item.pixels.shape == (240, 320, 3))
        until(items, lambda item: isinstance(item, AudioBlock))
        assert stream.reconnects == 1


def test_a_size_that_changes_in_the_middle_goes_on(tmp_path: Path) -> None:
    """Two sizes one after the other in the same transport stream, sent again and again."""
    sent = [
        write_clip(tmp_path / f"{width}.ts", seconds=2.0, size=(width, 48), sound=tone(2.0)).read_bytes()
        for width in (64, 96)
    ]
    port, done = free_port(), threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not done.is_set():
                for data in sent:
                    for first in range(0, len(data), 1316):
                        out.sendto(data[first : first + 1316], ("127.0.0.1", port))
                    done.wait(0.2)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        with LiveStream([f"udp://127.0.0.1:{port}"]) as stream:
            items = stream.decode()
            times = []
            for width in (64, 96, 64, 96):
                wanted = (48, width, 3)
                times += until(items, lambda item, w=wanted: isinstance(item, VideoFrame) and item.pixels.shape == w)
            assert stream.reconnects == 0
    finally:
        done.set()
        sender.join()


def test_what_was_said_before_a_long_gap_counts_no_longer(server: tuple[str, Start]) -> None:
    address, start = server
    start()
    with LiveStream([address]) as stream:
        stream.came_back(Gap(10.0, 39.0, "it was short"))
        assert not stream.forgets(50.0)
        stream.came_back(Gap(60.0, 90.0, "it was long"))
        assert not stream.forgets(59.0)
        assert stream.forgets(91.0)
        assert not stream.forgets(95.0)
        assert [gap.why for gap in stream.gaps()] == ["it was short", "it was long"]


@pytest.mark.parametrize("given", [io.BytesIO(b""), (n for n in range(3)), 3.5, None, True])
def test_what_is_no_source_says_what_to_give(given: object) -> None:
    with pytest.raises(UsageError, match="is no source") as error:
        opened(given)
    assert "give a path" in error.value.hint


def test_a_number_is_a_camera() -> None:
    with pytest.raises(WorkError, match="webcam:97 cannot be opened"):
        opened(97)
