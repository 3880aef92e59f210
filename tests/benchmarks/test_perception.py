"""The measurement of perception: every part of a picture is timed, and the stage is left as it was."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.perception.bodies.estimator import BlazePose

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def perception(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    # by its file: a folder of tests bears the same name
    spec = importlib.util.spec_from_file_location("benchmark_of_perception", BENCHMARKS / "perception.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_each_part_is_timed_and_put_back(perception):
    before = {name: getattr(place, attribute) for name, (place, attribute) in perception.PARTS.items()}
    noise = np.random.default_rng(0).integers(0, 255, (2, 48, 64, 3), dtype=np.uint8)
    times: dict[str, float] = {}
    with perception.timed(times), BlazePose() as estimator:
        for i, picture in enumerate(noise):
            estimator.estimate(picture, i / 10)
    assert {"detector", "is it a cut"} <= times.keys() <= perception.PARTS.keys()
    assert times["detector"] > 0
    assert before == {name: getattr(place, attribute) for name, (place, attribute) in perception.PARTS.items()}


def test_a_command_is_measured_and_a_failed_one_told(perception):
    wall, used, memory = perception._run(["--version"])
    assert 0 < used < 2 * wall * 64
    assert memory > 5
    with pytest.raises(SystemExit, match="ended with 2"):
        perception._run(["infer", "--no-such-option"])
