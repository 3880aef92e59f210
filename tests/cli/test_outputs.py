"""Where rows go: files, folders, standard output, formats; and going on after whatever ended a run."""

import csv
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emoje_edge.cli.main import cli
from emoje_edge.cli.resume import ResumePoint, kept_in_file
from emoje_edge.errors import EmojeError, UsageError
from tests.attacks.conftest import CUES


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """Six sound files of two cues each, of which the third has none."""
    import wave

    folder = tmp_path / "talks"
    folder.mkdir()
    for number in range(6):
        sound = folder / f"{number}.wav"
        with wave.open(str(sound), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes(64_000))
        nothing = "1\n00:00:00,200 --> 00:00:01,200\n[music]\n"
        sound.with_suffix(".srt").write_text(nothing if number == 2 else CUES.replace("day", f"day {number}"))
    return folder


def comparable(path: Path) -> list[dict[str, object]]:
    """Rows without their latencies, which no two runs share."""
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            rows: list[dict[str, object]] = list(csv.DictReader(file))
    elif path.suffix == ".json":
        rows = json.loads(path.read_text())
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in row.items() if not k.startswith(("ms_", "latency"))} for row in rows]


def infer(talks: Path, *options: object) -> Result:
    """The command in this process: quick, and all that is asked here is what lands where."""
    runner = CliRunner()
    done = runner.invoke(cli, ["infer", str(talks), "--mask", "text,audio", "--words", "off", *map(str, options)])
    if done.exception and not isinstance(done.exception, (SystemExit, EmojeError)):
        raise done.exception
    return done


def test_a_name_that_ends_in_a_slash_is_a_folder(talks: Path, tmp_path: Path) -> None:
    done = infer(talks, "--out", f"{tmp_path}/new/rows/", "--timeline", f"{tmp_path}/new/pictures/")
    assert done.exit_code == 0
    assert len(list((tmp_path / "new" / "rows").glob("*-emotions.jsonl"))) == 6
    assert len(list((tmp_path / "new" / "pictures").iterdir())) == 5


def test_a_dash_is_standard_output(talks: Path, tmp_path: Path) -> None:
    done = infer(talks, "--out", "-", "--format", "json")
    assert done.exit_code == 0
    assert not Path("-").exists()
    rows = json.loads(done.stdout)
    assert [row["utterance"] for row in rows] == [1, 2] * 5


@pytest.mark.parametrize("ending", ["json", "csv", "jsonl"])
def test_formats_are_what_their_ending_says(talks: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"rows.{ending}"
    assert infer(talks, "--out", out).exit_code == 0
    rows = comparable(out)
    assert [Path(str(row["source"])).stem for row in rows] == [n for n in "01345" for _ in range(2)]
    assert [int(str(row["utterance"])) for row in rows] == [1, 2] * 5


def test_parquet(talks: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "rows.parquet"
    assert infer(talks, "--out", out).exit_code == 0
    rows = parquet.read_table(out).to_pylist()
    assert [row["utterance"] for row in rows] == [1, 2] * 5
    assert [row["speaker"] for row in rows] == ["ANNE", "BOB"] * 5
    assert all(sum(v for k, v in row.items() if k.startswith("p_")) == pytest.approx(1, abs=1e-3) for row in rows)
    assert isinstance(infer(talks, "--format", "parquet").exception, UsageError)


def test_json_is_whole_after_every_row(tmp_path: Path) -> None:
    from emoje_edge.report.writers import RowWriter
    from tests.report.events import make_event

    path = tmp_path / "rows.json"
    with RowWriter(path, "json") as writer:
        for number in range(3):
            assert len(json.loads(path.read_text())) == number
            writer.write(make_event())
        assert len(json.loads(path.read_text())) == 3
    assert [row["utterance"] for row in json.loads(path.read_text())] == [1, 2, 3]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "json"])
@pytest.mark.parametrize("cut", [0.0, 0.13, 0.5, 0.77, 1.0])
def test_resuming_after_any_cut_gives_the_rows_of_an_undisturbed_run(
    talks: Path, tmp_path: Path, ending: str, cut: float
) -> None:
    out = tmp_path / f"rows.{ending}"
    assert infer(talks, "--out", out).exit_code == 0
    whole, data = comparable(out), out.read_bytes()
    out.write_bytes(data[: int(cut * len(data))])
    done = infer(talks, "--out", out, "--resume")
    assert done.exit_code == 0
    assert comparable(out) == whole


@pytest.mark.parametrize("out", ["rows.jsonl", "rows/"])
def test_killed_at_any_moment_and_resumed_nothing_is_lost_or_twice(talks: Path, tmp_path: Path, out: str) -> None:
    reference = tmp_path / "reference.jsonl"
    assert infer(talks, "--out", reference).exit_code == 0
    command = [
        sys.executable,
        "-m",
        "emoje_edge",
        "infer",
        str(talks),
        "--mask",
        "text,audio",
        "--words",
        "off",
        "--resume",
    ]
    moments = random.Random(17)
    for _ in range(3):
        process = subprocess.Popen([*command, "--out", f"{tmp_path}/{out}"], stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.3, 1.2))  # the moment of a kill, not a wait for anything
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert infer(talks, "--out", f"{tmp_path}/{out}", "--resume").exit_code == 0
    files = sorted((tmp_path / out).iterdir()) if out.endswith("/") else [tmp_path / out]
    assert [row for file in files for row in comparable(file)] == comparable(reference)


def test_rows_of_other_sources_are_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"source": "a.mp4"}\n{"source": "b.mp4"}\n{"source": "b.mp4"}\n')
    assert kept_in_file(path, "jsonl", ["a.mp4", "b.mp4", "c.mp4"]) == ResumePoint(20, 1, 1)
    with pytest.raises(UsageError, match=r"row 2: of b\.mp4, which is not among"):
        kept_in_file(path, "jsonl", ["a.mp4"])
    with pytest.raises(UsageError, match="another order"):
        kept_in_file(path, "jsonl", ["b.mp4", "a.mp4"])
    with pytest.raises(UsageError, match="--resume with standard output"):
        kept_in_file(None, "jsonl", ["a.mp4"])
    with pytest.raises(UsageError, match="--resume with a file of srt"):
        kept_in_file(tmp_path / "a.srt", "srt", ["a.mp4"])


def test_subfolders_that_are_left_out_are_told(talks: Path, caplog: pytest.LogCaptureFixture) -> None:
    below = talks / "more" / "deep"
    below.mkdir(parents=True)
    for ending in ("wav", "srt"):
        shutil.copy(talks / f"0.{ending}", below / f"9.{ending}")
    with caplog.at_level(logging.WARNING):
        assert "9.wav" not in infer(talks).stdout
    assert "1 more in its subfolders are left out" in caplog.text
    assert "9.wav" in infer(talks / "**").stdout


def test_a_folder_that_cannot_be_made_is_told(talks: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = infer(talks, "--out", f"{tmp_path}/file/")
    assert done.exit_code == 2
    assert "cannot make the folder" in done.stderr
    assert os.path.getsize(tmp_path / "file") == 0
