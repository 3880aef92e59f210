"""Whose subtitles a file holds, by its name among the others."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from emoje_edge.perception.cues import sidecar


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["show.srt", "show.en.srt"], "show.srt"),
        (["show.fr.srt", "show.en.srt"], "show.en.srt"),
        (["show.de.srt", "show.pt-BR.srt"], "show.de.srt"),
        (["show.english.srt"], "show.english.srt"),
        (["show.en.sdh.srt", "show.en.srt"], "show.en.srt"),
        (["show.en.forced.srt", "show.fr.srt"], "show.fr.srt"),
        (["show.forced.srt", "show.en.vtt"], "show.en.vtt"),
        (["show.forced.srt"], "show.forced.srt"),
        (["SHOW.SRT"], "SHOW.SRT"),
        (["show.2.srt"], None),
        (["show.part2.srt"], None),
        (["show2.srt"], None),
        (["show.en.srt", "show.en.mkv"], None),
        (["show.en.en.srt", "show.en.mkv"], None),
        (["show.srt", "show.mkv"], "show.srt"),
        (["show.notes.srt"], None),
        (["show.zh-Hans.ass"], "show.zh-Hans.ass"),
        (["show.eng.hi.srt"], "show.eng.hi.srt"),
        (["show.en-orig.vtt"], "show.en-orig.vtt"),
        (["show.en-eEY6OEpapPo.vtt"], "show.en-eEY6OEpapPo.vtt"),
        (["show.es-419.srt"], "show.es-419.srt"),
        (["show.en.default.srt", "show.de.srt"], "show.en.default.srt"),
        (["show.mp4.srt"], "show.mp4.srt"),
        (["show.mp4.en.srt", "show.fr.srt"], "show.mp4.en.srt"),
        (["show.wav.srt"], None),
        (["show.sbv"], "show.sbv"),
        (["show.new.srt"], None),
        (["show.raw.srt"], None),
        (["show.day.srt"], None),
        (["show.old.srt"], None),
        (["show.v2.srt"], None),
    ],
)
def test_sidecars(tmp_path: Path, names: list[str], found: str | None) -> None:
    (tmp_path / "show.mp4").touch()
    for name in names:
        (tmp_path / name).touch()
    assert sidecar(tmp_path / "show.mp4") == (found and tmp_path / found)


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert sidecar(tmp_path / "nowhere" / "show.mp4") is None


def test_the_same_letters_written_in_two_ways_are_one_name(tmp_path: Path) -> None:
    """A Mac writes `é` as two characters."""
    for video, words in (("caf\u00e9.mp4", "cafe\u0301.srt"), ("no\u0308el.mp4", "n\u00f6el.en.srt")):
        (tmp_path / video).touch()
        (tmp_path / words).touch()
        assert sidecar(tmp_path / video) == tmp_path / words


def test_subtitles_of_a_kind_that_is_not_read_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("show.mp4", "other.mp4", "show.ttml"):
        (tmp_path / name).touch()
    with caplog.at_level(logging.WARNING):
        assert sidecar(tmp_path / "other.mp4") is None
        assert not caplog.records
        assert sidecar(tmp_path / "show.mp4") is None
    assert "show.ttml lies beside show.mp4 and is not read" in caplog.text


def test_a_long_transcript_is_told_from_other_json(tmp_path: Path) -> None:
    """Whisper writes all the text first."""
    video = tmp_path / "talk.mp4"
    video.touch()
    segment = {"start": 0.0, "end": 1.0, "text": "Hello"}
    (tmp_path / "talk.json").write_text(json.dumps({"text": "Hello " * 20_000, "segments": [segment]}))
    assert sidecar(video) == tmp_path / "talk.json"
