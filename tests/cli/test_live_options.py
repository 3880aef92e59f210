"""What the command line makes of cameras, streams and lists of them."""

from pathlib import Path

import pytest

from emoje_edge.cli.live_options import patience
from emoje_edge.cli.source_arguments import expand
from emoje_edge.errors import UsageError
from tests.cli.conftest import Run


def test_a_number_is_a_camera_and_a_list_its_addresses(tmp_path: Path) -> None:
    listed = tmp_path / "door.streams"
    listed.write_text("# at the door\nrtsp://10.0.0.7/live\n\nwebcam:1\n")
    assert expand(["0", str(listed)]) == ["webcam:0", "rtsp://10.0.0.7/live", "webcam:1"]


@pytest.mark.parametrize("text", ["", "talk.mp4\n", "-\n"])
def test_a_list_without_streams_is_refused(tmp_path: Path, text: str) -> None:
    listed = tmp_path / "door.streams"
    listed.write_text(text)
    with pytest.raises(UsageError, match="stream"):
        expand([str(listed)])


@pytest.mark.parametrize(
    ("given", "seconds"), [(None, None), ("forever", None), ("0", 0.0), ("60s", 60.0), ("1.5", 1.5)]
)
def test_how_long_a_lost_stream_is_tried_for(given: str | None, seconds: float | None) -> None:
    assert patience(given) == seconds


@pytest.mark.parametrize("given", ["soon", "-1", "nan", "inf"])
def test_another_patience_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="--reconnect"):
        patience(given)


def test_a_live_source_among_others_is_refused(emoje: Run, tmp_path: Path) -> None:
    done = emoje("infer", "rtsp://user:secret@127.0.0.1/a", "rtsp://127.0.0.1/b")
    assert done.returncode == 2
    assert "emoje-edge serve" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["talk.mp4", "--partial", "1"], "for a file"),
        (["-", "--partial", "1", "--format", "csv"], "rows as csv"),
        (["-", "--partial", "0"], "0.2 to 60"),
        (["http://user:secret@127.0.0.1:9/live.m3u8"], "--allow-http"),
        (["ftp://127.0.0.1/talk.mp4"], "is no source"),
    ],
)
def test_wrong_use_of_live_sources_says_what_to_give(emoje: Run, clip: Path, given: list[str], told: str) -> None:
    sources = [str(clip) if name == "talk.mp4" else name for name in given]
    done = emoje("infer", *sources)
    assert done.returncode == 2
    assert told in done.stderr
    assert "secret" not in done.stderr


def test_help_tells_live_sources(emoje: Run) -> None:
    text = emoje("infer", "--help").stdout
    for name in (
        "webcam:0",
        "mic:default",
        "rtsp://",
        "udp://",
        "--allow-http",
        ".streams",
        "--partial",
        "--reconnect",
    ):
        assert name in text
