"""Whose subtitles a file holds, by its name among the others."""

from __future__ import annotations

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
    ],
)
def test_sidecars(tmp_path: Path, names: list[str], found: str | None) -> None:
    (tmp_path / "show.mp4").touch()
    for name in names:
        (tmp_path / name).touch()
    assert sidecar(tmp_path / "show.mp4") == (found and tmp_path / found)


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert sidecar(tmp_path / "nowhere" / "show.mp4") is None
