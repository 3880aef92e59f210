"""HTTP for the page: this machine only, a token for everything that tells something, server-sent events.

    GET /            the page, its script and style: they hold nothing of what is recognised
    GET /events      rows, gaps, poses and states as they come; `Last-Event-ID` replays rows
    GET /rows?after= rows and gaps so far, as JSON
    GET /status      the sources, as JSON
    GET /healthz     `ok`

The token is the fragment of the address that is printed: browsers do not send fragments, so it reaches no log; the
page's script sends it as `Authorization: Bearer`.  The `Host` header has to name this machine, so that no other
page's name can be pointed here (DNS rebinding).  The standard library's server does: eight pages are its most.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.serve.hub import Hub, follow

HOST = "127.0.0.1"
_TOKEN = re.compile(r"[\w-]+", re.ASCII)
PATIENCE = 10.0  # s without a message before a comment keeps the connection open
STALLED = 30.0  # s that a page may take to read what it was sent
PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageServer:
    """Serves a hub's messages.  A context manager: inside it the server runs in threads of its own.

    Args:
        hub: what is told.
        port: 0: any that is free.
        token_file: holds the token; written where it is not there.  None: a new token each time.

    Raises:
        UsageError: the file holds no token.
        WorkError: the port is taken, or the file cannot be read or written.
    """

    def __init__(self, hub: Hub, port: int = 0, *, token_file: Path | None = None) -> None:
        self.hub, self.token, self.closed = hub, _kept_token(token_file) if token_file else _new_token(), False
        try:
            self._http = _Server((HOST, port), _Handler, self)
        except OSError as error:
            raise WorkError(f"port {port} cannot be listened on: {error.strerror}", "give another --port") from error
        self.port: int = self._http.server_address[1]
        self.hosts = frozenset(f"{name}:{self.port}" for name in (HOST, "localhost"))
        self._thread = threading.Thread(target=self._http.serve_forever, name="page", daemon=True)

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/#{self.token}"

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # no new page first: one that was sent away would be back before the port is closed
        self._http.shutdown()
        self._http.server_close()
        self.closed = True
        self.hub.close()


def _new_token() -> str:
    return secrets.token_urlsafe(24)


def _kept_token(path: Path) -> str:
    """The token in a file that only its owner reads; a new one where there is no such file."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(_new_token())
    except FileExistsError:
        pass
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror}", "give --token-file another place") from error
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkError(f"{path} cannot be read: {error}", "give --token-file another place") from error
    if len(token) < 32 or not _TOKEN.fullmatch(token):
        raise UsageError(f"{path} holds no token", "remove it, and a new one is written: 32 letters or more")
    return token


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[_Handler], page: PageServer) -> None:
        self.page = page
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that goes away in the middle is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "emoje-edge"
    sys_version = ""
    timeout = STALLED

    def do_GET(self) -> None:
        """Answer, or refuse with the status that says why."""
        page, address = self.server.page, urlsplit(self.path)
        if self.headers.get("Host", "") not in page.hosts:
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        elif address.path == "/healthz":
            self._send(b"ok\n", "text/plain; charset=utf-8")
        elif address.path in PAGES:
            name, kind = PAGES[address.path]
            self._send(resources.files("emoje_edge.assets.page").joinpath(name).read_bytes(), kind)
        elif address.path not in ("/events", "/rows", "/status"):
            self._refuse(HTTPStatus.NOT_FOUND)
        elif not self._allowed():
            self._refuse(HTTPStatus.FORBIDDEN)
        elif address.path == "/events":
            self._events()
        elif address.path == "/rows":
            self._rows(parse_qs(address.query))
        else:
            self._json({"sources": page.hub.states()})

    def _other(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET"})

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = do_TRACE = do_CONNECT = _other

    def _allowed(self) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.server.page.token.encode())

    def _rows(self, query: Mapping[str, list[str]]) -> None:
        after = query.get("after", ["0"])[-1]
        if not after.isdecimal():
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        self._json(self.server.page.hub.rows(int(after)))

    def _events(self) -> None:
        last = self.headers.get("Last-Event-ID", "")
        listener = self.server.page.hub.listen(int(last) if last.isdecimal() else 0)
        if listener is None or self.server.page.closed:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})
            return
        self.close_connection = True
        try:
            self.send_response(HTTPStatus.OK)
            self._headers({"Content-Type": "text/event-stream; charset=utf-8", "Connection": "close"})
            for message in follow(listener, PATIENCE):
                self.wfile.write(message.encode() if message else b": still here\n\n")
        except OSError:
            pass  # the page was closed, or reads no longer
        finally:
            self.server.page.hub.leave(listener)

    def _json(self, value: Any) -> None:
        self._send(json.dumps(value, ensure_ascii=False).encode(), "application/json; charset=utf-8")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self._headers({"Content-Type": kind, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, more: Mapping[str, str] | None = None) -> None:
        body = f"{status.value} {status.phrase}\n".encode()
        self.send_response(status)
        kind = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body)), "Connection": "close"}
        self._headers({**kind, **(more or {})})
        self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body)

    def _headers(self, more: Mapping[str, str]) -> None:
        for name, value in {**HEADERS, **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the address of a request is nobody's business."""
