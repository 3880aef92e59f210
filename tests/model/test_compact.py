"""Weights in eight bits: how close they come back, and that a run in that form is read like any other."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from emoje_edge.modality import Mask
from emoje_edge.model.compact import compact, expand
from emoje_edge.shipped import model_folder
from emoje_edge.training.checkpoint import load_run


def test_each_value_comes_back_within_half_a_step_of_its_row() -> None:
    torch.manual_seed(0)
    table = torch.randn(300, 128) * torch.logspace(-3, 2, 300)[:, None]
    words = torch.randn(600, 96) * torch.logspace(-2, 1, 96)
    given = {"table": table, "encoders.text.embedding.weight": words, "convolution": torch.randn(64, 80, 9),
             "bias": torch.randn(128), "zero": torch.zeros(256, 256), "count": torch.tensor(3)}  # fmt: skip
    stored = compact(given)
    assert stored["table"].dtype == torch.int8
    assert stored["bias"].dtype == torch.float16
    found = expand(stored)
    assert found.keys() == given.keys()
    for name in ("table", "convolution", "zero"):
        step = given[name].flatten(1).abs().amax(1) / 127
        assert ((found[name] - given[name]).flatten(1).abs().amax(1) <= 0.501 * step).all(), name
    name = "encoders.text.embedding.weight"  # one step a column
    assert ((found[name] - words).abs().amax(0) <= 0.501 * words.abs().amax(0) / 127).all()
    assert torch.equal(found["count"], given["count"])


def test_a_run_in_eight_bits_is_read_and_half_as_large(tmp_path: Path) -> None:
    whole = load_run(model_folder())
    shutil.copyfile(model_folder() / "config.json", tmp_path / "config.json")
    save_file(compact(whole.network.state_dict()), str(tmp_path / "model.safetensors"))
    values = sum(x.numel() for x in whole.network.state_dict().values())
    assert (tmp_path / "model.safetensors").stat().st_size < 0.55 * 2 * values
    again = load_run(tmp_path)
    assert again.config.mask == Mask(7)
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], value, atol=float(value.abs().max()) / 200, rtol=0)
