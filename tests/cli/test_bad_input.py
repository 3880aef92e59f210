"""Whatever goes wrong: a message that says what to do, the right exit code, no traceback, finished rows kept."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emoje_edge import Mask
from emoje_edge.engine.session import find_engine
from tests.cli.conftest import Run


def refused(done: "subprocess.CompletedProcess[str]", code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture
def copies(clip: Path, tmp_path: Path) -> Path:
    """A folder of six clips, enough work to be stopped in the middle of."""
    folder = tmp_path / "copies"
    folder.mkdir()
    for number in range(6):
        shutil.copy(clip, folder / f"{number}.mp4")
    return folder


def test_no_video(emoje: Run, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"GIF89a no video at all" * 100)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "notes.txt").write_text("Dear diary")
    refused(emoje("infer", tmp_path / "a.mp4"), 1, "a.mp4")
    refused(emoje("infer", tmp_path / "empty.mp4"), 1, "empty.mp4 is empty")
    refused(emoje("infer", tmp_path / "notes.txt"), 1, "notes.txt")
    refused(emoje("infer", tmp_path / "missing.mp4"), 2, "missing.mp4: no such file")
    refused(emoje("infer", tmp_path / "*.mkv"), 2, "no video or sound file matches")
    (tmp_path / "folder").mkdir()
    refused(emoje("infer", tmp_path / "folder"), 2, "no video or sound file in this folder")


def test_a_model_that_is_not_there_names_those_that_are(emoje: Run, clip: Path, tmp_path: Path) -> None:
    refused(
        emoje("infer", clip, "--model", "smal"), 2, "unknown model 'smal'", "did you mean 'small'?", "allowed: small"
    )
    both = ("--model", "small", "--engine-dir", tmp_path)
    refused(emoje("infer", clip, *both), 2, "give one of both")
    refused(emoje("bench", *both), 2, "give one of both")
    refused(emoje("build", "--mask", "pose", "--model", "smal"), 2, "no model and no run 'smal'", "allowed: small")
    data = ("evaluate", "--dataset", "meld", "--root", tmp_path)
    refused(emoje(*data, "--model", "smal"), 2, "smal holds neither a run", "or a model: small")


def test_a_cut_off_file_keeps_the_rows_before_the_cut(emoje: Run, clip: Path, tmp_path: Path) -> None:
    # Matroska can be read up to where it ends; MP4's index is at the end, so nothing of a cut one can
    import av

    whole = tmp_path / "whole.mkv"
    with av.open(str(clip)) as source, av.open(str(whole), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    data = whole.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) // 2])
    shutil.copy(clip.with_suffix(".srt"), tmp_path / "cut.srt")
    out = tmp_path / "rows.jsonl"
    refused(emoje("infer", cut, "--out", out), 1, "cut.mkv is cut off", "rows found so far are kept")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert 1 <= len(rows) < 4
    broken = tmp_path / "cut.mp4"
    broken.write_bytes(clip.read_bytes()[:20_000])
    refused(emoje("infer", broken), 1, "cut.mp4")


def test_a_video_without_a_person_has_rows_without_an_emotion(emoje: Run, tmp_path: Path) -> None:
    import av
    import numpy as np

    path = tmp_path / "wall.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(40):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.full((240, 320, 3), 90, np.uint8), format="rgb24"))
            )
        container.mux(stream.encode(None))
    done = emoje("infer", path, "--render", tmp_path / "s.mp4")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows
    assert all(r["emotion"] is None and r["modalities"] == [] and r["probabilities"] == {} for r in rows)


def test_broken_subtitles(emoje: Run, clip: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:xx --> what\nhello\n")
    refused(emoje("infer", clip, "--mask", "text", "--text", words), 1, "words.srt")
    refused(emoje("infer", clip, "--mask", "text", "--text", tmp_path / "none.srt"), 2, "none.srt")
    refused(emoje("infer", clip, "--mask", "audio", "--text", clip.with_suffix(".srt")), 2, "--mask")


def test_mistyped_words_get_a_suggestion(emoje: Run, clip: Path) -> None:
    refused(emoje("infer", clip, "--mask", "txt,pose"), 2, "did you mean 'text'?")
    refused(emoje("infer", clip, "--backend", "onx"), 2, "did you mean 'onnx'?")
    refused(emoje("infr", clip), 2, "did you mean 'infer'?")
    refused(emoje("infer", clip, "--quite"), 2, "--quiet")
    refused(emoje("infer", clip, "--pose-fps", "0"), 2, "give 1 to 120")
    refused(emoje("infer"), 2, "SOURCE")


def test_unwritable_outputs_are_told_before_any_work(emoje: Run, clip: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    refused(emoje("infer", clip, "--out", nowhere / "r.jsonl"), 1, "there is no folder", "mkdir -p")
    refused(emoje("infer", clip, "--timeline", nowhere / "t.png"), 1, "there is no folder")
    refused(emoje("infer", clip, "--render", nowhere / "s.mp4"), 1, "there is no folder")
    refused(emoje("infer", clip, "--render", tmp_path / "s.gif"), 2, ".mp4 .mkv .mov")
    refused(emoje("infer", clip, "--out", tmp_path / "r.xlsx"), 2, "--format")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk(emoje: Run, clip: Path) -> None:
    words = ("No space left", "make room")
    refused(emoje("infer", clip, "--mask", "text", "--out", "/dev/full"), 1, "/dev/full", *words)
    with open("/dev/full", "w") as full:
        done = emoje("infer", clip, "--mask", "text", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    refused(done, 1, "standard output", *words)


def test_missing_and_altered_engines(emoje: Run, clip: Path, tmp_path: Path) -> None:
    refused(emoje("infer", clip, "--mask", "text", "--engine-dir", tmp_path / "no"), 1, "emoje-edge build --mask text")
    refused(emoje("infer", clip, "--mask", "text", "--engine-dir", tmp_path), 1, "emoje-edge build --mask text")
    folder = find_engine(Mask.parse("text"), "onnx")
    assert folder is not None
    shutil.copytree(folder, tmp_path / "text")
    graph = tmp_path / "text" / "model.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    refused(
        emoje("infer", clip, "--mask", "text", "--engine-dir", tmp_path),
        1,
        "model.onnx was altered",
        "emoje-edge build",
    )
    refused(emoje("info", "--engine-dir", tmp_path), 1)
    graph.unlink()
    refused(
        emoje("infer", clip, "--mask", "text", "--engine-dir", tmp_path), 1, "model.onnx is missing", "emoje-edge build"
    )


def test_a_folder_with_one_bad_file_goes_on_and_says_so(emoje: Run, clip: Path, tmp_path: Path) -> None:
    for name in ("a", "c"):
        shutil.copy(clip, tmp_path / f"{name}.mp4")
        shutil.copy(clip.with_suffix(".srt"), tmp_path / f"{name}.srt")
    (tmp_path / "b.mp4").write_bytes(b"nothing" * 1000)
    done = emoje("infer", tmp_path, "--mask", "text")
    refused(done, 1, "1 of 3 sources failed", "b.mp4")
    assert [Path(json.loads(line)["source"]).name for line in done.stdout.splitlines()] == ["a.mp4"] * 4 + ["c.mp4"] * 4


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "Stopped"), (signal.SIGTERM, 143, "Terminated")]
)
def test_stopped_half_way(number: signal.Signals, code: int, word: str, copies: Path, tmp_path: Path) -> None:
    timeline = tmp_path / "pictures"
    timeline.mkdir()
    command = [
        sys.executable,
        "-m",
        "emoje_edge",
        "infer",
        str(copies),
        "--timeline",
        str(timeline),
        "--render",
        str(timeline),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline() + process.stdout.readline()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    assert errors.strip() == f"{word}. Finished rows are kept."
    for line in (first + rest).splitlines():
        assert json.loads(line)["emotion"]
    assert (timeline / "0-timeline.png").stat().st_size > 5000
    assert (timeline / "0-skeleton.mp4").stat().st_size > 1000


def test_a_reader_that_has_seen_enough_ends_the_run_in_silence(copies: Path) -> None:
    command = [sys.executable, "-m", "emoje_edge", "infer", str(copies)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["emotion"]
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read()
        assert process.wait(timeout=120) == 0
    assert errors == ""


def test_odd_file_names(emoje: Run, clip: Path, tmp_path: Path) -> None:
    name = "Ünïcode 100% [b] : {x}.mp4" if os.name == "posix" else "Ünïcode 100% [b] {x}.mp4"
    shutil.copy(clip, tmp_path / name)
    done = emoje("infer", tmp_path / name, "--mask", "audio", "--timeline", tmp_path / "t.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout.splitlines()[0])["source"] == str(tmp_path / name)


@pytest.mark.parametrize("command", ["train --out run", "distill --teacher t --out run", "evaluate"])
def test_a_missing_extra_is_named(tmp_path: Path, command: str) -> None:
    name, *rest = command.split()
    (tmp_path / "train.tsv").write_text("Nice!\t3\tx1\n")
    arguments = ["emoje-edge", name, "--dataset", "goemotions", "--root", str(tmp_path), *rest]
    code = f"import sys; sys.modules['torch'] = None; sys.argv = {arguments}; from emoje_edge.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "torch is not installed" in done.stderr
    assert "pip install -e '" in done.stderr
    assert "[train]'" in done.stderr
    assert "Traceback" not in done.stderr
