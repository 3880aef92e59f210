"""The bench command on the engines that ship: rows, reports, and a backend that is not here."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from emoje_edge import Mask, UsageError
from emoje_edge.bench import machine_facts
from emoje_edge.bench.report import Report, write
from emoje_edge.bench.time_engines import EngineRow, example_inputs, measure_here
from emoje_edge.bench.time_sources import SourceRow
from emoje_edge.bench.timing import Timing, in_turns
from emoje_edge.cli.bench import command
from emoje_edge.engine.interface import check_inputs
from emoje_edge.engine.session import open_engine
from emoje_edge.errors import EmojeError

ROW = EngineRow("text", "onnx", 1, 2, "ok", "int8", 2.7, 0.9, 1.0, 1.2, 1100.0, 35.0)
GONE = EngineRow("pose", "tensorrt", 1, 2, status="TensorRT is not installed")
VIDEO = SourceRow("talk.mp4", 10.0, 4.0, 2.0, 3, {"pose": 2.3, "audio": 0.1, "text": 0.0, "engine": 0.01}, 310.0)
REPORT = Report({"cores": 2}, (1.1, 1.0), [ROW, GONE], [VIDEO], {"text": ".546 weighted F1, MELD dev"})


@pytest.mark.parametrize("mask", [Mask(7), Mask.parse("pose")], ids=str)
def test_example_inputs_fit_their_engine(mask: Mask) -> None:
    manifest = open_engine(mask).manifest
    sets = example_inputs(manifest, batch=3, sets=2)
    assert [check_inputs(manifest, arrays) for arrays in sets] == [3, 3]
    assert not np.array_equal(sets[0]["state"], sets[1]["state"])
    again = example_inputs(manifest, batch=3, sets=2)
    assert all(np.array_equal(sets[1][name], again[1][name]) for name in sets[1])


def test_an_engine_is_measured() -> None:
    row = measure_here(Mask.parse("pose"), "onnx", batch=1, threads=1)
    assert row.status == "ok"
    assert row.precision == "int8"
    assert row.p50_ms is not None
    assert row.p95_ms is not None
    assert 0 < row.p50_ms <= row.p95_ms


def test_a_backend_that_is_not_here_is_an_error_to_act_on() -> None:
    with pytest.raises(EmojeError):
        measure_here(Mask.parse("pose"), "tensorrt", batch=1, threads=1)


def test_works_take_turns_on_rotating_inputs() -> None:
    seen: list[tuple[str, int]] = []
    works = {"a": lambda x: seen.append(("a", x)), "b": lambda x: seen.append(("b", x))}
    timings = in_turns(works, [0, 1], warmup=0, rounds=3)
    assert seen == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 0), ("b", 0)]
    assert timings["a"].calls == 3


def test_percentiles() -> None:
    timing = Timing.from_milliseconds([float(i) for i in range(101)])
    assert (timing.p50, timing.p95, timing.p99) == (50, 95, 99)


@pytest.mark.parametrize("name", ["report.html", "report.md", "report.json"])
def test_a_report_tells_every_row(tmp_path: Path, name: str) -> None:
    write(REPORT, tmp_path / name)
    text = (tmp_path / name).read_text(encoding="utf-8")
    for word in ("text", "int8", "TensorRT is not installed", ".546 weighted F1, MELD dev", "talk.mp4"):
        assert word in text
    if name.endswith(".json"):
        assert json.loads(text)["engines"][0]["p50_ms"] == 0.9
    if name.endswith(".html"):
        assert "0.90 ms (text)" in text
        assert "width:90.00%" in text  # p50 .9 of the longest p95, 1.0
        assert "2.5× real time" in text
        assert not re.findall(r"(?:src|href)\s*=|https?:|url\(", text), "nothing may be fetched"


def test_an_unknown_report_format_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.html, \.md, \.json"):
        write(REPORT, tmp_path / "report.pdf")


def test_the_command_prints_a_table_and_the_machine(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--mask", "pose", "--report", str(tmp_path / "r.json")])
    assert done.exit_code == 0, done.output
    assert "p50 ms" in done.output
    assert "noise of the machine" in done.output
    assert json.loads((tmp_path / "r.json").read_text())["engines"][0]["mask"] == "pose"


def test_the_power_rails_of_a_jetson() -> None:
    line = "RAM 2448/7620MB (lfb 4x2MB) CPU [2%@729,off] GR3D_FREQ 0% VDD_IN 5024mW/4990mW VDD_CPU_GPU_CV 760mW/750mW"
    assert machine_facts.power_rails(line) == "VDD_IN 5024mW, VDD_CPU_GPU_CV 760mW"


def test_the_machine_is_described_without_what_does_not_apply() -> None:
    facts = machine_facts.describe()
    assert facts["cores"] >= 1
    assert "onnxruntime" in facts["versions"]
    assert all(value not in (None, "", {}) for value in facts.values())
