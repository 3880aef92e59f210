"""MELD (Poria et al., arXiv 1810.02508): dialogues of several speakers from Friends.

Official files: `train_sent_emo.csv`, `dev_sent_emo.csv`, `test_sent_emo.csv`; official clips, where they are there, in
`train_splits`, `dev_splits_complete` and `output_repeated_splits_test` as `dia0_utt0.mp4`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets.base import Corpus, Feature, Sample, label_index
from emoje_edge.training.datasets.find_files import find_files, split_of
from emoje_edge.training.datasets.options import Options
from emoje_edge.training.datasets.raw import clip_features
from emoje_edge.training.datasets.tables import number, read_rows

COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")
CLIP_FOLDERS = {
    "train": ("train_splits", "train"),
    "dev": ("dev_splits_complete", "dev_splits", "dev"),
    "test": ("output_repeated_splits_test", "test_splits_complete", "test_splits", "test"),
}
# In the official release these two clips are missing or have no content; their rows stay, with text only.
BROKEN = {("dev", 110, 7), ("train", 125, 3)}


def load(root: Path, options: Options) -> Corpus:
    """Read MELD: text, and audio and pose of the clips where their folder is there.

    Raises:
        UsageError: no such file, a missing column, an unknown emotion, a clip that is not there; with file and row.
    """
    samples: list[Sample] = []
    for path in find_files(root, ("*sent_emo*.csv",), "MELD's csv (train_sent_emo.csv, …)"):
        samples += _read(path, options)
    return Corpus("meld", EMOTIONS, tuple(samples))


def _read(path: Path, options: Options) -> list[Sample]:
    split = split_of(path)
    clips = next((path.parent / name for name in CLIP_FOLDERS.get(split, ()) if (path.parent / name).is_dir()), None)
    samples = []
    for source, row in read_rows(path, COLUMNS):
        dialogue, index = (number(row[c], source, c) for c in ("Dialogue_ID", "Utterance_ID"))
        features: dict[Modality, Feature] = {}
        if clips is not None and (split, dialogue, index) not in BROKEN:
            clip = clips / f"dia{dialogue}_utt{index}.mp4"
            if not clip.is_file():
                raise UsageError(f"{source}: the clip {clip} is not there", f"move {clips} away to use text only")
            features = clip_features(clip, options)
        samples.append(
            Sample(
                dialogue=f"{split}{dialogue}",
                index=index,
                label=label_index(row["Emotion"].strip().lower(), EMOTIONS, source),
                speaker=row["Speaker"].strip(),
                text=row["Utterance"].strip() or None,
                features=features,
                split=split,
                source=source,
            )
        )
    return samples


def load_features(root: Path, options: Options) -> Corpus:
    """MELD's dev split with the vectors of `dev_text_audio_features.npz` (text 768, audio 768 an utterance).

    The rows of the file are those of the csv in order, less dialogue 110 utterance 7.

    Raises:
        UsageError: no such files.
        WorkError: another number of rows than the csv has.
    """
    folder = root.parent if root.is_file() else root
    path = find_files(root if root.is_file() else folder, ("*text_audio_features.npz",), "MELD's feature file")[0]
    split = split_of(path) or "dev"
    csv = find_files(folder, (f"{split}_sent_emo.csv",), f"{split}_sent_emo.csv")[0]
    rows = [s for s in _read(csv, Options()) if not (split == "dev" and (s.dialogue, s.index) == ("dev110", 7))]
    with np.load(path, allow_pickle=False) as file:
        text, audio = file["text"], file["audio"]
    if not len(text) == len(audio) == len(rows):
        raise WorkError(f"{path}: {len(text)} rows for the {len(rows)} of {csv}", "take the two files of one release")
    samples = (
        Sample(
            dialogue=s.dialogue,
            index=s.index,
            label=s.label,
            speaker=s.speaker,
            text=s.text,
            features={Modality.TEXT: text[i][None], Modality.AUDIO: audio[i][None]},
            split=split,
            source=f"{path} row {i}",
        )
        for i, s in enumerate(rows)
    )
    return Corpus("meld-features", EMOTIONS, tuple(samples))
