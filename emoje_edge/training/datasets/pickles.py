"""The feature pickles of DialogueRNN and MMGCN, read without running any code that they may hold.

Both are one tuple: utterance ids, speakers and labels by dialogue (dictionaries); one dictionary of vectors a feature
set; one of sentences; then the dialogues of the training and of the test part.

| layout | dictionaries of vectors |
|---|---|
| DialogueRNN, MELD | text, audio |
| DialogueRNN and MMGCN, IEMOCAP | text, audio, visual |
| MMGCN, MELD (and the RoBERTa features of IEMOCAP) | text, three more of text, audio, visual |

The visual vectors (faces) take the pose slot.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets.base import Corpus, Sample

IEMOCAP = ("happy", "sad", "neutral", "angry", "excited", "frustrated")
MELD = ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")
_SLOTS = {
    1: (Modality.TEXT,),
    2: (Modality.TEXT, Modality.AUDIO),
    3: (Modality.TEXT, Modality.AUDIO, Modality.POSE),
    # three further text layers, which are not used
    6: (Modality.TEXT, None, None, None, Modality.AUDIO, Modality.POSE),
}

# Everything that such a file needs besides plain containers and numbers: how numpy puts an array together.
_ALLOWED = {
    ("builtins", "set"), ("builtins", "frozenset"), ("__builtin__", "set"), ("__builtin__", "frozenset"),
    ("numpy", "ndarray"), ("numpy", "dtype"),
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    ("_codecs", "encode"), ("collections", "OrderedDict"),
}  # fmt: skip


class _Restricted(pickle.Unpickler):
    """An unpickler that knows containers and numpy arrays, and refuses everything else by name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise UsageError(
                f"it would load {module}.{name}", "only containers, numbers, strings and numpy arrays are read"
            )
        # numpy moved its insides: files of either kind are read by the one that is here
        return super().find_class(module.replace("numpy._core", "numpy.core"), name)


def unpickle(path: Path) -> Any:
    """The content of a pickle of containers, numbers, strings and numeric numpy arrays.

    Raises:
        UsageError: it asks for anything else; nothing of it is run.
        WorkError: not a pickle, or damaged.
    """
    try:
        return _Restricted(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except UsageError as error:
        raise UsageError(f"{path} is refused: {error.message}", error.hint) from None
    except Exception as error:  # a damaged pickle can raise anything
        raise WorkError(f"{path}: not a readable pickle ({error})", "download the file again") from error


def read_pickle(path: Path) -> Corpus:
    """One file of the layouts above.

    Raises:
        UsageError: another layout, a label outside its classes; the message names dialogue and utterance.
    """
    content = unpickle(path)
    ids, speakers, labels, vectors, sentences, train = _parts(content, path)
    classes = IEMOCAP if str(next(iter(ids))).startswith("Ses") else MELD
    samples = []
    for dialogue in ids:
        for i in range(len(labels[dialogue])):
            source = f"{path} dialogue {dialogue} utterance {i}"
            label = int(labels[dialogue][i])
            if not 0 <= label < len(classes):
                raise UsageError(f"{source}: unknown label {label}", f"allowed: 0 to {len(classes) - 1} ({classes})")
            samples.append(
                Sample(
                    dialogue=str(dialogue),
                    index=i,
                    label=label,
                    speaker=_speaker(speakers[dialogue][i]),
                    text=str(sentences[dialogue][i]) if sentences else None,
                    features={m: _vector(by[dialogue], i, source) for m, by in vectors.items()},
                    split="train" if dialogue in train else "test",
                    source=source,
                )
            )
    return Corpus("features", classes, tuple(samples))


def _parts(content: Any, path: Path) -> tuple[dict, dict, dict, dict[Modality, dict], dict | None, set]:
    """(ids, speakers, labels, vectors a modality, sentences, training dialogues)."""
    wrong = UsageError(f"{path}: not a layout of DialogueRNN or MMGCN", "see docs/training.md; .npz takes anything")
    if not isinstance(content, tuple | list) or len(content) < 6:
        raise wrong
    maps = [x for x in content if isinstance(x, dict) and x]
    lists = [x for x in content if isinstance(x, list | set | tuple)]
    if len(maps) < 4 or len(lists) < 2 or any(set(m) != set(maps[0]) for m in maps[1:3]):
        raise wrong
    ids, speakers, labels, *rest = maps
    first = next(iter(ids))
    words = [m for m in rest if first in m and len(m[first]) and isinstance(m[first][0], str)]
    vectors = [m for m in rest if set(m) >= set(ids) and np.ndim(m[first]) == 2]
    if len(vectors) not in _SLOTS:
        raise wrong
    slots = zip(_SLOTS[len(vectors)], vectors, strict=True)
    return ids, speakers, labels, {m: v for m, v in slots if m}, words[0] if words else None, set(lists[0])


def _vector(rows: Any, i: int, source: str) -> np.ndarray:
    x = np.asarray(rows[i])
    if x.dtype.kind not in "fiu" or x.ndim != 1:
        raise UsageError(f"{source}: features of type {x.dtype}, shape {x.shape}", "one vector of numbers an utterance")
    return x[None].astype(np.float32)


def _speaker(value: Any) -> str:
    """A name, or the place of the one in a one-hot list."""
    return value if isinstance(value, str) else str(int(np.argmax(value)) if np.ndim(value) else value)
