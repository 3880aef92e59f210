"""Pushing what a file holds gives the file's rows; threads end; wrong use says what to give."""

import asyncio
import re
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emoje_edge.live as live_module
from emoje_edge.errors import UsageError
from emoje_edge.live import Live
from emoje_edge.perception.media import AudioBlock, VideoFrame, decode
from emoje_edge.recognizer import Recognizer
from emoje_edge.utterance_emotion import UtteranceEmotion


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def push(live: Live, path: Path) -> None:
    """All pictures and sound of a file, as they lie in it."""
    for item in decode(path):
        if isinstance(item, VideoFrame):
            live.picture(item.pixels, item.time)
        elif isinstance(item, AudioBlock):
            live.sound(item.samples, item.time, 16_000)


def plain(event: UtteranceEmotion) -> dict[str, Any]:
    row = event.to_dict()
    return {k: row[k] for k in ("start", "end", "emotion", "modalities", "probabilities")}


def test_a_pushed_file_gives_the_rows_of_the_file(recognizer: Recognizer, shared_data: Path) -> None:
    path = shared_data / "video" / "face_recognition_short_hamilton.mp4"
    with Recognizer("audio,pose", pose_fps=10.0) as wanted:
        expected = [plain(event) for event in wanted.stream(path)]
        with wanted.live(video=True, audio=True) as live:
            push(live, path)
        found = [plain(event) for event in live]
    assert [(row["start"], row["end"], row["emotion"]) for row in found] == [
        (pytest.approx(row["start"], abs=0.2), pytest.approx(row["end"], abs=0.2), row["emotion"]) for row in expected
    ]


def test_words_tell_the_utterances_and_their_speakers(recognizer: Recognizer) -> None:
    threads = threading.active_count()
    with recognizer.live(words=True, name="robot") as live:
        live.words("I hate you! Get out of my house!", 0.0, 2.0, "ROSS")
        live.words("This is wonderful, I am so happy!", 2.5, 4.0, "MONICA")
    events = list(live)
    assert [(e.source, e.speaker, e.emotion) for e in events] == [
        ("robot", "ROSS", "anger"),
        ("robot", "MONICA", "joy"),
    ]
    assert threading.active_count() == threads


def test_words_take_the_sound_of_their_time_even_when_they_come_late(recognizer: Recognizer) -> None:
    with recognizer.live(words=True, audio=True) as live:
        noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
        for second in range(5):
            live.sound(noise, float(second), 16_000)
        live.words("I miss her so much.", 1.0, 3.0)
    (event,) = live
    assert (event.start, event.end) == (1.0, 3.0)
    assert "text" in event.modalities


def test_events_come_to_a_callback_or_an_event_loop(recognizer: Recognizer) -> None:
    told: list[str | None] = []
    with recognizer.live(words=True, callback=lambda event: told.append(event.emotion)) as live:
        live.words("I hate you!", 0.0, 1.0)
    assert told == ["anger"]

    async def listen() -> list[str | None]:
        with recognizer.live(words=True) as live:
            live.words("I hate you!", 0.0, 1.0)
            live.end()
            return [event.emotion async for event in live]

    assert asyncio.run(listen()) == ["anger"]


def test_two_sessions_share_engines_and_do_not_mix(recognizer: Recognizer) -> None:
    with recognizer.live(words=True, name="a") as first, recognizer.live(words=True, name="b") as second:
        for number in range(20):
            first.words("I hate you! Get out!", number, number + 0.5)
            second.words("The meeting is at ten.", number, number + 0.5)
    assert {(e.source, e.emotion) for e in first} == {("a", "anger")}
    assert {(e.source, e.emotion) for e in second} == {("b", "neutral")}


@pytest.mark.parametrize("given", [{}, {"video": True}])
def test_a_session_of_nothing_or_beyond_the_mask_is_refused(given: dict[str, bool]) -> None:
    with Recognizer("text") as words, pytest.raises(UsageError, match="a live session of"):
        words.live(**given)


def test_an_error_in_recognising_reaches_who_pushes_and_who_takes(recognizer: Recognizer) -> None:
    with recognizer.live(words=True) as live:
        with pytest.raises(UsageError, match="give words"):
            live.words("  ", 0.0, 1.0)
        live.words("I hate you!", 0.0, 1.0)
    assert len(list(live)) == 1


def test_the_example_of_the_module_runs(recognizer: Recognizer) -> None:
    example = (live_module.__doc__ or "").split(":\n\n", 1)[-1]
    code = textwrap.dedent("\n".join(line for line in example.splitlines() if line.startswith("    ") or not line))
    camera = [(np.zeros((48, 64, 3), np.uint8), np.zeros(9_600, np.float32), n / 5) for n in range(10)]
    threads = threading.active_count()
    exec(code, {"Recognizer": lambda: Recognizer("audio,pose"), "camera": camera})
    assert "live.picture(rgb, seconds)" in code
    assert threading.active_count() == threads


def test_the_example_of_the_documents_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).resolve().parents[1] / "docs" / "use" / "live.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out == "ROSS anger\n"


def test_an_open_utterance_is_told_of_and_its_end_is_as_without(shared_data: Path) -> None:
    path = shared_data / "video" / "face_recognition_short_hamilton.mp4"
    with Recognizer("audio", words="off") as ears:
        found = []
        for partial in (None, 1.0):
            with ears.live(audio=True, partial=partial) as live:
                for item in decode(path, video=False):
                    assert isinstance(item, AudioBlock)
                    live.sound(item.samples, item.time, 16_000)
            found.append(list(live))
    without, told = found
    assert [plain(event) for event in told if event.final] == [plain(event) for event in without]
    still_open = [event for event in told if not event.final]
    assert len(still_open) >= 5
    assert all(event.to_dict()["final"] is False for event in still_open)
    lengths = [event.end - event.start for event in still_open if event.start == still_open[0].start]
    assert lengths == sorted(lengths)
    assert lengths[0] == pytest.approx(1.0, abs=0.3)
