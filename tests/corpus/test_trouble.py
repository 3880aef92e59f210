"""Disks and files as they are where thousands of recordings lie: no row is lost, and what is wrong is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from emoje_edge.corpus.ledger import Ledger
from emoje_edge.corpus.local import label_locally
from emoje_edge.corpus.recordings import in_folder, in_list
from tests.attacks.test_deployment import unreadable
from tests.corpus.conftest import LINES, WORDS, write_line

Make = Callable[..., Ledger]
COMMAND = f"{sys.executable} -m emoje_edge corpus clips --mask text --words off --workers 1"
NAMES = (
    "Größe",
    "日本語",
    "Ελλάδα",
    "Привет",
    "مرحبا",
    "שלום",
    "हिन्दी",
    "🙂🎬",
    "cafe\u0301",
    "ａｂ",
    "a\u200bb",
    "İı",
    "한국어",
    "ไทย",
)
SIGNS = (
    "{}",
    " {}",
    "{}.",
    "-{}",
    "{} (1)",
    "{}%20",
    "{}'s",
    'a"{}',
    "{},{}",
    "{};",
    "{}#1",
    "{}?",
    "{}\n",
    "{}\t",
    "$({})",
    "a:{}",
)


def under_mounts(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A shell script that may mount, in a name space of its own."""
    private = ["unshare", "--mount", "--map-root-user"]
    may = [*private, "mount", "-t", "tmpfs", "none", "/mnt"]
    if shutil.which("unshare") is None or subprocess.run(may, capture_output=True).returncode:
        pytest.skip("nobody may mount here")
    return subprocess.run([*private, "sh", "-c", script], cwd=folder, capture_output=True, text=True, timeout=300)


def test_a_full_disk_keeps_what_is_done_and_the_next_run_makes_it_whole(tmp_path: Path) -> None:
    for number in range(30):
        write_line(tmp_path / "clips", f"line-{number}", LINES[number % 5])
    (tmp_path / "small").mkdir()
    done = under_mounts(
        f"""mount -t tmpfs -o size=64k none small
        {COMMAND} --out small/rows.csv; echo "first: $?"
        mount -o remount,size=8m small
        {COMMAND} --out small/rows.csv; echo "second: $?"
        cp small/rows.csv kept.csv
        {COMMAND} --out whole.csv -q""",
        tmp_path,
    )
    assert done.stdout.split("\n")[:2] == ["first: 1", "second: 0"], done.stderr
    assert "No space left on device" in done.stderr
    assert "make room and run the same command again" in done.stderr
    assert "of 30 recordings were done before" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "kept.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_disk_that_may_not_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    write_line(tmp_path / "clips", "line", LINES[0])
    (tmp_path / "small").mkdir()
    done = under_mounts(f"mount -t tmpfs -o ro none small; {COMMAND} --out small/rows.csv", tmp_path)
    assert done.returncode == 1
    assert "cannot write small/rows.csv.parts: Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr


def test_files_without_anything_in_them_are_errors_and_the_others_rows(clips: Path, ledger: Make) -> None:
    with wave.open(str(clips / "no-samples.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
    with av.open(str(clips / "no-pictures.mkv"), "w") as container:
        container.add_stream("mpeg4", rate=25)
        container.start_encoding()
    (clips / "empty.mp4").touch()
    (clips / "text.mp4").write_text("I am a film.\n")
    os.symlink(clips / "nowhere", clips / "gone.wav")
    kept, recordings = ledger(), in_folder(clips)
    kept.write_plan(recordings)
    kinds = {o.recording: o.kind for o in label_locally(recordings, WORDS, kept, workers=1)}
    failed = {name for name, kind in kinds.items() if kind}
    assert failed == {"no-samples.wav", "no-pictures.mkv", "empty.mp4", "text.mp4", "gone.wav"}
    assert kept.write_errors(recordings) == 5
    assert sum(len(part.rows) for part in kept.parts(recordings)) == len(LINES)


def test_what_may_not_be_read_is_told_and_the_others_are_rows(clips: Path, tmp_path: Path) -> None:
    before = unreadable(clips / "closed")
    shutil.copy(clips / "line-0.wav", clips / "secret.wav")
    if before:
        os.chown(clips / "secret.wav", 4242, 4242)
    (clips / "secret.wav").chmod(0o600 if before else 0)
    command = [*before, *COMMAND.split(), "--out", "rows.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "clips/closed cannot be looked into" in done.stderr
    assert "secret.wav: broken" in done.stderr
    assert "5 rows of 5 recordings" in done.stderr
    errors = (tmp_path / "rows.csv.parts" / "errors.jsonl").read_text().splitlines()
    assert [json.loads(line)["path"] for line in errors] == ["secret.wav"]


def test_three_hundred_names_of_all_scripts_and_signs(tmp_path: Path, ledger: Make) -> None:
    pytest.importorskip("pyarrow", reason="Parquet wants pyarrow (the corpus extra)")
    from emoje_edge.corpus.merge import merge
    from emoje_edge.emotion import EMOTIONS

    names = [sign.format(name, name) for name in NAMES for sign in SIGNS]
    names += [
        os.fsdecode(f"{name}-{number}".encode(page))
        for number in range(40)
        for name, page in (("é", "cp1252"), ("я", "cp1251"))
    ]
    for name in names[:300]:
        write_line(tmp_path / "clips", name, LINES[0])
    kept, recordings = ledger(), in_folder(tmp_path / "clips")
    assert len({r.name for r in recordings}) == 300
    kept.write_plan(recordings)
    assert {o.kind for o in label_locally(recordings, WORDS, kept, workers=2)} == {None}
    for ending in ("jsonl", "csv", "parquet"):
        assert merge(kept.parts(recordings), tmp_path / f"rows.{ending}", EMOTIONS, kept.description) == 300
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["source"] for row in rows] == sorted(r.name for r in recordings)
    assert {row["emotion"] for row in rows} == {"anger"}


def test_a_list_may_name_what_is_no_utf8(tmp_path: Path) -> None:
    path = write_line(tmp_path, os.fsdecode(b"caf\xe9"), LINES[0])
    listed = tmp_path / "list.txt"
    listed.write_bytes(b"\xef\xbb\xbf# mine\r\n" + os.fsencode(path) + b"\r\n")
    (found,) = in_list(listed)
    assert found.path == path
    assert found.name.endswith("caf\\xe9.wav")
