"""What Whisper, WhisperX and whisper.cpp write beside a video."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from emoje_edge.errors import WorkError
from emoje_edge.perception.cues import read_cues, sidecar

SEGMENTS = [
    {"id": 0, "start": 0.5, "end": 2.0, "text": " Where were you?", "avg_logprob": -0.2},
    {"id": 1, "start": 2.5, "end": 4.0, "text": " I was [coughs] at home."},
]


def told(path: Path, content: object) -> list[tuple[float, float, str | None, str | None]]:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return [(cue.start, cue.end, cue.speaker, cue.text) for cue in read_cues(path)]


@pytest.mark.parametrize("content", [{"text": "…", "segments": SEGMENTS, "language": "en"}, SEGMENTS])
def test_whisper_json(tmp_path: Path, content: object) -> None:
    assert told(tmp_path / "a.json", content) == [
        (0.5, 2.0, None, "Where were you?"),
        (2.5, 4.0, None, "I was at home."),
    ]


def test_whisperx_json_tells_who_speaks_also_within_a_segment(tmp_path: Path) -> None:
    words = [
        {"word": "Where?", "start": 0.5, "end": 0.9, "speaker": "SPEAKER_00"},
        {"word": "At", "start": 1.0, "end": 1.2, "speaker": "SPEAKER_01"},
        {"word": "7,", "speaker": "SPEAKER_01"},
        {"word": "sharp.", "start": 1.5, "end": 1.9},
    ]
    segments = [
        {"start": 0.5, "end": 2.0, "text": "Where? At 7, sharp.", "speaker": "SPEAKER_00", "words": words},
        {"start": 2.5, "end": 3.0, "text": "Good.", "speaker": "SPEAKER_00", "words": words[:1]},
    ]
    assert told(tmp_path / "a.json", {"segments": segments}) == [
        (0.5, 1.0, "SPEAKER_00", "Where?"),
        (1.0, 2.0, "SPEAKER_01", "At 7, sharp."),
        (2.5, 3.0, "SPEAKER_00", "Good."),
    ]


def test_whisper_cpp_json(tmp_path: Path) -> None:
    item = {"timestamps": {"from": "00:00:00,500", "to": "00:00:02,000"}, "offsets": {"from": 500, "to": 2000}}
    found = told(tmp_path / "a.json", {"result": {"language": "en"}, "transcription": [{**item, "text": " Hello."}]})
    assert found == [(0.5, 2.0, None, "Hello.")]


def test_tsv_in_milliseconds(tmp_path: Path) -> None:
    found = told(tmp_path / "a.tsv", 'start\tend\ttext\n500\t2000\tWhere "were you?\n2500\t4000\t[SPEAKER_01]: Home.\n')
    assert found == [(0.5, 2.0, None, 'Where "were you?'), (2.5, 4.0, "SPEAKER_01", "Home.")]


@pytest.mark.parametrize(
    "content",
    [
        {
            "text": "…",
            "chunks": [{"timestamp": [0.5, 2.0], "text": " Hello."}, {"timestamp": [3, None], "text": "You?"}],
        },
        {
            "segments": [
                {"startTime": 0.5, "endTime": 2, "body": "Hello."},
                {"startTime": 3, "endTime": 3, "body": "You?"},
            ]
        },
        {"segments": [{"start": 0.5, "end": 2.0, "text": "Hello."}, {"start": 3.0, "end": None, "text": "You?"}]},
        [[0.5, 2.0, "Hello."], [3.0, None, "You?"]],
        {
            "wireMagic": "pb3",
            "events": [
                {"tStartMs": 0, "dDurationMs": 9000, "id": 1},
                {"tStartMs": 500, "dDurationMs": 1500, "segs": [{"utf8": "Hel"}, {"utf8": "lo.", "tOffsetMs": 300}]},
                {"tStartMs": 2000, "aAppend": 1, "segs": [{"utf8": "\n"}]},
                {"tStartMs": 3000, "segs": [{"utf8": "You?"}]},
            ],
        },
        '{"start": 0.5, "end": 2.0, "text": "Hello."}\n{"start": 3.0, "end": 3.0, "text": "You?"}\n',
    ],
    ids=["transformers", "podcast", "open end", "lists", "json3", "lines"],
)
def test_transcripts_of_other_programs(tmp_path: Path, content: object) -> None:
    first, second = told(tmp_path / "a.json", content)
    assert first == (0.5, 2.0, None, "Hello.")
    assert (second[0], second[1], second[3]) == (3.0, pytest.approx(3.4), "You?")


def test_what_nobody_sees_is_no_word(tmp_path: Path) -> None:
    """Halves of characters and marks of direction, as JSON may escape them."""
    content = r'[{"start": 0, "end": 1, "text": "Hel\u200blo\ud83d you\u202c", "speaker": "A\u200eNNA\ud800"}]'
    assert told(tmp_path / "a.json", content) == [(0.0, 1.0, "ANNA", "Hello you")]


def test_tables_in_seconds_and_with_commas(tmp_path: Path) -> None:
    assert told(tmp_path / "a.tsv", "start\tend\ttext\n0\t2.5\tHello\n3\t4\tYou\n") == [
        (0.0, 2.5, None, "Hello"),
        (3.0, 4.0, None, "You"),
    ]
    found = told(tmp_path / "a.csv", 'start,end,text\n500,2000,"Hello, ""you"""\n')
    assert found == [(0.5, 2.0, None, 'Hello, "you"')]


def test_another_language_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        told(tmp_path / "a.json", {"segments": SEGMENTS, "language": "en"})
        assert not caplog.records
        told(tmp_path / "a.json", {"segments": SEGMENTS, "language": "de"})
    assert "in 'de'" in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[" * 100_000,
        "{}",
        '{"segments": 7}',
        '{"segments": [7]}',
        '{"segments": [{"start": 1}]}',
        "start\tend\n1\t2\n",
    ]
    + [json.dumps([{"start": x, "end": 2, "text": "a"}]) for x in (None, "soon", [], float("nan"), float("inf"))]
    + ["start\tend\ttext\n1\t2\n", "start\tend\ttext\nsoon\t2\ta\n"],
)
def test_what_is_no_transcript_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(WorkError, match=r"a\.(json|tsv), line \d+: "):
        told(tmp_path / ("a.tsv" if content.startswith("start") else "a.json"), content)


def test_of_files_beside_a_video_only_a_transcript_counts(tmp_path: Path) -> None:
    video = tmp_path / "talk.mp4"
    video.touch()
    (tmp_path / "talk.json").write_text('{"title": "a talk", "uploader": "somebody"}')
    (tmp_path / "talk.tsv").write_text("frame\tx\ty\n1\t2\t3\n")
    assert sidecar(video) is None
    (tmp_path / "talk.json").write_text(json.dumps({"segments": SEGMENTS}))
    assert sidecar(video) == tmp_path / "talk.json"
    (tmp_path / "talk.srt").touch()
    assert sidecar(video) == tmp_path / "talk.srt"
