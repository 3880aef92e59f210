"""Which files are found, in which order, and what makes a recording another one."""

import os
from pathlib import Path

import pytest

from emoje_edge.corpus.recordings import in_folder, in_list, longest_first
from emoje_edge.errors import UsageError
from tests.corpus.conftest import write_line, write_wav


def test_subfolders_are_searched_and_hidden_files_left_out(clips: Path) -> None:
    write_wav(clips / ".hidden.wav")
    (clips / "notes.txt").write_text("no recording")
    names = [r.name for r in in_folder(clips)]
    assert names == ["later/line-3.wav", "later/line-4.wav", "line-0.wav", "line-1.wav", "line-2.wav"]


def test_the_longest_comes_first_by_the_header_not_by_bytes(tmp_path: Path) -> None:
    write_wav(tmp_path / "short.wav", 0.5, rate=48000)
    write_wav(tmp_path / "long.wav", 2.0, rate=8000)
    assert (tmp_path / "short.wav").stat().st_size > (tmp_path / "long.wav").stat().st_size
    first, second = longest_first(in_folder(tmp_path))
    assert (first.name, second.name) == ("long.wav", "short.wav")
    assert first.seconds == pytest.approx(2.0)


def test_a_broken_file_has_no_length_and_stays(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    (found,) = longest_first(in_folder(tmp_path))
    assert found.seconds is None


def test_a_list_is_read_with_comments_and_missing_files(clips: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"# mine\n{clips / 'line-0.wav'}\n\n{clips / 'gone.wav'}\n")
    assert [Path(r.name).name for r in in_list(listed)] == ["line-0.wav", "gone.wav"]


@pytest.mark.parametrize("text", ["", "# only this\n", "a.wav\nb.wav\na.wav\n"])
def test_a_list_without_or_with_repeated_names_is_refused(tmp_path: Path, text: str) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(text)
    with pytest.raises(UsageError):
        in_list(listed)


def test_an_empty_folder_and_no_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone"):
        with pytest.raises(UsageError, match="folder"):
            in_folder(path)


def test_a_change_of_the_file_or_of_the_words_beside_it_is_another_state(tmp_path: Path) -> None:
    path = write_line(tmp_path, "talk", "Hello there.")
    (before,) = in_folder(tmp_path)
    words = path.with_suffix(".srt")
    words.write_text(words.read_text().replace("Hello", "Goodbye"))
    from emoje_edge.corpus import recordings

    recordings._subtitles.cache_clear()
    (after,) = in_folder(tmp_path)
    assert before.state != after.state
    os.utime(path, ns=(0, 0))
    assert in_folder(tmp_path)[0].state != after.state


def test_words_of_another_folder_by_relative_path(clips: Path, tmp_path: Path) -> None:
    words = tmp_path / "words" / "later"
    words.mkdir(parents=True)
    (words / "line-3.vtt").write_text("WEBVTT\n\n00:00.100 --> 00:00.900\nI hate you!\n")
    texts = {r.name: r.text for r in in_folder(clips, tmp_path / "words")}
    assert texts.pop("later/line-3.wav") == words / "line-3.vtt"
    assert set(texts.values()) == {None}
