"""The two models: whole, or a clear error."""

import shutil

import numpy as np
import pytest

from emoje_edge.errors import WorkError
from emoje_edge.perception.bodies.networks import DIGESTS, FOLDER, Networks, shared_networks


@pytest.fixture
def models(tmp_path):
    for name in DIGESTS:
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def test_a_model_that_is_missing(models):
    (models / "pose_landmark.onnx").unlink()
    with pytest.raises(WorkError, match=r"pose_landmark\.onnx cannot be read: No such file"):
        Networks(models)


def test_a_model_that_was_altered(models):
    path = models / "pose_detection.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(WorkError, match="was altered") as told:
        Networks(models)
    assert "reinstall" in str(told.value)


def test_several_crops_at_once_are_each_as_alone():
    crops = np.random.default_rng(0).integers(0, 255, (3, 256, 256, 3), dtype=np.uint8)
    together = shared_networks().landmarks(crops)
    for i in range(3):
        for whole, alone in zip(together, shared_networks().landmarks(crops[i : i + 1]), strict=True):
            np.testing.assert_allclose(whole[i], alone[0], atol=2e-3)


def test_one_pair_of_networks_a_process():
    assert shared_networks() is shared_networks()
