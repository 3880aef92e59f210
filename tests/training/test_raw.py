"""Features of a data set's clips are those that `infer` makes of the same clip: one maker, whatever the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoje_edge.modality import Mask, Modality
from emoje_edge.perception.perceive import Perceived, perceive
from emoje_edge.training.datasets.raw import cached

CLIPS = [("intel_asl/again.mkv", 1.5), ("face_recognition_short_hamilton.mp4", 4.0)]


def as_infer_sees(clip: Path, subtitles: Path, end: float) -> Perceived:
    """The clip's one utterance, from a subtitle file, as `emoje-edge infer` goes over it."""
    subtitles.write_text(f"1\n00:00:00,000 --> 00:00:0{end:.3f}\nHello\n".replace(".", ","))
    (found,) = perceive(clip, "auto", text=subtitles)
    return found


@pytest.mark.parametrize(("name", "end"), CLIPS)
def test_training_reads_what_inference_reads(shared_data: Path, tmp_path: Path, name: str, end: float) -> None:
    clip = shared_data / "video" / name
    seen = as_infer_sees(clip, tmp_path / "words.srt", end)
    for modality in Mask.of(set(seen.features) & {Modality.AUDIO, Modality.POSE}):
        lazy = cached(clip, modality, tmp_path / "cache", start=0.0, end=end)
        np.testing.assert_array_equal(np.asarray(lazy()), seen.features[modality])
        assert lazy.quality is not None
        np.testing.assert_array_equal(np.asarray(lazy.quality()), seen.quality[modality])
    assert Modality.POSE in seen.features
