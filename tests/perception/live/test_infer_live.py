"""`infer` of a network camera, from the outside: its rows, its end, whom it contacts and what systemd hears."""

import json
import socket
import sys
from pathlib import Path

import pytest

from tests.offline import Finished, missing, run_offline
from tests.perception.live.conftest import Start


@pytest.fixture
def done(server: tuple[str, Start], tmp_path: Path) -> tuple[Finished, str, list[str]]:
    """The camera sends ten seconds and ends: what `infer` did, its address, and what systemd was told."""
    if reason := missing():
        pytest.skip(reason)
    address, start = server
    start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        command = [sys.executable, "-m", "emoje_edge", "infer", address, "--mask", "audio,pose", "--reconnect", "0"]
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
        finished = run_offline([*command, "--partial", "1"], tmp_path, local=True, **environment)
        told = []
        while True:
            try:
                told.append(systemd.recv(100).decode())
            except BlockingIOError:
                return finished, address, told


def test_a_camera_that_ends(done: tuple[Finished, str, list[str]]) -> None:
    finished, address, told = done
    assert finished.code == 1
    assert "was lost at" in finished.stderr
    assert "the other side ended it" in finished.stderr
    assert "play it" not in finished.stderr
    assert "secret" not in finished.stdout + finished.stderr

    rows = [json.loads(line) for line in finished.stdout.splitlines()]
    final = [row for row in rows if row.get("final", True)]
    still_open = [row for row in rows if not row.get("final", True)]
    assert len(final) >= 1
    assert {row["source"] for row in rows} == {address.replace("user:secret", "***")}
    assert all({"time", "lag_ms", "dropped_pictures", "pose_fps", "reconnects"} <= row.keys() for row in rows)
    # each open row is the beginning of an utterance that comes later under the same number
    assert still_open
    starts = {row["utterance"]: row["start"] for row in final}
    assert all(starts[row["utterance"]] == row["start"] for row in still_open if row["utterance"] in starts)
    assert [row["utterance"] for row in final] == list(range(1, len(final) + 1))

    # nobody but the camera
    port = address.rpartition(":")[2].partition("/")[0]
    assert set(finished.reached) == {f"local 127.0.0.1:{port}"}

    assert told[0] == "READY=1"
    assert set(told[1:]) == {"WATCHDOG=1"}
