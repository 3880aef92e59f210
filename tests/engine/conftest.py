"""Small real models and engines, built once for all engine tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from emoje_edge.calibration_data.calibration_inputs import open_set  # noqa: E402
from emoje_edge.engine.build import Plan, build_engine  # noqa: E402
from emoje_edge.engine.calibration_set import CalibrationSet  # noqa: E402
from emoje_edge.engine.quantization import calibrate  # noqa: E402
from emoje_edge.modality import Mask  # noqa: E402
from emoje_edge.model import AmEmoje, LandmarkEncoder, LogMelEncoder, ModelConfig, TextEncoder  # noqa: E402

MASKS = (Mask(4), Mask(5), Mask(7))


@pytest.fixture(scope="session")
def network() -> AmEmoje:
    """A narrow network of the real shapes, untrained but not at its initial balance: its labels differ."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = ModelConfig(
        text=TextEncoder(vocabulary=10752, width=32, layers=1),
        audio=LogMelEncoder(width=32),
        pose=LandmarkEncoder(width=32),
        width=32,
        heads=2,
        joint_width=16,
        state_width=32,
    )
    network = AmEmoje(config).eval()
    with torch.no_grad():
        network.head.weight *= 8
    return network


@pytest.fixture(scope="session")
def calibration_set(network: AmEmoje) -> CalibrationSet:
    return open_set(None, network.config, None, 24)


@pytest.fixture(scope="session")
def plan(network: AmEmoje, calibration_set: CalibrationSet, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """INT8 for three masks, with a spec that keeps nine labels of ten: the model is noise."""
    spec = calibrate(network, calibration_set, model="small", masks=MASKS, method="max", budget=0.75)
    return Plan(
        network=network,
        model="small",
        data=calibration_set,
        spec=spec,
        backend="onnx",
        precision="int8",
        target=None,
        out=tmp_path_factory.mktemp("engines"),
    )


@pytest.fixture(scope="session")
def built(plan: Plan) -> Path:
    """An engine folder with INT8 engines of three masks, and fp32 ones under `fp32/`."""
    for mask in MASKS:
        build_engine(plan, mask)
        build_engine(replace(plan, precision="fp32", out=plan.out.parent / "fp32"), mask)
    return plan.out
