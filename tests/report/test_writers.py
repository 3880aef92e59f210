"""Rows: whole, valid in their format, on disk at once, and kept whatever goes wrong."""

import csv
import errno
import io
import json
import os
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoje_edge import EMOTIONS, UsageError
from emoje_edge.perception.cues import read_cues
from emoje_edge.report.writers import FORMATS, STAGES, OutputError, RowWriter, TranscriptWriter, choose_format
from emoje_edge.utterance_emotion import UtteranceEmotion
from tests.report.events import make_event

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


def write(path: Path, form: str, *events: UtteranceEmotion) -> str:
    with RowWriter(path, form) as writer:
        for event in events:
            writer.write(event)
    return path.read_text(encoding="utf-8")


def test_jsonl_has_a_closed_set_of_keys(tmp_path: Path) -> None:
    rows = [
        json.loads(line) for line in write(tmp_path / "r", "jsonl", make_event(), make_event(empty=True)).splitlines()
    ]
    assert [list(row) for row in rows] == [KEYS, KEYS]
    assert rows[0]["modalities"] == ["text", "pose"]
    assert list(rows[0]["latency_ms"]) == list(STAGES)
    assert (rows[0]["confidence"], rows[0]["reason"]) == (0.7, None)
    assert rows[1]["emotion"] is None
    assert (rows[1]["confidence"], rows[1]["reason"]) == (None, "no_speech")
    assert rows[1]["modalities"] == []


def test_csv_has_one_column_a_number_and_empty_cells_for_nothing(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(write(tmp_path / "r", "csv", make_event(), make_event(empty=True)))))
    assert float(rows[0]["p_joy"]) == 0.7
    assert (rows[0]["modalities"], rows[0]["w_text"], rows[0]["w_audio"]) == ("text+pose", "0.75", "")
    assert (rows[0]["confidence"], rows[0]["reason"]) == ("0.7", "")
    assert (rows[1]["emotion"], rows[1]["p_joy"], rows[1]["ms_total"]) == ("", "", "1.25")
    assert (rows[1]["confidence"], rows[1]["reason"]) == ("", "no_speech")


def test_csv_has_another_models_labels(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "r.csv", "csv", labels=("yes", "no")) as writer:
        writer.write(make_event(empty=True))
    assert "p_yes,p_no,modalities" in (tmp_path / "r.csv").read_text()


@pytest.mark.parametrize("form", ["srt", "vtt"])
@given(start=st.floats(0, 359_000), speaker=st.none() | st.text(max_size=20))
def test_subtitles_are_read_back_by_a_subtitle_library(form: str, start: float, speaker: str | None) -> None:
    event = make_event(start, speaker=speaker)
    header, row = FORMATS[form]
    found = pysubs2.SSAFile.from_string(header(EMOTIONS) + row(event, 1, EMOTIONS), format_=form)
    assert len(found) == 1
    assert abs(found[0].start - start * 1000) <= 1
    assert found[0].plaintext.endswith("joy 70%")


@given(st.text(), st.text())
def test_odd_names_stay_in_their_row(source: str, speaker: str) -> None:
    event = UtteranceEmotion(**{**vars(make_event(speaker=speaker)), "source": source})
    line = FORMATS["jsonl"][1](event, 1, EMOTIONS)
    assert line.count("\n") == 1
    assert json.loads(line)["speaker"] == speaker
    header, row = FORMATS["csv"]
    assert len(list(csv.DictReader(io.StringIO(header(EMOTIONS) + row(event, 1, EMOTIONS), newline="")))) == 1


def test_a_row_is_on_disk_before_the_next_one_is_known(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "r.jsonl") as writer:
        for number in (1, 2):
            writer.write(make_event())
            assert len((tmp_path / "r.jsonl").read_text().splitlines()) == number


def test_a_full_disk_is_told_with_what_is_kept() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with RowWriter(Path("/dev/full")) as writer, pytest.raises(OutputError, match=r"No space left.*\n.*0 rows before"):
        writer.write(make_event())


def test_half_a_row_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.jsonl"
    with RowWriter(path) as writer:
        writer.write(make_event())
        whole, file = path.read_bytes(), writer._file

        class Filling:
            """A disk with room for ten bytes more."""

            room = 10

            def write(self, data: memoryview) -> int:
                if not self.room:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written, self.room = file.write(data[: self.room]), 0
                return written

            def __getattr__(self, name: str) -> object:
                return getattr(file, name)

        writer._file = Filling()  # type: ignore[assignment]
        with pytest.raises(OutputError, match="1 rows before"):
            writer.write(make_event())
    assert path.read_bytes() == whole


def test_unwritable_places_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="mkdir -p"):
        RowWriter(tmp_path / "nowhere" / "r.jsonl")
    with pytest.raises(OutputError, match="is a folder"):
        RowWriter(tmp_path)


def test_the_ending_names_the_format() -> None:
    assert choose_format(None, None) == "jsonl"
    assert choose_format(None, Path("a.CSV")) == "csv"
    assert choose_format("srt", Path("a.csv")) == "srt"
    assert choose_format(None, Path("/dev/null")) == "jsonl"
    with pytest.raises(UsageError, match=r"\.xlsx names no format"):
        choose_format(None, Path("a.xlsx"))


def test_subtitles_carry_words_and_emotion(tmp_path: Path) -> None:
    srt = write(tmp_path / "r", "srt", make_event(text="How are <you> --> there?"))
    assert srt.splitlines()[2] == "ROSS: How are you> there? [joy 70%]"
    assert "text_from" in write(tmp_path / "c", "csv", make_event(text="Hi, there")).splitlines()[0]
    assert ',"Hi, there",recognised,0.875,' in (tmp_path / "c").read_text()


def test_subtitles_with_emotions_are_read_as_the_words(tmp_path: Path) -> None:
    write(tmp_path / "r.srt", "srt", make_event(text="How are you?"))
    (cue,) = read_cues(tmp_path / "r.srt")
    assert (cue.speaker, cue.text) == ("ROSS", "How are you?")


@pytest.mark.parametrize("ending", ["srt", "vtt"])
def test_a_transcript_holds_the_words_alone(tmp_path: Path, ending: str) -> None:
    with TranscriptWriter(tmp_path / f"t.{ending}") as writer:
        for event in (make_event(text="Hi."), make_event(3.0), make_event(5.0, text="Black & white.", speaker=None)):
            writer.write(event)
    cues = read_cues(tmp_path / f"t.{ending}")
    assert [(cue.start, cue.speaker, cue.text) for cue in cues] == [(1.0, "ROSS", "Hi."), (5.0, None, "Black & white.")]
