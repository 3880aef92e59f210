"""The main job as a user runs it."""

import json
import shutil
from pathlib import Path

import pysubs2
import pytest

from emoje_edge import EMOTIONS
from emoje_edge.demo import LINES
from emoje_edge.report.writers import STAGES
from tests.cli.conftest import Run

KEYS = [
    "source",
    "utterance",
    "start",
    "end",
    "speaker",
    "text",
    "text_from",
    "text_confidence",
    "emotion",
    "confidence",
]
KEYS += ["reason", "model", "probabilities", "modalities", "weights", "latency_ms"]


def rows_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_all_modalities_give_one_row_an_utterance(emoje: Run, clip: Path, tmp_path: Path) -> None:
    done = emoje("infer", clip, "--render", tmp_path / "s.mp4", "--timeline", tmp_path / "t.png")
    assert (done.returncode, done.stderr) == (0, "")
    rows = rows_of(done.stdout)
    assert [(r["start"], r["end"], r["speaker"]) for r in rows] == [(x.start, x.end, x.speaker) for x in LINES]
    assert [r["emotion"] for r in rows] == [x.emotion for x in LINES]  # what the words plainly carry
    for row in rows:
        assert list(row) == KEYS
        assert row["text_from"] == "subtitles"
        assert row["source"] == str(clip)
        assert row["modalities"] == ["text", "audio", "pose"]
        assert tuple(row["probabilities"]) == EMOTIONS
        assert row["emotion"] == max(row["probabilities"], key=row["probabilities"].get)
        assert (row["confidence"], row["reason"]) == (row["probabilities"][row["emotion"]], None)
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert sum(row["weights"].values()) == pytest.approx(1, abs=1e-3)
        times = row["latency_ms"]
        assert tuple(times) == STAGES
        assert times["total"] == pytest.approx(sum(times[s] for s in STAGES[:-1]), abs=0.05)
    assert (tmp_path / "s.mp4").stat().st_size > 5000
    assert (tmp_path / "t.png").stat().st_size > 5000


def test_the_mask_says_what_is_used(emoje: Run, clip: Path) -> None:
    done = emoje("infer", clip, "--mask", "audio,text", "--quiet")
    assert {tuple(r["modalities"]) for r in rows_of(done.stdout)} == {("text", "audio")}
    assert all(r["latency_ms"]["pose"] == 0 for r in rows_of(done.stdout))


def test_rows_to_a_file_in_the_format_of_its_ending(emoje: Run, clip: Path, tmp_path: Path) -> None:
    done = emoje("infer", clip, "--mask", "text", "--out", tmp_path / "rows.vtt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    cues = pysubs2.load(str(tmp_path / "rows.vtt"))
    assert [(c.start, c.end) for c in cues] == [(round(x.start * 1000), round(x.end * 1000)) for x in LINES]


def test_a_text_file_of_ones_own(emoje: Run, clip: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:02,000\nROSS: I am so happy for you!\n")
    rows = rows_of(emoje("infer", clip, "--mask", "text", "--text", words).stdout)
    assert [(r["start"], r["end"], r["speaker"], r["modalities"]) for r in rows] == [(1.0, 2.0, "ROSS", ["text"])]


def test_a_folder_and_a_glob_give_each_source_its_rows(emoje: Run, clip: Path, tmp_path: Path) -> None:
    for name in ("b", "a"):
        shutil.copy(clip, tmp_path / f"{name}.mp4")
        shutil.copy(clip.with_suffix(".srt"), tmp_path / f"{name}.srt")
    done = emoje("infer", tmp_path, "--mask", "text")
    assert [Path(r["source"]).name for r in rows_of(done.stdout)] == ["a.mp4"] * 4 + ["b.mp4"] * 4
    assert emoje("infer", tmp_path / "*.mp4", "--mask", "text").stdout.count("\n") == 8
    out = tmp_path / "out"
    out.mkdir()
    done = emoje("infer", tmp_path, "--mask", "text", "--out", out, "--format", "srt", "--timeline", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(p.name for p in out.iterdir()) == [
        "a-emotions.srt",
        "a-timeline.png",
        "b-emotions.srt",
        "b-timeline.png",
    ]


def test_one_file_for_several_sources_is_refused_where_it_cannot_hold_them(
    emoje: Run, clip: Path, tmp_path: Path
) -> None:
    shutil.copy(clip, tmp_path / "other.mp4")
    both = (clip, tmp_path / "other.mp4")
    for options in (["--render", tmp_path / "s.mp4"], ["--out", tmp_path / "r.srt"], ["--format", "vtt"]):
        done = emoje("infer", *both, *options)
        assert done.returncode == 2
        assert "2 sources" in done.stderr
        assert "give an existing folder" in done.stderr


def test_what_is_read_is_never_overwritten(emoje: Run, clip: Path) -> None:
    size = clip.stat().st_size
    words = clip.with_suffix(".srt").read_text()
    for out in (clip, clip.with_suffix(".srt"), clip.with_name("talk.en.vtt")):
        done = emoje("infer", clip, "--mask", "text", "--out", out, "--format", "srt")
        assert done.returncode == 2, out
        assert "another name" in done.stderr
    assert clip.stat().st_size == size
    assert clip.with_suffix(".srt").read_text() == words


def test_skeleton_without_pose_is_refused(emoje: Run, clip: Path, tmp_path: Path) -> None:
    done = emoje("infer", clip, "--mask", "text,audio", "--render", tmp_path / "s.mp4")
    assert done.returncode == 2
    assert "--mask pose" in done.stderr


SPEECH = Path(__file__).parent.parent / "perception" / "data" / "two_turns.flac"
SENTENCES = ["I lost the keys to my house this morning.", "They were lying on the kitchen table."]


def test_words_are_recognised_where_there_are_no_subtitles(emoje: Run, tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    done = emoje("infer", SPEECH, "--transcript", tmp_path / "words.srt", "--out", tmp_path / "rows.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    rows = rows_of((tmp_path / "rows.jsonl").read_text())
    assert [(row["text"], row["text_from"]) for row in rows] == [(words, "recognised") for words in SENTENCES]
    for row in rows:
        assert 0.6 < row["text_confidence"] < 1
        assert "text" in row["modalities"]
    assert [line for line in (tmp_path / "words.srt").read_text().splitlines() if line in SENTENCES] == SENTENCES


def test_words_off_are_off_and_that_is_said(emoje: Run) -> None:
    done = emoje("infer", SPEECH, "--words", "off")
    assert {row["text"] for row in rows_of(done.stdout)} == {None}
    assert done.stderr.count("--words is off") == 1


def test_no_such_model_and_no_such_language(emoje: Run, tmp_path: Path) -> None:
    unknown = emoje("infer", SPEECH, "--words", "medium")
    assert unknown.returncode == 2
    assert "known: tiny.en" in unknown.stderr
    empty = emoje("infer", SPEECH, "--words", tmp_path)
    assert empty.returncode == 2
    assert "no model.bin" in empty.stderr
    german = emoje("infer", SPEECH, "--language", "de")
    assert german.returncode == 2
    assert "English only" in german.stderr


def test_a_transcript_is_a_subtitle_file(emoje: Run, tmp_path: Path) -> None:
    done = emoje("infer", SPEECH, "--transcript", tmp_path / "words.txt")
    assert done.returncode == 2
    assert ".srt or .vtt" in done.stderr
