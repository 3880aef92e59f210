"""Four subtitle lines over real videos: people move and a stage sounds, and the emotions are those of the words."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoje_edge import Recognizer
from emoje_edge.perception.media import probe

LINES = (
    ("I hate you! Get out!", "anger"),
    ("That is wonderful news!", "joy"),
    ("I am so sad that you are leaving.", "sadness"),
    ("Oh my God, I can't believe it!", "surprise"),
)


def subtitles(path: Path, seconds: float) -> Path:
    """The four lines, one a quarter of the time."""

    def clock(t: float) -> str:
        return f"00:00:{int(t):02d},{round(t % 1 * 1000):03d}"

    step = seconds / len(LINES)
    cues = (
        f"{i + 1}\n{clock(i * step)} --> {clock((i + 0.95) * step)}\n{'AB'[i % 2]}: {line}\n"
        for i, (line, _) in enumerate(LINES)
    )
    path.write_text("\n".join(cues), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(words="off")


def clips(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in (".mp4", ".avi", ".mkv"))


def test_the_words_decide_over_what_is_seen_and_heard(
    recognizer: Recognizer, shared_data: Path, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    found = {}
    for clip in clips(shared_data / "video"):
        words = subtitles(tmp_path / "words.srt", probe(clip).duration or 4.0)
        found[clip.name] = [row.emotion for row in recognizer.stream(clip, text=words)]
        record_property(clip.name, found[clip.name])
        print(clip.name, found[clip.name])
    assert len(found) == 13
    wanted = [emotion for _, emotion in LINES]
    assert {name: rows for name, rows in found.items() if rows != wanted} == {}
