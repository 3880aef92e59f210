"""Places that programs really run in: somebody else's home, no temporary folder, names that are long or no UTF-8."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.attacks.conftest import Command


def unreadable(folder: Path) -> tuple[str, ...]:
    """Make a folder that may not be read; what to run a command under, since root may read everything otherwise."""
    folder.mkdir()
    if os.geteuid():
        folder.chmod(0o000)
        return ()
    drop = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
    os.chown(folder, 4242, 4242)
    folder.chmod(0o700)
    if shutil.which("setpriv") is None or not subprocess.run([*drop, "ls", folder], capture_output=True).returncode:
        pytest.skip("this root cannot give up reading everything")
    return drop


def a_file(home: Path) -> tuple[str, ...]:
    home.write_text("no folder")
    return ()


def a_loop(home: Path) -> tuple[str, ...]:
    home.symlink_to(home)
    return ()


@pytest.mark.parametrize("make", [unreadable, a_file, a_loop])
@pytest.mark.parametrize("variable", ["HOME", "XDG_DATA_HOME", "EMOJE_ENGINES"])
def test_a_home_of_no_use_leaves_the_shipped_engines(
    emoje: Command, talk: Path, tmp_path: Path, make: object, variable: str
) -> None:
    home = tmp_path / "home"
    before = make(home)  # type: ignore[operator]
    done = emoje("infer", talk, "--mask", "text", env={"XDG_DATA_HOME": "", variable: str(home)}, before=before)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["speaker"] for line in done.stdout.splitlines()] == ["ANNE", "BOB"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["info"], ["engines", "list"], ["engines", "prune"], ["doctor"]], ids=" ".join)
def test_no_command_ends_in_a_traceback_there(emoje: Command, tmp_path: Path, command: list[str]) -> None:
    home = tmp_path / "home"
    before = unreadable(home)
    done = emoje(*command, env={"HOME": str(home), "XDG_DATA_HOME": ""}, before=before)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    if done.returncode:
        assert f"Error: {home}" in done.stderr
        assert "Permission denied" in done.stderr


def test_the_longest_name_gets_its_own_file_of_rows(emoje: Command, talk: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    names = ["a" * 250, "a" * 249 + "b", "é" * 124]
    for name in names:
        shutil.copy(talk, tmp_path / f"{name}.wav")
        shutil.copy(talk.with_suffix(".srt"), tmp_path / f"{name}.srt")
    done = emoje("infer", *(tmp_path / f"{name}.wav" for name in names), "--mask", "text", "--out", folder)
    assert done.returncode == 0, done.stderr
    sources = {json.loads(path.read_text().splitlines()[0])["source"] for path in folder.iterdir()}
    assert sources == {str(tmp_path / f"{name}.wav") for name in names}


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_a_name_in_another_encoding_is_written_out(emoje: Command, talk: Path, tmp_path: Path) -> None:
    stems = [os.fsdecode(b"caf\xe9"), os.fsdecode(b"caf\xe8")]
    try:
        for stem in stems:
            shutil.copy(talk, tmp_path / f"{stem}.wav")
            shutil.copy(talk.with_suffix(".srt"), tmp_path / f"{stem}.srt")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    sources = [tmp_path / f"{stem}.wav" for stem in stems]
    done = emoje("infer", *sources, "--mask", "text", "--timeline", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["source"] for row in rows[::2]] == [str(tmp_path / name) for name in ("caf\\xe9.wav", "caf\\xe8.wav")]
    assert len(list(tmp_path.glob("*-timeline.png"))) == 2
    missing = emoje("infer", tmp_path / os.fsdecode(b"\xff.wav"))
    assert missing.returncode == 2
    assert "\\xff.wav: no such file" in missing.stderr


def test_pictures_are_looked_at_without_a_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    import numpy as np

    from emoje_edge.perception.bodies.estimator import BlazePose

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError), tempfile.TemporaryFile():
        pass
    with BlazePose() as estimator:
        assert estimator.estimate(np.zeros((90, 160, 3), np.uint8), 0.0) == ()
