"""Parts into one file: the same bytes for the same parts, and the same rows in every format."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emoje_edge.corpus.ledger import Ledger, LedgerError, Part
from emoje_edge.corpus.local import label_locally
from emoje_edge.corpus.merge import merge
from emoje_edge.corpus.recordings import Recording, in_folder
from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from tests.corpus.conftest import WORDS

Make = Callable[..., Ledger]


@pytest.fixture
def labelled(clips: Path, ledger: Make) -> tuple[Ledger, list[Recording]]:
    kept, recordings = ledger(), in_folder(clips)
    kept.write_plan(recordings)
    assert {o.kind for o in label_locally(recordings, WORDS, kept, workers=1)} == {None}
    return kept, recordings


def test_every_format_holds_the_same_rows_in_the_order_of_names(
    labelled: tuple[Ledger, list[Recording]], tmp_path: Path
) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="Parquet wants pyarrow (the corpus extra)")
    kept, recordings = labelled
    paths = {ending: tmp_path / f"out.{ending}" for ending in ("jsonl", "csv", "parquet")}
    for path in paths.values():
        assert merge(kept.parts(recordings[::-1]), path, EMOTIONS, kept.description) == 5
    rows = [json.loads(line) for line in paths["jsonl"].read_text().splitlines()]
    assert [row["source"] for row in rows] == [r.name for r in recordings]
    assert "latency_ms" not in rows[0]
    table = pq.read_table(paths["parquet"]).to_pylist()
    with paths["csv"].open(newline="") as file:
        cells = list(csv.DictReader(file))
    for row, flat, line in zip(rows, table, cells, strict=True):
        assert flat["emotion"] == line["emotion"] == row["emotion"]
        assert flat["p_joy"] == float(line["p_joy"]) == row["probabilities"]["joy"]
        assert (flat["modalities"], flat["w_text"], flat["w_pose"]) == ("text", 1.0, None)
    assert json.loads(pq.read_schema(paths["parquet"]).metadata[b"emoje_edge"])["mask"] == "text"


def test_the_same_parts_give_the_same_bytes(labelled: tuple[Ledger, list[Recording]], tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet wants pyarrow (the corpus extra)")
    kept, recordings = labelled
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    for path in (first, second):
        merge(kept.parts(recordings), path, EMOTIONS, kept.description)
    assert first.read_bytes() == second.read_bytes()


def test_a_failed_merge_leaves_the_old_file(ledger: Make, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("as it was")
    row = {"source": "a", "modalities": [], "probabilities": {}, "weights": {}, "speaker": "\ud800"}  # not encodable

    with pytest.raises((LedgerError, UnicodeEncodeError)):
        merge([Part("a", 1.0, [row])], out, EMOTIONS, {})
    assert out.read_text() == "as it was"


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.xlsx") as error:
        merge([], tmp_path / "out.xlsx", EMOTIONS, {})
    assert ".parquet" in error.value.hint
