"""Calibration sets: the one that ships, and data that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from emoje_edge.calibration_data.calibration_inputs import open_set
from emoje_edge.engine.calibration_set import CalibrationSet
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.model import AmEmoje, LandmarkEncoder, ModelConfig, TextEncoder


@pytest.fixture(scope="module")
def network() -> AmEmoje:
    torch.manual_seed(0)
    text = TextEncoder(vocabulary=10752, width=32, layers=1)
    config = ModelConfig(text, None, LandmarkEncoder(width=32), width=32, heads=2, joint_width=16, state_width=32)
    return AmEmoje(config).eval()


@pytest.fixture(scope="module")
def data(network: AmEmoje) -> CalibrationSet:
    return open_set(None, network.config, None, 16)


def test_data_that_do_not_fit_are_refused(network: AmEmoje, data: CalibrationSet, tmp_path: Path) -> None:
    config = network.config
    with pytest.raises(UsageError, match="no calibration data"):
        open_set(str(tmp_path / "nothing"), config, None, 8)
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(WorkError, match=r"bad\.npz"):
        open_set(str(tmp_path / "bad.npz"), config, None, 8)
    for name, arrays, words in (
        ("none", {}, "holds"),
        ("unknown", {**data.arrays, "face": np.zeros(3)}, "face"),
        ("shape", {**data.arrays, "pose": np.zeros((16, 5), np.float32)}, "pose is"),
        ("length", {**data.arrays, "pose_length": np.full(16, 999, np.int32)}, "pose_length"),
        ("nan", {**data.arrays, "pose": data.arrays["pose"] * np.float32(np.nan)}, "not finite"),
        ("vocabulary", {**data.arrays, "text": data.arrays["text"] + 100_000}, "vocabulary"),
    ):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(UsageError) as caught:
            open_set(str(tmp_path / f"{name}.npz"), config, None, 8)
        assert words in str(caught.value)


def test_the_shipped_set_is_the_same_each_time(network: AmEmoje, data: CalibrationSet) -> None:
    assert open_set("synthetic", network.config, None, 16).sha256 == data.sha256
