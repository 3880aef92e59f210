"""Labelled corpora: one loader a file, found by name; see docs/training.md."""

from __future__ import annotations

import importlib
from pathlib import Path

from emoje_edge.errors import UsageError, nearest
from emoje_edge.training.datasets.base import SPLITS, UNLABELLED, Corpus, Lazy, Sample
from emoje_edge.training.datasets.options import Options

# name -> (module, its function, what the root holds)
DATASETS: dict[str, tuple[str, str, str]] = {
    "meld": ("meld", "load", "train|dev|test_sent_emo.csv, and the official folders of clips where you have them"),
    "meld-features": ("meld", "load_features", "dev_text_audio_features.npz beside dev_sent_emo.csv"),
    "emorynlp": ("emorynlp", "load", "emorynlp_train|dev|test_final.csv"),
    "goemotions": ("goemotions", "load", "train|dev|test.tsv and labels.txt (Ekman's labels)"),
    "iemocap": ("iemocap", "load", "IEMOCAP_full_release: Session1 to Session5"),
    "ravdess": ("ravdess", "load", "clips 03-01-…-24.wav, .flac or .mp4"),
    "ravdess-au": ("ravdess", "load_with_action_units", "the clips and face_action_units*.npz"),
    "mosi": ("mosi", "load", "mosi*.npz"),
    "bandai": ("motions", "load_bandai", "bandai*.npz of joint positions, or the folder of official BVH files"),
    "kinect": ("motions", "load_kinect", "kinect*.npz of joint angles"),
    "features": ("feature_files", "load", "features of your own: .npz, or pickles of DialogueRNN and MMGCN"),
    "manifest": ("csv_manifest", "load", "your own data: a csv of path,start,end,dialogue,speaker,text,label"),
}

__all__ = ["DATASETS", "SPLITS", "UNLABELLED", "Corpus", "Lazy", "Options", "Sample", "open_dataset"]


def open_dataset(name: str, root: Path | str, *, split: str = "all", options: Options | None = None) -> Corpus:
    """Read a corpus with its own classes.

    Args:
        name: of `DATASETS`.
        root: its folder, or one file of it.
        split: train, dev, test or all.

    Raises:
        UsageError: an unknown name or split, files that are missing or malformed (named, with their row).
        WorkError: a file that cannot be read.
    """
    if name not in DATASETS:
        raise UsageError(f"unknown dataset {name!r}", f"{nearest(name, DATASETS)}allowed: {', '.join(DATASETS)}")
    if split not in (*SPLITS, "all"):
        raise UsageError(f"unknown split {split!r}", "allowed: train, dev, test, all")
    module, function, _ = DATASETS[name]
    loader = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    corpus: Corpus = loader(Path(root), options or Options())
    return corpus.split(split)
