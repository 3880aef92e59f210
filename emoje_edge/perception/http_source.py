"""Playlists and moving pictures over HTTP, from the host that was named and no other.

FFmpeg would follow redirects, and fetch whatever a playlist names.  So it opens nothing here: each request is ours, and
one that leads to another host is refused before anything is sent there.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import av

from emoje_edge.errors import UsageError, WorkError

SCHEMES = ("http", "https")
PATIENCE = 10.0  # s without a byte
AWAY = "is the camera or its server on, and the address right? (rows found so far are kept)"
_REDIRECTS = 5
# what a server calls it, or else how the path ends -> FFmpeg's name
_TYPES = {
    "application/vnd.apple.mpegurl": "hls",
    "application/x-mpegurl": "hls",
    "audio/mpegurl": "hls",
    "audio/x-mpegurl": "hls",
    "multipart/x-mixed-replace": "mpjpeg",
    "video/x-motion-jpeg": "mjpeg",
    "video/x-mjpeg": "mjpeg",
}
_ENDINGS = {".m3u8": "hls", ".mjpeg": "mjpeg", ".mjpg": "mjpeg"}
# of a playlist: every request is made by `io_open`, and FFmpeg itself opens nothing but what stands in the list itself;
# of pictures, which bear no times: those of their arrival
_OPTIONS = {
    True: {"http_persistent": "0", "http_multiple": "0", "extension_picky": "0", "protocol_whitelist": "data"},
    False: {"use_wallclock_as_timestamps": "1"},
}


def is_http(source: object) -> bool:
    """Whether a source is such an address."""
    return isinstance(source, str) and source.lower().startswith(tuple(f"{scheme}://" for scheme in SCHEMES))


def open_http(source: str, *, allowed: bool) -> tuple[Any, Callable[[], None]]:
    """The PyAV container of an address, and what closes its connections.

    Raises:
        UsageError: it was not allowed, or the address is none.
        WorkError: no answer, a refusal, another host, or neither a playlist nor moving JPEG pictures.
    """
    if not allowed:
        raise UsageError(
            f"{source}: addresses of the web are read only where that is allowed",
            "add --allow-http (allow_http=True in Python): this host is then contacted, and no other",
        )
    host = _Host(source)
    try:
        first = host.open(source)
        kind = _TYPES.get(first.kind) or next((k for end, k in _ENDINGS.items() if first.path.endswith(end)), None)
        if kind is None:
            raise WorkError(
                f"{source} is {first.kind or 'of no known kind'}", "give a playlist (.m3u8) or moving JPEG pictures"
            )
        container = av.open(first, format=kind, io_open=host.io_open, options=_OPTIONS[kind == "hls"], buffer_size=4096)
    except BaseException:
        host.close()
        raise
    return container, host.close


class _Host:
    """The one host that is contacted."""

    def __init__(self, source: str) -> None:
        self._source, self._named = source, urlsplit(source)
        if not self._named.hostname:
            raise UsageError(f"{source} names no host", "give http://host/path.m3u8")
        self._open: list[_Body] = []

    def io_open(self, url: str, flags: int, options: dict[str, str]) -> _Body:
        """For FFmpeg: one more address that the playlist names."""
        self._open = [body for body in self._open if not body.closed]
        return self.open(url)

    def open(self, url: str) -> _Body:
        """Ask for an address, and for what it redirects to.

        Raises:
            WorkError: as `open_http`.
        """
        asked = url
        for _ in range(_REDIRECTS):
            place = self._checked(asked)
            connection = self._connect(place)
            try:
                connection.request("GET", place.path + (f"?{place.query}" if place.query else ""), headers=self._head())
                answer = connection.getresponse()
            except (OSError, HTTPException) as error:
                connection.close()
                raise WorkError(f"{url} gives no stream: {error or type(error).__name__}", AWAY) from None
            if answer.status == 200:
                self._open.append(body := _Body(asked, place.path, connection, answer))
                return body
            connection.close()
            where = answer.getheader("Location")
            if answer.status not in (301, 302, 303, 307, 308) or not where:
                raise WorkError(f"{url} gives no stream: the server answers {answer.status} {answer.reason}", AWAY)
            asked = urljoin(asked, where)
        raise WorkError(f"{url} redirects again and again", AWAY)

    def close(self) -> None:
        for body in self._open:
            body.close()

    def _checked(self, asked: str) -> SplitResult:
        place, named = urlsplit(asked), self._named
        plainer = named.scheme == "https" and place.scheme != "https"
        if place.scheme not in SCHEMES or place.hostname != named.hostname or plainer:
            only = f"{named.scheme}://{named.hostname}"
            raise WorkError(
                f"{self._source} leads to {asked}: only {only} was named, and nothing else is contacted",
                "give the address that it leads to, if that is what you want",
            )
        return place

    def _connect(self, place: SplitResult) -> HTTPConnection:
        assert place.hostname
        if place.scheme == "https":
            return HTTPSConnection(place.hostname, place.port, timeout=PATIENCE, context=ssl.create_default_context())
        return HTTPConnection(place.hostname, place.port, timeout=PATIENCE)

    def _head(self) -> dict[str, str]:
        head = {"User-Agent": "emoje-edge", "Accept": "*/*"}
        if self._named.username:
            pair = f"{unquote(self._named.username)}:{unquote(self._named.password or '')}"
            head["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return head


class _Body:
    """An answer as a file that FFmpeg reads."""

    def __init__(self, name: str, path: str, connection: HTTPConnection, answer: HTTPResponse) -> None:
        self.name, self.path, self.closed = name, path.lower(), False
        self.kind = answer.getheader("Content-Type", "").partition(";")[0].strip().lower()
        self._connection, self._answer = connection, answer

    def read(self, size: int = -1) -> bytes:
        """Some bytes, as soon as there are any; none at the end.

        Raises:
            WorkError: none came for long, or the connection broke.
        """
        try:
            return self._answer.read1(size)
        except (OSError, HTTPException, ValueError) as error:
            raise WorkError(f"{self.name} stopped: {error or type(error).__name__}", AWAY) from None

    def close(self) -> None:
        self.closed = True
        self._connection.close()
        self._answer.close()
