"""Parts: kept whole or not at all, named by all that they depend on."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emoje_edge.corpus.ledger import Ledger, LedgerError, Part, read_part, read_plan
from emoje_edge.corpus.recordings import Recording
from emoje_edge.corpus.settings import Settings
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.shipped import engines_of

TALK = Recording("a/talk.mp4", Path("a/talk.mp4"), "talk.mp4 10 20")
ROWS = [{"source": TALK.name, "start": 0.0, "emotion": "joy"}, {"source": TALK.name, "start": 1.0, "emotion": None}]
BROKEN = {"kind": "broken", "message": "cut off", "tries": 1}
Make = Callable[..., Ledger]


def test_a_part_comes_back_as_it_was(ledger: Make) -> None:
    kept = ledger()
    kept.write_plan([TALK])
    assert not kept.is_done(TALK)
    kept.write(TALK, Part(TALK.name, 2.5, ROWS))
    assert kept.is_done(TALK)
    assert list(kept.parts([TALK])) == [Part(TALK.name, 2.5, ROWS)]


def test_a_changed_file_or_setting_is_not_done(ledger: Make, tmp_path: Path) -> None:
    kept = ledger()
    kept.write_plan([TALK])
    kept.write(TALK, Part(TALK.name, 2.5, ROWS))
    assert not kept.is_done(replace(TALK, state="talk.mp4 11 20"))
    assert not Ledger(tmp_path / "rows.jsonl", Settings("text", pose_fps=10.0).describe()).is_done(TALK)


def test_a_failed_part_is_tried_again_and_its_rows_are_kept(ledger: Make) -> None:
    kept = ledger()
    kept.write_plan([TALK])
    kept.write(TALK, Part(TALK.name, 1.0, ROWS[:1], BROKEN))
    assert not kept.is_done(TALK)
    assert kept.write_errors([TALK]) == 1
    assert '"path": "a/talk.mp4", "kind": "broken"' in (kept.folder / "errors.jsonl").read_text()
    assert [part.rows for part in kept.parts([TALK])] == [ROWS[:1]]


def test_a_finished_part_is_never_replaced_by_a_failed_one(ledger: Make) -> None:
    kept = ledger()
    kept.write_plan([TALK])
    kept.write(TALK, Part(TALK.name, 2.5, ROWS))
    kept.write(TALK, Part(TALK.name, 0.0, (), {"kind": "time", "message": "late", "tries": 1}))
    assert [part.rows for part in kept.parts([TALK])] == [ROWS]


def test_no_room_says_so_and_leaves_nothing_half_written(ledger: Make) -> None:
    kept = ledger()
    kept.write_plan([TALK])
    kept.folder.joinpath(kept.name(TALK)).mkdir()  # the place is taken: renaming fails as on a read-only disk
    with pytest.raises(LedgerError, match="cannot write"):
        kept.write(TALK, Part(TALK.name, 2.5, ROWS))
    assert not list(kept.folder.glob(".*"))


def test_a_damaged_part_names_itself(ledger: Make) -> None:
    kept = ledger()
    kept.write_plan([TALK])
    path = kept.folder / kept.name(TALK)
    path.write_text('{"recording": 1')
    with pytest.raises(WorkError, match=path.name):
        read_part(path)


def test_a_plan_is_there_after_begin_only(ledger: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run has written"):
        read_plan(tmp_path / "rows.jsonl")
    kept = ledger()
    kept.write_plan([TALK])
    assert read_plan(tmp_path / "rows.jsonl")["recordings"] == {TALK.name: kept.name(TALK)}


def test_two_models_share_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    for mask in ("text", "pose"):
        shutil.copytree(engines_of() / mask, home / "mine" / mask / "onnx-0")
    monkeypatch.setenv("EMOJE_ENGINES", str(home))
    kept = {name: Ledger(tmp_path / "rows.csv", Settings("text", model=name).describe()) for name in (None, "small")}
    mine = Ledger(tmp_path / "rows.csv", Settings("text", model="mine").describe())
    assert kept[None].name(TALK) == kept["small"].name(TALK)  # the default by its name
    assert mine.name(TALK) != kept["small"].name(TALK)
    assert mine.description["model"] == "mine"
    with pytest.raises(UsageError, match="unknown model 'smal'"):
        Settings("text", model="smal").describe()
