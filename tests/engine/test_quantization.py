"""INT8 on the network: the spec and its round trip, the quantized reference, exclusion under a budget."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from emoje_calibration.calibrate import Case, _Trial
from emoje_calibration.errors import SpecError
from emoje_calibration.quantize import QuantLinear
from emoje_calibration.spec import Spec

from emoje_edge.calibration_data.calibration_inputs import open_set
from emoje_edge.engine.calibration_set import CalibrationSet
from emoje_edge.engine.quantization import calibrate, quantize_masked, read_spec
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask
from emoje_edge.model import AmEmoje, LandmarkEncoder, ModelConfig, TextEncoder
from emoje_edge.model.network import MaskedNetwork

POSE, BOTH = Mask.parse("pose"), Mask.parse("text,pose")


@pytest.fixture(scope="module")
def network() -> AmEmoje:
    torch.manual_seed(0)
    text = TextEncoder(vocabulary=10752, width=32, layers=1)
    config = ModelConfig(text, None, LandmarkEncoder(width=32), width=32, heads=2, joint_width=16, state_width=32)
    return AmEmoje(config).eval()


@pytest.fixture(scope="module")
def data(network: AmEmoje) -> CalibrationSet:
    return open_set(None, network.config, None, 16)


@pytest.fixture(scope="module")
def spec(network: AmEmoje, data: CalibrationSet) -> Spec:
    return calibrate(network, data, model="small", masks=[POSE, BOTH], method="max", budget=0.5)


def test_a_spec_survives_the_round_trip_and_can_be_read(spec: Spec) -> None:
    assert Spec.from_json(spec.to_json()) == spec
    assert max(len(line) for line in spec.to_json().splitlines() if "amax" not in line) < 120


def test_ranges_belong_to_the_mask(spec: Spec) -> None:
    assert not any("text" in name for name in spec.layers(str(POSE)))
    assert any("text" in name for name in spec.layers(str(BOTH)))
    with pytest.raises(SpecError, match="no ranges for mask text,"):
        spec.layers("text")


def test_the_quantized_reference_is_near_fp32_and_holds_int8(
    network: AmEmoje, data: CalibrationSet, spec: Spec
) -> None:
    masked = MaskedNetwork(network, BOTH)
    quantized = quantize_masked(masked, spec)
    inputs = next(iter(data.batches(masked)))
    with torch.no_grad():
        fp32, int8 = masked(*inputs)[0], quantized(*inputs)[0]
    assert 0 < float((fp32 - int8).abs().max()) < 0.1
    layers = [m for m in quantized.modules() if isinstance(m, QuantLinear)]
    assert layers
    assert not any(isinstance(m, QuantLinear) for m in masked.modules())


def test_layers_that_hurt_are_left_out_and_named(network: AmEmoje, data: CalibrationSet) -> None:
    broken = AmEmoje(network.config).eval()
    broken.load_state_dict(network.state_dict())
    with torch.no_grad():  # one input channel that dwarfs the rest: its layer cannot be INT8 with one range a tensor
        broken.fusion.norm_out.weight[0] = 1e6
        broken.head.weight[:, 0] = 0
        broken.dialogue.input.weight[:, 0] = 0  # type: ignore[union-attr]
        broken.head.weight *= 20
    found = calibrate(broken, data, model="broken", masks=[BOTH], method="max", budget=1.0).masks[str(BOTH)]
    assert "dialogue.input" in found.excluded or "head" in found.excluded
    assert found.agreement == 1
    assert all("changes the logits by" in reason for reason in found.excluded.values())


def test_nothing_is_given_up_in_vain(network: AmEmoje, data: CalibrationSet) -> None:
    broken = AmEmoje(network.config).eval()
    broken.load_state_dict(network.state_dict())
    with torch.no_grad():  # one layer that moves all classes alike, by far the most, and one that changes labels
        broken.evidence["pose"].out.weight[:] = 100 * broken.evidence["pose"].out.weight[:1]  # type: ignore[index,union-attr]
        broken.fusion.norm_out.weight[0] = 1e6
        broken.head.weight[:, 0] = 0
        broken.dialogue.input.weight[:, 0] = 0  # type: ignore[union-attr]
        broken.head.weight *= 20
    kept, whole = (
        calibrate(broken, data, model="broken", masks=[BOTH], method="max", budget=b).layers(str(BOTH))
        for b in (1.0, 0.01)
    )
    given_up = [name for name in whole if kept.get(name) != whole[name]]
    trial = _Trial(Case(str(BOTH), MaskedNetwork(broken, BOTH), list(data.batches(MaskedNetwork(broken, BOTH)))), False)
    assert given_up
    assert trial.change(kept).agreement == 1
    for name in given_up:
        assert trial.change({**kept, name: whole[name]}).agreement < 1, name


def test_an_encoders_layer_that_hurts_keeps_its_weight(network: AmEmoje, data: CalibrationSet) -> None:
    """What it takes in stays in floating point, and all masks go on sharing its INT8 weight."""
    broken = AmEmoje(network.config).eval()
    broken.load_state_dict(network.state_dict())
    layer = broken.encoders["text"].get_submodule("layers.0")
    name = "encoders.text.layers.0.feed_forward.up"
    with torch.no_grad():  # one channel that dwarfs the rest, and that nothing reads
        layer.norm2.weight[0] = 1e6
        layer.feed_forward.up.weight[:, 0] = 0
        layer.feed_forward.down.weight *= 20
        broken.head.weight *= 20
    spec = calibrate(broken, data, model="broken", masks=[BOTH], method="max", budget=1.0)
    found = spec.masks[str(BOTH)]
    assert name not in found.inputs
    assert not any(layer.startswith("encoders.") for layer in found.excluded)
    assert spec.layers(str(BOTH))[name].input is None
    masked = MaskedNetwork(broken, BOTH)
    quantized = quantize_masked(masked, spec)
    inputs = next(iter(data.batches(masked)))
    with torch.no_grad():
        assert (masked(*inputs)[0].argmax(1) == quantized(*inputs)[0].argmax(1)).all()
    kept = quantized.network.get_submodule(name)
    assert isinstance(kept, QuantLinear)
    assert kept.x_amax is None


def test_weights_only_leaves_what_encoders_take_in_floating_point(network: AmEmoje, data: CalibrationSet) -> None:
    spec = calibrate(network, data, model="small", masks=[BOTH], method="max", budget=0.5, weights_only=True)
    found = spec.masks[str(BOTH)]
    assert found.inputs
    assert not any(name.startswith("encoders.") for name in found.inputs)
    assert "encoders.text.layers.0.feed_forward.up" in spec.layers(str(BOTH))
    assert Spec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw.update(schema=2), "upgrade"),
        (lambda raw: raw.pop("data"), "lacks 'data'"),
        (lambda raw: raw.update(weights_sha256="x"), "SHA-256"),
        (lambda raw: raw["masks"].update(face={}), "face"),
        (lambda raw: raw["masks"]["pose"]["inputs"].update(ghost={}), "ghost"),
        (lambda raw: next(iter(raw["weights"].values())).update(amax=[-1]), "above 0"),
        (lambda raw: next(iter(raw["weights"].values())).update(kind="lstm"), "lstm"),
    ],
)
def test_malformed_specs_are_refused(spec: Spec, change: object, words: str) -> None:
    raw = json.loads(spec.to_json())
    change(raw)  # type: ignore[operator]
    with pytest.raises(SpecError) as caught:
        Spec.from_json(json.dumps(raw))
    assert words in str(caught.value)


def test_a_spec_for_other_weights_or_layers_is_refused(network: AmEmoje, spec: Spec, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="calibrated for weights"):
        spec.check_weights("0" * 64)
    (tmp_path / "spec.json").write_text(spec.to_json())
    torch.manual_seed(1)  # other weights than the network's
    with pytest.raises(WorkError, match=r"calibrated for weights.*\n.*emoje-edge calibrate"):
        read_spec(tmp_path / "spec.json", AmEmoje(network.config))
    ghost = {"ghost": next(iter(spec.weights.values()))}
    inputs = spec.masks["pose"].inputs
    posed = replace(spec.masks["pose"], inputs={**inputs, "ghost": next(iter(inputs.values()))})
    renamed = replace(spec, weights={**spec.weights, **ghost}, masks={"pose": posed})
    with pytest.raises(WorkError, match="ghost"):
        quantize_masked(MaskedNetwork(network, POSE), renamed)


def test_a_set_without_a_modality_is_refused_for_its_masks(network: AmEmoje, data: CalibrationSet) -> None:
    silent = CalibrationSet("posed", {n: x for n, x in data.arrays.items() if n.startswith("pose")})
    with pytest.raises(UsageError, match="no text, and mask text needs it"):
        calibrate(network, silent, model="small")
