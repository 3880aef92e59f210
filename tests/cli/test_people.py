"""`infer --people`: rows that tell whose body it is, a note where more are in view, and wrong numbers."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

CODEC = "libx264" if "libx264" in av.codecs_available else "mpeg4"


def infer(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "emoje_edge", "infer", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def two(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two signers side by side, 2 s, without sound."""
    from research.bodies.scenes import beside, strips

    video = shared_data / "video"
    path = tmp_path_factory.mktemp("people") / "two.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODEC, rate=12)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for shown in list(beside(strips(video, "book"), strips(video, "school"), names=("a", "b")))[:24]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(shown.pixels), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_row_for_everybody_in_view(two: Path, tmp_path: Path) -> None:
    done = infer(two, "--people", 2, "--render", tmp_path / "s.mp4", "--timeline", tmp_path / "t.png")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    spans = {(row["start"], row["end"]) for row in rows}
    for span in spans:
        people = [row["person"] for row in rows if (row["start"], row["end"]) == span]
        assert sorted(people) == [1, 2]
    assert all(row["modalities"] == ["pose"] for row in rows)
    assert (tmp_path / "s.mp4").stat().st_size > 2000


def test_one_is_followed_and_a_note_tells_of_the_other(two: Path) -> None:
    done = infer(two, "--out", two.with_suffix(".csv"))
    assert done.returncode == 0, done.stderr
    assert "2 people in view, one is followed: --people 2, or all" in done.stderr
    rows = list(csv.DictReader(io.StringIO(two.with_suffix(".csv").read_text())))
    assert rows
    assert {row["person"] for row in rows} == {""}
    assert infer(two, "--quiet").stderr == ""


@pytest.mark.parametrize("number", ["0", "17", "-1", "1.5", "everybody"])
def test_numbers_that_are_none(number: str, tmp_path: Path) -> None:
    (tmp_path / "talk.mp4").touch()
    done = infer(tmp_path / "talk.mp4", "--people", number)
    assert done.returncode == 2
    assert "1 to 16" in done.stderr


def test_another_stage_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "talk.mp4").touch()
    done = infer(tmp_path / "talk.mp4", "--pose", "openpose")
    assert done.returncode == 2
    assert "onnx and mediapipe" in done.stderr
