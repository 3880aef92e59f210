"""The recorded recipe of the network that ships, run through on a small part of the real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from emoje_edge.modality import Mask, Modality
from emoje_edge.training.batching import Collator
from emoje_edge.training.composite import compose
from emoje_edge.training.evaluate import evaluate
from emoje_edge.training.predict import TorchPredictor
from emoje_edge.training.tokens import tokeniser
from research.recipes import default, ship, text

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not (DATA / "ravdess").is_dir(), reason="the training data are not beside the checkout")


@pytest.fixture(scope="module")
def parts() -> default.Parts:
    return default.shrink(default.read_parts(DATA), size=24)


def targets(folder: Path, parts: default.Parts) -> None:
    """What a teacher might have said of the lines, as `recipes.teacher` writes it."""
    g = np.random.default_rng(0)
    folder.mkdir()
    for corpus in (parts.text[0], parts.comments, *parts.unlabelled):
        uids = np.array([f"{corpus.name}/{s.uid}" for s in corpus.samples])
        logits, descriptors = g.normal(size=(len(uids), 7)), g.normal(size=(len(uids), 16))
        np.savez(folder / f"{corpus.name}.npz", uid=uids, logits=logits, descriptors=descriptors.astype(np.float16))


def test_all_stages_end_in_one_network_for_all_masks(
    tmp_path: Path, parts: default.Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(default, "read_parts", lambda *_: parts)
    targets(tmp_path / "targets", parts)
    done = default.run(DATA, tmp_path, quiet=True, quick=True)
    assert {p.name for p in tmp_path.iterdir()} >= {"words", "text", "audio", "pose", "material", "model.safetensors"}
    assert done.config == default.model()
    # the joint stage began with the encoders that the stages had trained, so a resumed recipe finds them
    known = text.read_targets(tmp_path / "targets")
    found = default.stages(parts, tmp_path, known, quick=True, resume=True, quiet=True)
    started = default.initial(found)
    for name in ("text", "audio", "pose"):
        trained = found[name].network.state_dict()
        same = [torch.equal(started[k], v) for k, v in trained.items() if k.startswith(f"encoders.{name}.")]
        assert same
        assert all(same)
    # the words' branch, its dialogue and its head are what the text stage left
    words = found["text"].network.state_dict()
    kept = done.network.state_dict()
    assert all(torch.equal(kept[k], v) for k, v in words.items() if not k.startswith("joint."))
    predictor = TorchPredictor(done.network, Collator(done.config, tokeniser()))
    made = compose(parts.text[0], parts.audio[0], parts.pose[0], count=28, seed=0)
    for mask in Mask.all():
        assert sum(evaluate(predictor, made, mask).scores.support.values()) > 0


def test_the_calibration_set_has_every_modality(parts: default.Parts) -> None:
    found = ship.calibration_set(parts, default.model())
    assert {m.value for m in Modality} <= set(found.arrays)
    assert found.samples == min(ship.SAMPLES, max(len(parts.text[0]), len(parts.audio[0]), len(parts.pose[0])))
    assert (found.arrays["audio_length"] > 50).all()
    assert (found.arrays["pose_length"] > 5).all()
