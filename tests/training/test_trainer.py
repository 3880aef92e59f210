"""Runs: what they leave behind, that a kill costs nothing but time, and that bad numbers stop them by name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.model import LogMelEncoder
from emoje_edge.training import checkpoint as ckpt
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.predict import TorchPredictor
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import Materials, train
from tests.training import small

CONFIG = replace(small.CONFIG, checkpoint_steps=2, mask_sampling=True, partial=0.3, average=0.9)


def recording(seen: list[bytes], *, kill_at: int = 0) -> Callable:
    """A transform that notes what it is given, in order, with the random number that it would augment by."""

    def transform(modality: Modality, x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        noise = generator.normal(size=x.shape).astype(np.float32) * 0.01
        seen.append((x + noise).tobytes())
        if kill_at and len(seen) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return x + noise

    return transform


def go(out: Path, seen: list[bytes], *, kill_at: int = 0, resume: bool = False) -> ckpt.Run:
    torch.set_num_threads(1)
    materials = Materials(
        small.corpus(9), small.corpus(4, seed=1, split="dev"), transform=recording(seen, kill_at=kill_at)
    )
    return train(small.MODEL, replace(CONFIG, epochs=2), materials, out, resume=resume, device="cpu", quiet=True)


def rows(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole: list[bytes] = []
    reference = go(tmp_path / "whole", whole)
    kill_at = 2 * len(whole) // 3
    code = f"from tests.training.test_trainer import *; go(Path({str(tmp_path / 'killed')!r}), [], kill_at={kill_at})"
    root = Path(__file__).parents[2]
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert child.returncode == -signal.SIGKILL
    rest: list[bytes] = []
    resumed = go(tmp_path / "killed", rest, resume=True)
    # the same utterances with the same noise in the same order, bit for bit, from the last checkpoint on
    assert 0 < len(rest) < len(whole)
    assert rest == whole[-len(rest) :]
    for name, value in reference.network.state_dict().items():
        assert torch.allclose(value, resumed.network.state_dict()[name], atol=1e-6), name
    for a, b in zip(rows(tmp_path / "whole"), rows(tmp_path / "killed"), strict=True):
        assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-5)
        assert a["dev_weighted_f1"] == pytest.approx(b["dev_weighted_f1"])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "small"
    materials = Materials(small.corpus(20), small.corpus(8, seed=1, split="dev"))
    train(small.MODEL, small.CONFIG, materials, out, device="cpu", quiet=True)
    return out


def test_a_run_learns_and_leaves_what_it_promises(finished: Path) -> None:
    names = {p.name for p in finished.iterdir()}
    assert names == {"config.json", "model.safetensors", "metrics.jsonl", "curves.png", "checkpoint"}
    assert len(list((finished / "checkpoint").iterdir())) == 1
    assert (finished / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert rows(finished)[-1]["dev_weighted_f1"] > 0.7
    run = ckpt.load_run(finished)
    assert run.config == small.MODEL
    predictions = TorchPredictor(run.network, small_collator()).predict(small.corpus(4, seed=5))
    assert predictions.probabilities.sum(1) == pytest.approx(np.ones(len(predictions.samples)), abs=1e-5)


def small_collator():  # type: ignore[no-untyped-def]
    from emoje_edge.training.batching import Collator

    return Collator(small.MODEL)


def test_who_may_read_the_configuration_may_read_the_weights(finished: Path) -> None:
    modes = {(finished / name).stat().st_mode for name in ("config.json", "model.safetensors")}
    assert len(modes) == 1


def test_a_finished_run_is_not_overwritten_and_resumes_to_itself(finished: Path) -> None:
    materials = Materials(small.corpus(20), small.corpus(8, seed=1, split="dev"))
    with pytest.raises(UsageError, match="holds a run already"):
        train(small.MODEL, small.CONFIG, materials, finished, quiet=True)
    before = rows(finished)
    train(small.MODEL, small.CONFIG, materials, finished, resume=True, quiet=True)
    assert rows(finished) == before


def test_another_configuration_is_refused(finished: Path) -> None:
    materials = Materials(small.corpus(20), small.corpus(8, seed=1, split="dev"))
    with pytest.raises(UsageError, match=r"train.learning_rate: 0.003 there, 0.1 asked"):
        train(small.MODEL, replace(small.CONFIG, learning_rate=0.1), materials, finished, resume=True, quiet=True)
    wider = ckpt.AmEmoje(replace(small.MODEL, state_width=32))
    with pytest.raises(
        UsageError, match=r"weights of another configuration: .* is \(48, 33\), the model's is \(96, 33\)"
    ):
        ckpt.load_checkpoint(_checkpoint_weights(finished), wider)


def _checkpoint_weights(run: Path) -> Path:
    """A checkpoint folder that holds the bare network's weights."""
    folder = run.parent / "bare"
    folder.mkdir(exist_ok=True)
    (folder / "weights.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    return folder


def test_damaged_files_say_so(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((finished / "config.json").read_bytes())
    with pytest.raises(WorkError, match="no weights yet"):
        ckpt.load_run(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((finished / "model.safetensors").read_bytes()[:500])
    with pytest.raises(WorkError, match="not readable weights"):
        ckpt.load_run(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="not a run of format"):
        ckpt.load_run(tmp_path)
    with pytest.raises(UsageError, match=r"no config\.json"):
        ckpt.load_run(tmp_path / "none")


def test_optimiser_state_with_code_is_not_run(finished: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):  # type: ignore[no-untyped-def]
            return os.system, (f"touch {tmp_path}/ran",)

    folder = _checkpoint_weights(finished)
    torch.save({"position": Bomb()}, folder / "state.pt")
    with pytest.raises(WorkError, match=r"state.pt: damaged"):
        ckpt.load_checkpoint(folder, ckpt.AmEmoje(small.MODEL))
    assert not (tmp_path / "ran").exists()


def test_a_loss_that_is_no_number_names_the_batch(tmp_path: Path) -> None:
    # finite, so that reading does not refuse it, and too large for any norm
    corpus = small.corpus(4)
    sounds = [{Modality.AUDIO: np.full((16, 64), 3e38 if i == 5 else 0, np.float32)} for i in range(len(corpus))]
    samples = tuple(replace(s, features=f) for s, f in zip(corpus.samples, sounds, strict=True))
    model = replace(small.MODEL, text=None, audio=LogMelEncoder(frames=16, width=16))
    with pytest.raises(WorkError, match=r"no number at epoch 1, batch \d+: .*train.csv row 7"):
        train(model, small.CONFIG, Materials(replace(corpus, samples=samples)), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_a_nan_feature_is_found_before_anything_is_written(tmp_path: Path) -> None:
    corpus = small.corpus(4)
    bad = {Modality.AUDIO: np.full((2, 5), np.inf, np.float32)}
    samples = tuple(replace(s, features=bad) if i == 5 else s for i, s in enumerate(corpus.samples))
    with pytest.raises(WorkError, match=r"train.csv row 7: the audio feature holds inf"):
        train(small.MODEL, small.CONFIG, Materials(Corpus("x", small.CLASSES, samples)), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_early_stopping(tmp_path: Path) -> None:
    config = replace(small.CONFIG, epochs=30, patience=1, learning_rate=1e-9, schedule="plateau")
    materials = Materials(small.corpus(3), small.corpus(3, seed=1, split="dev"))
    train(small.MODEL, config, materials, tmp_path / "run", quiet=True)
    assert len(rows(tmp_path / "run")) < 10


def test_settings_are_checked() -> None:
    assert TrainConfig.from_dict(small.CONFIG.to_dict()) == small.CONFIG
    for raw, message in (
        ({"epoch": 3}, "not training settings: .* unknown 'epoch'"),
        ({"epochs": 2.5}, "epochs: .* is no whole number"),
        ({"epochs": True}, "epochs: .* is no whole number"),
        ({"schedule": "linear"}, "schedule = 'linear'"),
        ({"epochs": 0}, "must be above 0"),
    ):
        with pytest.raises(UsageError, match=message):
            TrainConfig.from_dict(raw)


def test_two_processes_train_together(tmp_path: Path) -> None:
    """`torchrun` with gloo: one run folder, and gradients that both processes had a part in."""
    script = tmp_path / "job.py"
    script.write_text(
        "from pathlib import Path\n"
        "from dataclasses import replace\n"
        "from tests.training import small\n"
        "from emoje_edge.training.trainer import Materials, train\n"
        f"out = Path({str(tmp_path / 'run')!r})\n"
        "materials = Materials(small.corpus(8), small.corpus(4, seed=1, split='dev'))\n"
        "train(small.MODEL, replace(small.CONFIG, epochs=1), materials, out, device='cpu', quiet=True)\n"
    )
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        str(script),
    ]
    root = Path(__file__).parents[2]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    subprocess.run(command, cwd=root, env=env, check=True, capture_output=True, timeout=300)
    state = torch.load(next((tmp_path / "run" / "checkpoint").glob("*/state.pt")), weights_only=True)
    assert len(state["random"]) == 2
    assert rows(tmp_path / "run")[0]["step"] == 2


def test_frozen_parameters_keep_their_values_and_the_rest_learns(tmp_path: Path) -> None:
    torch.manual_seed(3)
    begin = {k: v.clone() for k, v in ckpt.AmEmoje(small.MODEL).state_dict().items()}
    materials = Materials(small.corpus(6), initial=begin, frozen=("encoders.text.", "head."))
    config = replace(small.CONFIG, epochs=1, weight_decay=0.1, average=0.9)
    run = train(small.MODEL, config, materials, tmp_path / "run", device="cpu", quiet=True)
    same = {k for k, v in run.network.state_dict().items() if torch.equal(v, begin[k])}
    assert {k for k in begin if k.startswith(("encoders.text.", "head."))} <= same
    assert "encoders.audio.up.weight" not in same
    assert "fusion.gate.weight" not in same
