"""Playlists and pictures from a server on this machine; whatever leads elsewhere is refused before it is asked."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.http_source import _Host
from emoje_edge.perception.media import AudioBlock, Media, VideoFrame


class Server:
    """Answers from a table of path -> (status, headers, body); keeps what it was asked for."""

    def __init__(self) -> None:
        self.table: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.heads: list[Any] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                server.heads.append(self.headers)
                status, head, body = server.table.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **head}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.port = self._http.server_address[1]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def named() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def other() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def playlist(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> dict[str, bytes]:
    """Ten seconds of talk as a playlist and its pieces, by name."""
    folder = tmp_path_factory.mktemp("hls")
    with (
        av.open(str(shared_data / "video" / "face_recognition_short_hamilton.mp4")) as source,
        av.open(str(folder / "live.m3u8"), "w", format="hls", options={"hls_list_size": "0"}) as out,
    ):
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def serve(server: Server, playlist: dict[str, bytes]) -> None:
    server.table.update({f"/{name}": (200, {}, body) for name, body in playlist.items()})


def read_all(server: Server) -> None:
    with Media(f"http://127.0.0.1:{server.port}/live.m3u8", http=True) as media:
        for _ in media.decode():
            pass


def test_a_playlist_is_read_from_the_named_host(named: Server, playlist: dict[str, bytes]) -> None:
    serve(named, playlist)
    named.table["/"] = (302, {"Location": "/live.m3u8"}, b"")
    with Media(f"http://camera:secret@127.0.0.1:{named.port}/", http=True) as media:
        assert (media.info.has_video, media.info.has_audio, media.ahead, media.live) == (True, True, True, True)
        items = list(media.decode(fps=10))
    assert len([x for x in items if isinstance(x, VideoFrame)]) == pytest.approx(100, abs=12)
    assert sum(x.samples.size for x in items if isinstance(x, AudioBlock)) / 16_000 == pytest.approx(10, abs=0.3)
    assert set(named.asked) == {"/"} | {f"/{name}" for name in playlist}
    assert {head["Authorization"] for head in named.heads} == {"Basic Y2FtZXJhOnNlY3JldA=="}


def test_moving_jpeg_pictures_are_read(named: Server, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mjpeg"), "w", format="mpjpeg") as out:
        stream = out.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for _ in range(5):
            out.mux(stream.encode(av.VideoFrame(64, 48, "yuvj420p")))
        out.mux(stream.encode(None))
    body = (tmp_path / "a.mjpeg").read_bytes()
    named.table["/video.cgi"] = (200, {"Content-Type": "multipart/x-mixed-replace; boundary=ffmpeg"}, body)
    with Media(f"http://127.0.0.1:{named.port}/video.cgi", http=True) as media:
        items = media.decode()
        pictures = [next(items) for _ in range(5)]
    assert [item.pixels.shape for item in pictures if isinstance(item, VideoFrame)] == [(48, 64, 3)] * 5
    assert [item.time for item in pictures] == sorted(item.time for item in pictures)


@pytest.mark.parametrize("what", ["redirect", "piece", "list in a list"])
def test_what_leads_to_another_host_is_refused_and_never_asked(
    named: Server, other: Server, playlist: dict[str, bytes], what: str
) -> None:
    serve(named, playlist)
    serve(other, playlist)
    elsewhere = f"http://localhost:{other.port}"
    if what == "redirect":
        named.table["/live.m3u8"] = (302, {"Location": f"{elsewhere}/live.m3u8"}, b"")
    elif what == "piece":
        body = playlist["live.m3u8"].replace(b"live0.ts", f"{elsewhere}/live0.ts".encode())
        named.table["/live.m3u8"] = (200, {}, body)
    else:
        body = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{elsewhere}/live.m3u8\n".encode()
        named.table["/live.m3u8"] = (200, {}, body)
    with pytest.raises(WorkError, match=r"live\.m3u8 leads to http://localhost.*: only http://127\.0\.0\.1 was named"):
        read_all(named)
    assert other.asked == []


def test_a_piece_in_the_middle_that_leads_elsewhere_is_refused(
    named: Server, other: Server, playlist: dict[str, bytes]
) -> None:
    serve(named, playlist)
    last = sorted(name for name in playlist if name.endswith(".ts"))[-1]
    body = playlist["live.m3u8"].replace(last.encode(), f"http://localhost:{other.port}/{last}".encode())
    named.table["/live.m3u8"] = (200, {}, body)
    with pytest.raises(WorkError, match="leads to"):
        read_all(named)
    assert other.asked == []


def test_a_secure_address_never_becomes_a_plain_one() -> None:
    with pytest.raises(WorkError, match="leads to http://camera"):
        _Host("https://camera/live.m3u8")._checked("http://camera/live.m3u8")


def test_it_has_to_be_allowed_and_nothing_is_asked_before(named: Server) -> None:
    with pytest.raises(UsageError) as error:
        Media(f"http://user:secret@127.0.0.1:{named.port}/live.m3u8")
    assert "--allow-http" in error.value.hint
    assert "secret" not in str(error.value)
    assert named.asked == []


def test_neither_a_playlist_nor_pictures(named: Server) -> None:
    named.table["/page"] = (200, {"Content-Type": "text/html"}, b"<html>")
    with pytest.raises(WorkError, match="is text/html"):
        Media(f"http://127.0.0.1:{named.port}/page", http=True)
    with pytest.raises(WorkError, match="answers 404"):
        Media(f"http://127.0.0.1:{named.port}/gone.m3u8", http=True)
