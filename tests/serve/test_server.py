"""The server's table of refusals, and what it tells to whom."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.serve.hub import LISTENERS, Hub
from emoje_edge.serve.server import PAGES, PageServer


@pytest.fixture
def served() -> Iterator[PageServer]:
    hub = Hub()
    hub.state("cam", {"state": "live"})
    hub.row("row", {"source": "cam", "emotion": "joy"})
    hub.row("row", {"source": "cam", "emotion": "anger"})
    with PageServer(hub) as server:
        yield server


def ask(
    server: PageServer, path: str, *, method: str = "GET", token: str | None = "", **headers: str
) -> http.client.HTTPResponse:
    """One request; `token` "" is the right one."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    bearer = server.token if token == "" else token
    given = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    connection.request(method, path, headers={**given, **{k.replace("_", "-"): v for k, v in headers.items()}})
    return connection.getresponse()


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/events", {"token": None}, 403),
        ("/rows", {"token": "guess"}, 403),
        ("/status", {"token": None}, 403),
        ("/status", {"Host": "evil.example:80"}, 421),
        ("/", {"Host": "evil.example"}, 421),
        ("/etc/passwd", {}, 404),
        ("/../pyproject.toml", {}, 404),
        ("/", {"method": "POST"}, 405),
        ("/events", {"method": "OPTIONS"}, 405),
        ("/rows?after=x", {}, 400),
        ("/rows?after=1", {}, 200),
        ("/healthz", {"token": None}, 200),
    ],
)
def test_the_table_of_refusals(served: PageServer, path: str, options: dict[str, str], status: int) -> None:
    answer = ask(served, path, **options)  # type: ignore[arg-type]
    assert answer.status == status
    assert answer.getheader("Access-Control-Allow-Origin") is None
    assert "default-src 'none'" in str(answer.getheader("Content-Security-Policy"))
    assert (answer.getheader("Allow") == "GET") == (status == 405)


def test_pages_hold_nothing_from_elsewhere_and_no_token(served: PageServer) -> None:
    for path in PAGES:
        text = ask(served, path, token=None).read().decode()
        assert served.token not in text
        assert "//" not in text.replace("// ", "")  # no address of another place; comments have a space
        assert "style=" not in text


def test_rows_and_status_are_told(served: PageServer) -> None:
    rows = json.loads(ask(served, "/rows?after=1").read())
    assert rows == [{"id": 2, "kind": "row", "source": "cam", "emotion": "anger"}]
    assert json.loads(ask(served, "/status").read()) == {"sources": [{"source": "cam", "state": "live"}]}


def test_events_replay_after_the_last_id_and_go_on(served: PageServer) -> None:
    answer = ask(served, "/events", Last_Event_ID="1")
    assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    served.hub.row("gap", {"source": "cam", "start": 1.0, "end": 2.0})
    lines = [answer.readline().decode().strip() for _ in range(11)]
    assert [line for line in lines if line.startswith(("id", "event"))] == [
        "event: state",
        "id: 2",
        "event: row",
        "id: 3",
        "event: gap",
    ]


def test_a_ninth_page_is_told_to_wait(served: PageServer) -> None:
    answers = [ask(served, "/events") for _ in range(LISTENERS)]
    assert [answer.readline() for answer in answers] == [b"event: state\n"] * LISTENERS
    refused = ask(served, "/events")
    assert (refused.status, refused.getheader("Retry-After")) == (503, "5")


def test_it_listens_on_this_machine_only_and_a_taken_port_is_told(served: PageServer) -> None:
    assert served._http.server_address[0] == "127.0.0.1"
    with pytest.raises(WorkError, match=f"port {served.port}"):
        PageServer(Hub(), served.port)


def test_a_kept_token_is_the_same_after_a_restart_and_its_owners_alone(tmp_path: Path) -> None:
    kept = tmp_path / "token"
    with PageServer(Hub(), token_file=kept) as first, PageServer(Hub(), token_file=kept) as second:
        assert first.token == second.token == kept.read_text()
        assert kept.stat().st_mode & 0o077 == 0
    kept.write_text("short")
    with pytest.raises(UsageError, match="holds no token"):
        PageServer(Hub(), token_file=kept)
    with pytest.raises(WorkError, match="cannot be written"):
        PageServer(Hub(), token_file=tmp_path / "gone" / "token")


def test_a_page_of_before_a_restart_gets_the_new_rows_only() -> None:
    before, after = Hub(first=1000), Hub(first=2000)
    before.row("row", {"n": 1})
    (old,) = before.rows()
    after.row("row", {"n": 2})
    assert [row["n"] for row in after.rows(old["id"])] == [2]
