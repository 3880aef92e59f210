"""What pose is trained on: blends of views, their augmentation, and the presets of the motion corpora."""

from pathlib import Path

import numpy as np

from emoje_edge.metrics import score
from emoje_edge.modality import Modality
from emoje_edge.training.batching import Collator
from emoje_edge.training.datasets import Corpus, Options, open_dataset
from emoje_edge.training.datasets.base import Sample
from emoje_edge.training.datasets.blends import blend, jostle, with_blends
from emoje_edge.training.plan import Plan, prepare
from emoje_edge.training.predict import TorchPredictor
from emoje_edge.training.presets import BANDAI, KINECT
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import Materials, train
from research.recipes import pose


def still(height: float, frames: int, *, hips: float = 0.0) -> np.ndarray:
    """A body whose upper joints all lie `height` above its hips, which lie at x = `hips`."""
    x = np.ones((frames, 13, 3), np.float32)
    x[..., 0], x[..., 1] = hips, 1.0
    x[:, :7, 1], x[:, 7:9, 1] = -height, 0.0
    return x


def test_a_blend_has_the_legs_of_one_and_the_arms_of_the_other_on_its_hips() -> None:
    legs, arms = still(1.0, 9, hips=3.0), still(2.0, 4, hips=-1.0)
    arms[:, 5] = 0  # a wrist that is not seen
    made = blend(legs, arms, np.random.default_rng(0))
    np.testing.assert_array_equal(made[:, 7:], legs[:, 7:])
    np.testing.assert_allclose(made[:, [0, 1, 6], 1], -2.0)
    np.testing.assert_allclose(made[:, [0, 1, 6], 0], 3.0)
    assert (made[:, 5] == 0).all()


def test_blends_stay_in_their_class_and_group() -> None:
    samples = [
        Sample(f"m{i}", 0, i % 2, features={Modality.POSE: still(1.0 + i % 2, 5 + i)}, group=f"g{i}") for i in range(4)
    ]
    made = with_blends(Corpus("c", ("low", "high"), tuple(samples)), 3)
    assert len(made) == 16
    assert len({s.uid for s in made.samples}) == 16
    for sample in made.samples:
        np.testing.assert_allclose(sample.feature(Modality.POSE)[:, 0, 1], -1.0 - sample.label)
    assert [s.group for s in made.samples] == [f"g{i}" for i in range(4)] * 4


def test_augmented_landmarks_are_a_part_perhaps_mirrored() -> None:
    x = np.random.default_rng(0).random((60, 13, 3)).astype(np.float32)
    seen = set()
    for seed in range(20):
        y = jostle(Modality.POSE, x, np.random.default_rng(seed))
        sign = -1 if (y[..., 0] < 0).all() else 1
        head = y[:, 0, 0] * sign
        first = int(np.flatnonzero(x[:, 0, 0] == head[0])[0])
        np.testing.assert_array_equal(head, x[first : first + len(y), 0, 0])
        np.testing.assert_array_equal(y[:, 1, 1], x[first : first + len(y), 1 if sign > 0 else 2, 1])
        seen.add((sign, len(y) < 60))
    assert len(seen) == 4
    assert jostle(Modality.AUDIO, x, np.random.default_rng(0)) is x


def test_the_presets_train_on_everything_that_is_here(shared_data: Path) -> None:
    plan = Plan(
        (("bandai", shared_data / "pose", Options(views=2)),),
        model=dict(BANDAI.model),
        train=TrainConfig.from_dict(dict(BANDAI.train)),
    )
    model, materials = prepare(plan)
    assert materials.dev is None
    assert len(materials.train) == 54 * 2 * 4
    assert model == pose.model(materials.train.classes)


def test_posture_tells_the_kinects_emotions_of_other_recordings(shared_data: Path, tmp_path: Path) -> None:
    corpus = open_dataset("kinect", shared_data / "pose")
    held = corpus.keep(lambda s: s.group in ("recordings2", "recordings3"))
    plan = Plan((("kinect", shared_data / "pose", Options()),), model=dict(KINECT.model))
    model, _ = prepare(plan)
    config = TrainConfig.from_dict({**KINECT.train, "epochs": 8, "threads": 1})
    part = corpus.keep(lambda s: s.group not in ("recordings2", "recordings3"))
    run = train(model, config, Materials(part), tmp_path / "run", quiet=True)
    found = TorchPredictor(run.network, Collator(model)).predict(held)
    assert score(found.labels, found.probabilities, corpus.classes).accuracy > 0.55  # chance: 0.17
