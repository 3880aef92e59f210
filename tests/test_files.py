"""Whole files only: a writer that fails leaves what was there, and nothing beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoje_edge.files import atomic, atomic_folder


def test_the_new_file_takes_the_old_ones_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text("old")
    with atomic(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def fill(path: Path, folder: Path) -> None:
    """Write half of both, then fail, each in a block of its own."""
    try:
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        with atomic_folder(folder) as inside:
            (inside / "model").write_text("half")
            raise


def test_a_writer_that_fails_changes_nothing(tmp_path: Path) -> None:
    path, folder = tmp_path / "rows", tmp_path / "engine"
    path.write_text("old")
    folder.mkdir()
    (folder / "model").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        fill(path, folder)
    assert (path.read_text(), (folder / "model").read_text()) == ("old", "old")
    assert sorted(tmp_path.iterdir()) == [folder, path]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    for text in ("first", "second"):
        with atomic_folder(folder) as inside:
            (inside / text).write_text(text)
    assert [p.name for p in folder.iterdir()] == ["second"]
    assert list(tmp_path.iterdir()) == [folder]
