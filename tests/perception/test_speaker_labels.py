"""Voices told apart by ear: actors of RAVDESS that the directions were not learnt from."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from emoje_edge.perception.media import AudioBlock, decode
from emoje_edge.perception.perceive import perceive
from emoje_edge.perception.speaker_labels import MOST, SpeakerLabels, nearest, traits, voiceprint

from .conftest import tone


def _clip(data: Path, actor: int, emotion: int, statement: int = 1) -> np.ndarray:
    path = data / "ravdess" / f"03-01-{emotion:02d}-01-{statement:02d}-01-{actor:02d}.flac"
    return np.concatenate([block.samples for block in decode(path) if isinstance(block, AudioBlock)])


def test_a_man_and_a_woman_get_two_letters(shared_data):
    """Actor 19 is a man, actor 20 a woman; each calm, happy and sad, in turn."""
    voices, said = SpeakerLabels(), []
    for emotion in (1, 2, 3, 4):
        for actor in (19, 20):
            said.append((actor, voices.label(_clip(shared_data, actor, emotion))))
    assert said[0] == (19, "A")
    right = Counter(label == {19: "A", 20: "B"}[actor] for actor, label in said)
    assert right[True] >= 7


def test_one_voice_is_one_letter(shared_data):
    voices = SpeakerLabels()
    assert {voices.label(_clip(shared_data, 20, 1, statement)) for statement in (1, 2)} == {"A"}


def test_a_short_sound_is_nobody_new(shared_data):
    voices = SpeakerLabels()
    voices.label(_clip(shared_data, 19, 1))
    assert voices.label(_clip(shared_data, 20, 1)[16000:20000]) == "A"


@pytest.mark.parametrize("sound", [np.zeros(0, np.float32), np.zeros(8000, np.float32), tone(0.05), tone(40.0)])
def test_any_sound_has_traits(sound):
    assert np.isfinite(traits(sound)).all()
    assert np.linalg.norm(voiceprint(sound)) == pytest.approx(1.0, abs=1e-3)


def test_there_are_no_more_than_letters():
    known = [np.eye(MOST)[i] for i in range(MOST - 1)]
    nobody = -np.ones(MOST)
    assert nearest(known, nobody) is None
    assert nearest([*known, np.eye(MOST)[-1]], nobody) is not None
    assert nearest([], nobody, new=False) is None


def test_rows_have_letters_only_where_they_are_asked_for(shared_data, clip):
    pause = np.zeros(16000, np.float32)
    sounds = [part for actor in (19, 20, 19) for part in (_clip(shared_data, actor, 1), pause)]
    path = clip("two.m4a", pictures=False, sound=np.concatenate(sounds))
    assert [u.speaker for u in perceive(path, "audio")] == [None] * 3
    assert [u.speaker for u in perceive(path, "audio", voices=True)] == ["A", "B", "A"]
