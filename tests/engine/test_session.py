"""Sessions: the right engine, the same answers as eager torch, and never another engine unless told."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.engine.build import Plan
from emoje_edge.engine.interface import Session
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask
from emoje_edge.model.network import MaskedNetwork

POSE, TEXT_POSE, ALL = Mask.parse("pose"), Mask.parse("text,pose"), Mask(7)


def arrays(plan: Plan, mask: Mask, batch: int) -> dict[str, np.ndarray]:
    network = MaskedNetwork(plan.network, mask)
    inputs = network.example_inputs(batch, seed=batch)
    return {name: x.numpy() for name, x in zip(network.input_names, inputs, strict=True)}


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("mask", [POSE, TEXT_POSE, ALL], ids=str)
def test_fp32_engines_answer_as_eager_does(built: Path, plan: Plan, mask: Mask, batch: int) -> None:
    import torch

    session = open_engine(mask, engine_dir=built.parent / "fp32")
    network = MaskedNetwork(plan.network, mask)
    inputs = network.example_inputs(batch, seed=batch)
    with torch.no_grad():
        expected = network(*inputs)
    got = session.run(arrays(plan, mask, batch))
    for name, reference in zip(network.output_names, expected, strict=True):
        np.testing.assert_allclose(got[name], reference.numpy(), atol=2e-5)


def test_answers_are_the_callers_own_whatever_runs_next(built: Path, plan: Plan) -> None:
    session = open_engine(POSE, engine_dir=built)
    one, two = arrays(plan, POSE, 1), arrays(plan, POSE, 2)
    first = session.run(one)
    kept = {name: x.copy() for name, x in first.items()}
    session.run(two)
    again = session.run(one)
    for name in kept:
        np.testing.assert_array_equal(first[name], kept[name])
        np.testing.assert_array_equal(again[name], kept[name])


def test_an_utterance_of_nothing_gives_finite_numbers(built: Path, plan: Plan) -> None:
    session = open_engine(ALL, engine_dir=built)
    empty = {name: np.zeros_like(x) for name, x in arrays(plan, ALL, 1).items()}
    assert all(np.isfinite(x).all() for x in session.run(empty).values())


def test_the_dialogue_state_goes_on_through_a_change_of_mask(built: Path, plan: Plan) -> None:
    """A modality stops in the middle of a dialogue: the engine of the rest takes the state over."""
    import torch

    folder = built.parent / "fp32"
    spoken = [ALL, ALL, TEXT_POSE, TEXT_POSE, ALL]
    sessions = {mask: open_engine(mask, engine_dir=folder) for mask in set(spoken)}
    state, expected = np.zeros((1, 32), np.float32), torch.zeros(1, 32)
    for i, mask in enumerate(spoken):
        inputs = arrays(plan, ALL, 1) if i % 2 else arrays(plan, ALL, 2)
        inputs = {name: x[:1] for name, x in inputs.items() if name in {t.name for t in sessions[mask].manifest.inputs}}
        out = sessions[mask].run(inputs | {"state": state})
        with torch.no_grad():
            network = MaskedNetwork(plan.network, mask)
            values = [expected if n == "state" else torch.from_numpy(inputs[n]) for n in network.input_names]
            logits, _, expected, _ = network(*values) if mask == ALL else (*network(*values), None)
        np.testing.assert_allclose(out["logits"], logits.numpy(), atol=2e-5)
        state = out["next_state"]
    np.testing.assert_allclose(state, expected.numpy(), atol=2e-5)
    forgotten = sessions[ALL].run(inputs | {"state": np.zeros_like(state)})
    assert np.abs(forgotten["logits"] - out["logits"]).max() > 1e-3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x.pop("pose"), "pose"),
        (lambda x: x.update(face=x["pose"]), "face"),
        (lambda x: x.update(pose=x["pose"][:, :50]), "[1, 50, 13, 3]"),
        (lambda x: x.update(pose=x["pose"].astype(np.float64)), "float64"),
        (lambda x: x.update({name: array[:0] for name, array in x.items()}), "at least one utterance"),
    ],
    ids=["missing", "unknown", "shape", "dtype", "none"],
)
def test_inputs_that_do_not_fit_are_named(built: Path, plan: Plan, change: object, words: str) -> None:
    session: Session = open_engine(POSE, engine_dir=built)
    inputs = arrays(plan, POSE, 1)
    change(inputs)  # type: ignore[operator]
    with pytest.raises(UsageError) as caught:
        session.run(inputs)
    assert words in str(caught.value)


def test_a_missing_engine_is_refused_with_the_command_that_builds_it(built: Path) -> None:
    with pytest.raises(WorkError, match="no onnx engine for mask audio") as caught:
        open_engine("audio", engine_dir=built)
    assert "emoje-edge build --mask audio --backend onnx" in caught.value.hint
    with pytest.raises(WorkError, match="no engine folder"):
        open_engine("audio", engine_dir=built / "nowhere")


def test_unknown_masks_and_backends_are_refused_with_a_suggestion(built: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'onnx'"):
        open_engine("pose", engine_dir=built, backend="onx")
    with pytest.raises(UsageError, match="did you mean 'pose'"):
        open_engine("poes", engine_dir=built)


def test_another_backend_is_taken_only_with_fallback_and_said(built: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(WorkError, match="no tensorrt engine"):
        open_engine("pose", engine_dir=built, backend="tensorrt")
    with caplog.at_level(logging.WARNING, "emoje_edge"):
        session = open_engine("pose", engine_dir=built, backend="tensorrt", fallback=True)
    assert session.manifest.backend == "onnx"
    assert "using onnx instead, because no tensorrt engine" in caplog.text


def test_an_altered_engine_is_not_passed_over_for_an_older_one(built: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(built, tmp_path / "engines"))
    found = find_engine(POSE, "onnx", folder)
    assert found is not None
    (found / "model.onnx").write_bytes(b"")
    with pytest.raises(WorkError, match="truncated"):
        open_engine(POSE, engine_dir=folder)


def test_opening_and_running_needs_no_torch(built: Path) -> None:
    code = f"""
import sys, numpy as np
from emoje_edge.engine import open_engine
s = open_engine("pose", engine_dir={str(built)!r})
s.run({{t.name: np.zeros([1, *t.shape[1:]], t.dtype) for t in s.manifest.inputs}})
print(sorted(m for m in ("torch", "onnx", "mediapipe", "emoje_calibration.spec") if m in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
