"""The moving average of the weights: its formula, its warm-up, and that it is what a run keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from emoje_edge.errors import UsageError
from emoje_edge.training.average import moving_average
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import Materials, Trainer
from tests.training import small


def test_decay_warms_up_and_counters_are_copied() -> None:
    network = torch.nn.BatchNorm1d(1)
    average = moving_average(network, 0.5)
    expected = None
    for step, value in enumerate((1.0, 5.0, 9.0, 2.0, 8.0, 3.0, 4.0, 6.0, 7.0, 0.0, 1.0)):
        with torch.no_grad():
            network.weight.fill_(value)
        network.num_batches_tracked.fill_(step)
        average.update_parameters(network)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = value if expected is None else decay * expected + (1 - decay) * value
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-6)
        assert average.module.num_batches_tracked.item() == step


def test_a_run_keeps_the_average(tmp_path: Path) -> None:
    materials = Materials(small.corpus(6))
    config = replace(small.CONFIG, epochs=1, average=0.99)
    trainer = Trainer(small.MODEL, config, materials, tmp_path / "run", resume=False, device="cpu", quiet=True)
    trainer.run()
    from emoje_edge.training.checkpoint import load_weights

    kept = load_weights(tmp_path / "run" / "model.safetensors")
    assert trainer.average is not None
    for name, value in trainer.average.module.state_dict().items():
        assert torch.equal(kept[name], value), name
    assert not torch.equal(kept["head.weight"], trainer.network.head.weight)


@pytest.mark.parametrize("value", [1.0, -0.1])
def test_a_decay_that_is_none(value: float) -> None:
    with pytest.raises(UsageError, match="average = "):
        TrainConfig(average=value)
