"""Processes that label, die, take too long, and are told to stop."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emoje_edge.corpus.labeller import Outcome
from emoje_edge.corpus.ledger import Ledger
from emoje_edge.corpus.local import label_locally
from emoje_edge.corpus.recordings import Recording, in_folder, in_list
from emoje_edge.recognizer import Recognizer
from tests.corpus.conftest import LINES, WORDS, write_line

Make = Callable[..., Ledger]


@pytest.fixture
def pipe(tmp_path: Path) -> Recording:
    """A recording that cannot be read before somebody writes it: its worker waits."""
    path = tmp_path / "slow.wav"
    os.mkfifo(path)
    path.with_suffix(".srt").write_text(f"1\n00:00:00,100 --> 00:00:00,900\n{LINES[0]}\n")
    listed = tmp_path / "list.txt"
    listed.write_text(f"{path}\n")
    return in_list(listed)[0]


def next_in_background(outcomes: Iterator[Outcome], found: list[Outcome]) -> threading.Thread:
    thread = threading.Thread(target=lambda: found.append(next(outcomes)))
    thread.start()
    return thread


def test_rows_are_those_of_the_recognizer(clips: Path, ledger: Make) -> None:
    kept, recordings = ledger(), in_folder(clips)
    kept.write_plan(recordings)
    outcomes = list(label_locally(recordings, WORDS, kept, workers=2))
    assert sorted(o.recording for o in outcomes) == [r.name for r in recordings]
    assert {o.kind for o in outcomes} == {None}
    with Recognizer("text", threads=1) as recognizer:
        for part, recording in zip(kept.parts(recordings), recordings, strict=True):
            expected = [event.to_dict() | {"source": recording.name} for event in recognizer.stream(recording.path)]
            assert list(part.rows) == [{k: v for k, v in row.items() if k != "latency_ms"} for row in expected]


def test_a_broken_file_is_an_outcome_and_the_others_go_on(clips: Path, ledger: Make) -> None:
    (clips / "broken.mp4").write_bytes(b"no video at all")
    (clips / "empty.wav").touch()
    kept, recordings = ledger(), in_folder(clips)
    kept.write_plan(recordings)
    kinds = {o.recording: o.kind for o in label_locally(recordings, WORDS, kept, workers=1)}
    assert kinds.pop("broken.mp4") == kinds.pop("empty.wav") == "broken"
    assert set(kinds.values()) == {None}
    assert kept.write_errors(recordings) == 2


def test_a_recording_over_its_time_ends_alone(pipe: Recording, clips: Path, ledger: Make) -> None:
    kept, recordings = ledger(), [pipe, *in_folder(clips)]
    kept.write_plan(recordings)
    kinds = {o.recording: o.kind for o in label_locally(recordings, WORDS, kept, workers=2, limit=10.0)}
    assert kinds.pop(pipe.name) == "time"
    assert set(kinds.values()) == {None}


def test_a_killed_worker_is_replaced_and_its_recording_tried_once_more(pipe: Recording, ledger: Make) -> None:
    kept = ledger()
    kept.write_plan([pipe])
    found: list[Outcome] = []
    thread = next_in_background(label_locally([pipe], WORDS, kept, workers=1), found)
    sound = write_line(pipe.path.parent / "whole", "slow", LINES[0]).read_bytes()
    first = _child()
    with open(pipe.path, "wb", buffering=0):  # opens when the worker has opened its end
        first.kill()
        first.join()
        second = _child(but=first.pid)
        with open(pipe.path, "wb") as writer:  # likewise of the second one
            writer.write(sound)
    thread.join()
    assert second.pid != first.pid
    assert found == [Outcome(pipe.name, found[0].seconds, 1)]
    (part,) = kept.parts([pipe])
    assert part.error is None
    assert part.rows[0]["emotion"] == "anger"


def test_a_recording_that_kills_twice_is_given_up(pipe: Recording, ledger: Make) -> None:
    kept = ledger()
    kept.write_plan([pipe])
    found: list[Outcome] = []
    thread = next_in_background(label_locally([pipe], WORDS, kept, workers=1), found)
    first = _child()
    first.kill()
    first.join()
    _child(but=first.pid).kill()
    thread.join()
    assert found[0].kind == "killed"
    (part,) = kept.parts([pipe])
    assert part.error is not None
    assert part.error["tries"] == 2


def test_leaving_early_ends_all_workers(clips: Path, ledger: Make) -> None:
    kept, recordings = ledger(), in_folder(clips)
    kept.write_plan(recordings)
    outcomes = label_locally(recordings, WORDS, kept, workers=2)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()
    assert sum(kept.is_done(r) for r in recordings) >= 1


def _child(but: int | None = None) -> multiprocessing.process.BaseProcess:
    """The worker's process, as soon as it is there."""
    while True:
        for process in multiprocessing.active_children():
            if process.pid != but:
                return process
