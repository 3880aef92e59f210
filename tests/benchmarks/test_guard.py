"""The guard can fail: a ratio worse than stored by more than 30 % is a loss, noise in one try is not."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def guard() -> ModuleType:
    spec = importlib.util.spec_from_file_location("guard", ROOT / "benchmarks" / "guard.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_loss_is_reported(guard: ModuleType, capsys: pytest.CaptureFixture) -> None:
    assert guard.check({"a": lambda: 1.4}, {"a": 1.0}) == ["a went from 1.000 to 1.400"]
    assert "LOST" in capsys.readouterr().out


def test_within_the_allowance_there_is_none(guard: ModuleType) -> None:
    assert guard.check({"a": lambda: 1.29, "b": lambda: 0.2}, {"a": 1.0, "b": 1.0}) == []


def test_one_noisy_try_is_measured_again(guard: ModuleType) -> None:
    tries = iter([2.0, 1.1])
    assert guard.check({"a": lambda: next(tries)}, {"a": 1.0}) == []


def test_every_ratio_is_stored(guard: ModuleType) -> None:
    import json

    assert set(json.loads(guard.STORED.read_text())) == set(guard.RATIOS)


def test_wrong_use_prints_the_manual(guard: ModuleType, capsys: pytest.CaptureFixture) -> None:
    assert guard.main([]) == 2
    assert "guard.py accept" in capsys.readouterr().err
