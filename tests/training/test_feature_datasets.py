"""Feature files: the documented npz, the published pickles, and files that must not be believed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets import UNLABELLED, open_dataset


def write_npz(path: Path, **changes: Any) -> Path:
    arrays: dict[str, Any] = {
        "label": np.array(["sad", "", "glad"]),
        "dialogue": np.array([1, 1, 2]),
        "text": np.arange(12, dtype=np.float32).reshape(3, 4),
        "audio": np.ones((3, 5, 2), np.float32),
        "audio_length": np.array([5, 0, 2]),
        "split": np.array(["train", "train", "test"]),
    }
    arrays.update(changes)
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def test_npz(tmp_path: Path) -> None:
    corpus = open_dataset("features", write_npz(tmp_path / "mine.npz"))
    first, second, third = corpus.samples
    assert corpus.classes == ("glad", "sad")
    assert [s.label for s in corpus.samples] == [1, UNLABELLED, 0]
    assert first.feature(Modality.TEXT).shape == (1, 4)
    assert second.modalities == (Modality.TEXT,)
    assert third.feature(Modality.AUDIO).shape == (2, 2)
    assert len(corpus.split("test")) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dialogue": None}, "no array dialogue"),
        ({"text": None, "audio": None, "audio_length": None}, "none of text, audio, pose"),
        ({"text": np.zeros((2, 4), np.float32)}, r"text has the shape \(2, 4\)"),
        ({"label": np.array([0, 1, 7]), "classes": np.array(["a", "b"])}, "row 2: unknown label 7"),
        ({"label": np.array([0, 1, 0])}, "no `classes`"),
        ({"text": np.array(["x", "y", "z"])}, "text is <U1"),
    ],
)
def test_npz_faults(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_dataset("features", write_npz(tmp_path / "mine.npz", **changes))


def test_npz_with_objects_is_not_unpickled(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "mine.npz", speaker=np.array([Bomb(tmp_path), "b", "c"], dtype=object))
    with pytest.raises(WorkError, match=r"plain arrays|allow_pickle"):
        open_dataset("features", path)
    assert not (tmp_path / "ran").exists()


def test_nan_names_the_row(tmp_path: Path) -> None:
    text = np.ones((3, 4), np.float32)
    text[2, 1] = np.nan
    corpus = open_dataset("features", write_npz(tmp_path / "mine.npz", text=text))
    with pytest.raises(WorkError, match=r"mine.npz row 2: the text feature holds nan at \[0, 1\]"):
        corpus.samples[2].feature(Modality.TEXT)


class Bomb:
    """Runs a command when unpickled by anything that trusts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.folder}/ran",)


def _vectors(width: int) -> dict[str, list[np.ndarray]]:
    return {d: [np.full(width, i, np.float32) for i in range(2)] for d in ("Ses01F_impro01", "Ses05M_impro02")}


def iemocap_layout() -> tuple[Any, ...]:
    """DialogueRNN's and MMGCN's tuple for IEMOCAP."""
    dialogues = list(_vectors(1))
    ids = {d: [f"{d}_F000", f"{d}_M000"] for d in dialogues}
    speakers = {d: ["F", "M"] for d in dialogues}
    labels = {d: [0, 5] for d in dialogues}
    sentences = {d: ["Hello.", "No!"] for d in dialogues}
    features = (_vectors(100), _vectors(1582), _vectors(342))
    return (ids, speakers, labels, *features, sentences, dialogues[:1], dialogues[1:])


def meld_layout() -> tuple[Any, ...]:
    """MMGCN's tuple for MELD: four text layers, one-hot speakers, dialogues by number."""
    ids = {0: [0, 1], 1: [0, 1]}
    speakers = {d: [[1, 0, 0], [0, 0, 1]] for d in ids}
    labels = {d: [0, 6] for d in ids}
    text, audio, visual = ({d: np.full((2, n), n, np.float64) for d in ids} for n in (600, 300, 342))
    sentences = {d: ["Hi.", "Bye."] for d in ids}
    return (ids, speakers, labels, text, text, text, text, audio, visual, sentences, [0], [1], {0: [1, 1]})


@pytest.mark.parametrize("protocol", [2, 4])
def test_iemocap_pickle(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "IEMOCAP_features.pkl"
    path.write_bytes(pickle.dumps(iemocap_layout(), protocol=protocol))
    corpus = open_dataset("features", path)
    assert corpus.classes[corpus.samples[1].label] == "frustrated"
    assert [s.feature(m).shape[1] for s in corpus.samples[:1] for m in Modality] == [100, 1582, 342]
    assert [s.split for s in corpus.samples] == ["train", "train", "test", "test"]
    assert corpus.samples[1].text == "No!"


def test_meld_pickle(tmp_path: Path) -> None:
    path = tmp_path / "MELD_features.pkl"
    path.write_bytes(pickle.dumps(meld_layout()))
    corpus = open_dataset("features", path)
    assert corpus.classes[corpus.samples[1].label] == "anger"
    assert [s.speaker for s in corpus.samples[:2]] == ["0", "2"]
    assert [corpus.samples[0].feature(m).shape for m in Modality] == [(1, 600), (1, 300), (1, 342)]


def test_pickle_with_code_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "features.pkl"
    path.write_bytes(pickle.dumps((*iemocap_layout(), Bomb(tmp_path))))
    with pytest.raises(UsageError, match=r"features.pkl is refused: it would load (posix|nt).system"):
        open_dataset("features", path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["builtins.eval", "builtins.getattr", "numpy.load", "numpy.core.multiarray.fromfile"])
def test_pickle_refuses_each_of_these(tmp_path: Path, name: str) -> None:
    module, _, function = name.rpartition(".")
    path = tmp_path / "features.pkl"
    path.write_bytes(f"c{module}\n{function}\n.".encode())
    with pytest.raises(UsageError, match=f"refused: it would load {name}"):
        open_dataset("features", path)


def test_pickle_faults(tmp_path: Path) -> None:
    path = tmp_path / "features.pkl"
    path.write_bytes(pickle.dumps(iemocap_layout())[:-40])
    with pytest.raises(WorkError, match="not a readable pickle"):
        open_dataset("features", path)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(UsageError, match="not a layout"):
        open_dataset("features", path)
    content = iemocap_layout()
    content[2]["Ses05M_impro02"][1] = 9
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(UsageError, match="Ses05M_impro02 utterance 1: unknown label 9"):
        open_dataset("features", path)


def test_object_arrays_inside_a_pickle_stay_harmless(tmp_path: Path) -> None:
    path = tmp_path / "features.pkl"
    path.write_bytes(pickle.dumps(np.array([Bomb(tmp_path)], dtype=object)))
    with pytest.raises(UsageError, match="refused"):
        open_dataset("features", path)
    assert not (tmp_path / "ran").exists()


def test_mosi_kinect_and_bandai(shared_data: Path) -> None:
    mosi = open_dataset("mosi", shared_data / "mosi" / "mosi_train.npz")
    assert (len(mosi), len(mosi.dialogues())) == (1447, 62)
    assert [mosi.samples[0].feature(m).shape[1] for m in Modality] == [100, 73, 100]
    kinect = open_dataset("kinect", shared_data / "pose")
    assert len(kinect) == 184
    bandai = open_dataset("bandai", shared_data / "pose")
    pose = bandai.samples[0].feature(Modality.POSE)
    assert pose.shape[1:] == (13, 3)
    assert bandai.samples[0].group == "bow"
