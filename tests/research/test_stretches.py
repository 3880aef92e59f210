"""Clips cut as `infer` cuts them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoje_edge.modality import Modality
from emoje_edge.shapes import SAMPLE_RATE
from emoje_edge.training.datasets import Options, open_dataset
from emoje_edge.training.datasets.raw import read_samples
from research.augmentation.stretches import MARGIN, as_found, spoken, spoken_part

RAVDESS = Path(__file__).parents[3] / "shared" / "data" / "ravdess"
needs_voices = pytest.mark.skipif(not RAVDESS.is_dir(), reason="the training data are not beside the checkout")


def test_where_nobody_speaks_all_is_heard() -> None:
    silence = np.zeros(SAMPLE_RATE, np.float32)
    assert spoken(silence) is None
    assert spoken_part(silence, np.random.default_rng(0)) is silence


@needs_voices
def test_the_silence_of_the_studio_is_left_out() -> None:
    samples = read_samples(RAVDESS / "03-01-05-01-02-01-08.flac")
    found = spoken(samples)
    assert found is not None
    first, last = round((found[0] - 0.2) * SAMPLE_RATE), round((found[1] + 0.2) * SAMPLE_RATE)
    quiet = np.abs(np.r_[samples[:first], samples[last:]])
    assert quiet.max() < 0.1 * np.abs(samples).max()
    part = spoken_part(samples, np.random.default_rng(0))
    assert found[1] - found[0] <= len(part) / SAMPLE_RATE <= found[1] - found[0] + 2 * MARGIN + 0.01


@needs_voices
def test_a_clip_as_found_is_its_part_and_keeps_its_name_apart(tmp_path: Path) -> None:
    options = Options(cache=tmp_path)
    corpus = open_dataset("ravdess", RAVDESS, options=options).keep(lambda s: s.dialogue == "03-01-05-01-02-01-08")
    found = as_found(corpus, options, margin=0.0)
    (whole,), (cut,) = corpus.samples, found.samples
    assert (cut.label, cut.speaker, cut.group) == (whole.label, whole.speaker, whole.group)
    assert cut.uid != whole.uid
    span = spoken(read_samples(Path(whole.source)))
    assert span is not None
    frames = len(cut.feature(Modality.AUDIO)) / 100
    assert frames <= span[1] - span[0] + 0.05 < len(whole.feature(Modality.AUDIO)) / 100 + 0.6
