"""The GPU benchmark script as far as a CPU goes: its gate, its rows, and that it says no speed when the gate is red."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import gpu  # noqa: E402 - the scripts are no package
import gpu_gate  # noqa: E402
import gpu_rows  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def small_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate on the reference, at a size for a CPU."""
    whole = gpu_gate.run_gate
    monkeypatch.setattr(gpu_gate, "CAPACITIES", (3, 4, 2))
    monkeypatch.setattr(
        gpu, "run_gate", lambda device: whole(device, impl="reference", utterances=3, heads=1, head_dim=16)
    )


@pytest.mark.usefixtures("small_gate")
def test_green_gate_writes_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.run(CPU, tmp_path / "rows", seconds=1, gate_only=False) == 0
    said = capsys.readouterr().out
    assert "RED" not in said
    assert "int8 outputs" in said
    with (tmp_path / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    fused = next(
        r for r in rows if (r["what"], r["implementation"], r["utterances"]) == ("floor, forward", "fused", "256")
    )
    # 0.161 MB an utterance, 3.5 MFLOP: the figures of the design
    assert int(fused["bytes"]) / 256 == pytest.approx(0.161e6, rel=0.01)
    assert int(fused["flop"]) / 256 == pytest.approx(3.5e6, rel=0.05)
    assert all(r["median_us"] == "" for r in rows), "no time without a GPU"
    assert {"gpu", "torch", "triton", "cuda", "python", "date"} <= set(rows[0])


@pytest.mark.usefixtures("small_gate")
@pytest.mark.parametrize("broken", [1.01, float("nan")], ids=["one percent off", "NaN"])
def test_red_gate_reports_no_speed(
    broken: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = gpu_gate.ek.cross_modal_fuse

    def wrong(*tensors, **settings):  # type: ignore[no-untyped-def]
        fused, weights, desc = right(*tensors, **settings)
        return fused * broken, weights, desc

    monkeypatch.setattr(gpu_gate.ek, "cross_modal_fuse", wrong)
    assert gpu.run(CPU, tmp_path / "rows", seconds=1, gate_only=False) == 1
    said = capsys.readouterr()
    assert "RED" in said.out
    assert "no speed is reported" in said.err
    assert not list(tmp_path.iterdir())


def test_rows_summarise_times_and_plot(tmp_path: Path) -> None:
    machine = gpu_rows.Machine.of(CPU)
    what = "operator forward"
    rows = [
        gpu_rows.row(machine, what, name, utterances=n, dtype="float16", graph=True, times=[n, n + 1, n + 5])
        for name in ("ours", "eager")
        for n in (1, 256)
    ]
    assert rows[0].median_us == 2
    assert (rows[0].low_us, rows[0].high_us) == (pytest.approx(0.8), pytest.approx(6.8))
    path = gpu_rows.write_rows(tmp_path / "gpu.csv", rows)
    assert gpu_rows.write_rows(path, rows) == path
    assert len(path.read_text().splitlines()) == 9
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    assert [p.name for p in gpu_rows.plot(tmp_path / "gpu", rows)] == ["gpu-operator-forward.png"]


def test_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "gpu.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="other columns"):
        gpu_rows.write_rows(tmp_path / "gpu.csv", [])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_from_the_source_tree_without_a_gpu(tmp_path: Path) -> None:
    """Runs from anywhere, with nothing installed, and says what is missing."""
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py")]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 2
    assert "no CUDA device" in run.stderr
