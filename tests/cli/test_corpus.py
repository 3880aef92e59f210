"""`emoje-edge corpus` as a user runs it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.corpus.conftest import LINES, write_line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, line in enumerate(LINES):
        write_line(tmp_path / "clips", f"line-{number}", line)
    return tmp_path / "clips"


def test_a_second_run_does_what_is_missing_or_changed(folder: Path, emoje: Run, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    first = emoje("corpus", folder, "--out", out, "--mask", "text", "--workers", 1)
    assert first.returncode == 0, first.stderr
    assert re.search(r"1 workers x \d+ MB", first.stderr)
    assert "5 rows of 5 recordings" in first.stderr
    before = out.read_bytes()
    write_line(folder, "line-4", LINES[0])
    write_line(folder, "line-5", LINES[1])
    second = emoje("corpus", folder, "--out", out, "--mask", "text", "--workers", 1)
    assert "4 of 6 recordings were done before" in second.stderr
    assert out.read_bytes() != before
    assert emoje("corpus", "status", out).stdout.startswith("6 of 6 recordings done, 0 failed, 0 missing")


def test_broken_files_are_rows_of_the_errors_and_the_exit_code_is_1(folder: Path, emoje: Run, tmp_path: Path) -> None:
    (folder / "broken.mp4").write_bytes(b"no video at all")
    (folder / "empty.wav").touch()
    out = tmp_path / "rows.jsonl"
    done = emoje("corpus", folder, "--out", out, "--mask", "text", "--workers", 1)
    assert done.returncode == 1
    assert "2 of 7 recordings failed" in done.stderr
    assert len(out.read_text().splitlines()) == 5
    errors = [json.loads(line) for line in (tmp_path / "rows.jsonl.parts" / "errors.jsonl").read_text().splitlines()]
    assert [(e["path"], e["kind"], e["tries"]) for e in errors] == [
        ("broken.mp4", "broken", 1),
        ("empty.wav", "broken", 1),
    ]
    assert "broken.mp4: broken" in emoje("corpus", "status", out).stdout


def test_labels_give_the_figures_of_evaluate(folder: Path, emoje: Run, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    names = ("anger", "joy", "sadness", "fear", "neutral")
    labels.write_text("path,label\n" + "".join(f"line-{i}.wav,{name}\n" for i, name in enumerate(names)))
    out = tmp_path / "rows.csv"
    done = emoje("corpus", folder, "--out", out, "--mask", "text", "--workers", 1, "--labels", labels)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "rows.agreement.json").read_text())
    assert (found["stretches"], found["unanswered"]) == (5, 0)
    assert "weighted F1" in done.stdout
    assert f"{found['weighted_f1']:.3f}" in done.stdout
    assert "F1 by class, mask text" in done.stdout
    assert sum(map(sum, found["confusion"])) == 5
    assert found["accuracy"] >= 0.8


def test_a_killed_run_goes_on_to_the_same_bytes(folder: Path, emoje: Run, tmp_path: Path) -> None:
    for number in range(5, 25):
        write_line(folder, f"line-{number}", LINES[number % 5])
    whole, out = tmp_path / "whole.csv", tmp_path / "rows.csv"
    assert emoje("corpus", folder, "--out", whole, "--mask", "text", "--workers", 1).returncode == 0
    command = [sys.executable, "-m", "emoje_edge", "corpus", str(folder), "--out", str(out), "--mask", "text"]
    running = subprocess.Popen([*command, "--workers", "1"], stderr=subprocess.PIPE)
    parts = tmp_path / "rows.csv.parts"
    while len(list(parts.glob("*.jsonl"))) < 3 and running.poll() is None:
        os.sched_yield()
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not out.exists()
    done = emoje("corpus", folder, "--out", out, "--mask", "text", "--workers", 1)
    assert re.search(r"\d+ of 25 recordings were done before", done.stderr), done.stderr
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give one FOLDER"),
        (("FOLDER",), "no --out"),
        (("FOLDER", "--out", "rows.xlsx"), "names no format"),
        (("FOLDER", "--out", "rows.csv", "--engine", "spark"), "allowed: local, ray"),
        (("FOLDER", "--out", "rows.csv", "--workers", "0"), "--workers 0"),
        (("FOLDER", "--out", "rows.csv", "--file-timeout", "0"), "--file-timeout 0"),
        (("FOLDER", "--out", "rows.csv", "--mask", "face"), "face"),
        (("gone", "--out", "rows.csv"), "gone is no folder"),
        (("FOLDER", "--list", "x", "--out", "rows.csv"), "and --list"),
        (("status", "nothing.csv"), "no run has written"),
    ],
)
def test_wrong_use_says_what_is_allowed(
    folder: Path, emoje: Run, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    given = [str(folder) if a == "FOLDER" else a for a in arguments]
    done = emoje("corpus", *given, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
