"""Corpora of clips: MELD's folder, IEMOCAP's layout, RAVDESS and your own manifest, with tiny clips made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import ModelConfig
from emoje_edge.training.batching import Collator
from emoje_edge.training.datasets import UNLABELLED, Options, open_dataset
from emoje_edge.training.datasets.splits import hold_out, k_fold, train_and_dev
from tests.training.clips import write_sound, write_video
from tests.training.test_text_datasets import write_meld


def _sound_only(tmp_path: Path) -> Options:
    return Options(mask=Mask.parse("text,audio"), cache=tmp_path / "cache")


def test_meld_folder_of_clips(tmp_path: Path) -> None:
    write_meld(tmp_path)
    for u in range(2):
        write_video(tmp_path / "train_splits" / f"dia0_utt{u}.mp4", seconds=0.6)
    corpus = open_dataset("meld", tmp_path, options=Options(cache=tmp_path / "cache"))
    sample = corpus.samples[0]
    assert sample.modalities == tuple(Modality)
    sound = sample.feature(Modality.AUDIO)
    assert sound.shape[1] == 64
    assert 50 <= len(sound) <= 70
    assert len(list((tmp_path / "cache").iterdir())) == 2  # the sound and its quality; the pictures were not asked for
    assert Collator(ModelConfig()).quality(sample, Modality.AUDIO)[0] < 0.5  # a tone is hardly speech


def test_features_are_cached_by_content(tmp_path: Path) -> None:
    clip = tmp_path / "03-01-05-01-01-01-21.wav"
    write_sound(clip, seconds=0.5, pitch=200)
    options = _sound_only(tmp_path)
    first = open_dataset("ravdess", tmp_path, options=options).samples[0].feature(Modality.AUDIO)
    again = open_dataset("ravdess", tmp_path, options=options).samples[0].feature(Modality.AUDIO)
    assert np.array_equal(first, again)
    write_sound(clip, seconds=0.7, pitch=900)
    changed = open_dataset("ravdess", tmp_path, options=options).samples[0].feature(Modality.AUDIO)
    assert len(changed) > len(first)


def test_ravdess_names_and_groups(tmp_path: Path) -> None:
    for actor in ("01", "02"):
        write_sound(tmp_path / f"Actor_{actor}" / f"03-01-06-01-02-01-{actor}.wav", seconds=0.1)
    corpus = open_dataset("ravdess", tmp_path)
    assert [(corpus.classes[s.label], s.group) for s in corpus.samples] == [
        ("fearful", f"actor{a}") for a in ("01", "02")
    ]
    write_sound(tmp_path / "03-01-09-01-02-01-01.wav", seconds=0.1)
    with pytest.raises(UsageError, match=r"03-01-09-01-02-01-01.wav: not a RAVDESS name"):
        open_dataset("ravdess", tmp_path)


def test_broken_clip_is_named_when_it_is_read(tmp_path: Path) -> None:
    clip = tmp_path / "03-01-05-01-01-01-21.wav"
    clip.write_bytes(b"RIFF nothing")
    sample = open_dataset("ravdess", tmp_path, options=_sound_only(tmp_path)).samples[0]
    with pytest.raises(WorkError, match=r"03-01-05-01-01-01-21.wav"):
        sample.feature(Modality.AUDIO)


def write_iemocap(root: Path, *, wav: bool = True) -> None:
    for n in (1, 5):
        name, session = f"Ses0{n}F_impro01", root / f"Session{n}"
        (session / "dialog" / "EmoEvaluation").mkdir(parents=True)
        (session / "dialog" / "transcriptions").mkdir()
        labels = {"F000": "neu", "M000": "exc", "F001": "fru", "M001": "xxx"}
        lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
        words = []
        for i, (turn, label) in enumerate(labels.items()):
            lines += [
                f"[{i}.2901 - {i}.9357]\t{name}_{turn}\t{label}\t[2.5000, 2.5000, 2.5000]",
                "C-E2:\tNeutral;\t()",
                "",
            ]
            words.append(f"{name}_{turn} [00{i}.2901-00{i}.9357]: Line {i}.")
            if wav:
                write_sound(session / "sentences" / "wav" / name / f"{name}_{turn}.wav", seconds=0.1)
        (session / "dialog" / "EmoEvaluation" / f"{name}.txt").write_text("\n".join(lines))
        (session / "dialog" / "transcriptions" / f"{name}.txt").write_text("\n".join(words))


def test_iemocap_six_and_four(tmp_path: Path) -> None:
    write_iemocap(tmp_path)
    six = open_dataset("iemocap", tmp_path, options=_sound_only(tmp_path))
    names = [six.classes[s.label] if s.label >= 0 else None for s in six.split("train").samples]
    assert names == ["neutral", "excited", "frustrated", None]
    assert six.samples[0].text == "Line 0."
    assert six.samples[0].feature(Modality.AUDIO).shape[1] == 64
    assert [s.speaker for s in six.samples[:2]] == ["Session1F", "Session1M"]
    four = open_dataset("iemocap", tmp_path, options=Options(ways=4))
    labels = [s.label for s in four.split("test").samples]
    assert labels == [four.classes.index("neutral"), four.classes.index("happy"), UNLABELLED, UNLABELLED]
    folds = k_fold(six, 2)
    assert {s.group for s in folds[0][0].samples}.isdisjoint(s.group for s in folds[0][1].samples)


def test_iemocap_faults(tmp_path: Path) -> None:
    write_iemocap(tmp_path, wav=True)
    (tmp_path / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav").unlink()
    with pytest.raises(UsageError, match=r"Ses01F_impro01.txt row 6: the clip .*M000.wav is not there"):
        open_dataset("iemocap", tmp_path)
    words = tmp_path / "Session1/dialog/transcriptions/Ses01F_impro01.txt"
    words.write_text("")
    with pytest.raises(UsageError, match="row 3: Ses01F_impro01_F000 has no line in the transcription"):
        open_dataset("iemocap", tmp_path)
    with pytest.raises(UsageError, match="EmoEvaluation"):
        open_dataset("iemocap", tmp_path / "Session1" / "dialog")
    with pytest.raises(UsageError, match="5-way"):
        open_dataset("iemocap", tmp_path, options=Options(ways=5))


MANIFEST = "path,start,end,dialogue,speaker,text,label\n"


def test_manifest(tmp_path: Path) -> None:
    write_sound(tmp_path / "clips" / "a.wav", seconds=2)
    path = tmp_path / "mine.csv"
    path.write_text(
        MANIFEST + "clips/a.wav,0.5,1.5,call1,Ann,Hello there,joy\nclips/a.wav,1.5,,call1,Bob,,sadness\n,,,call2,,Hm,\n"
    )
    corpus = open_dataset("manifest", path, options=_sound_only(tmp_path))
    first, second, third = corpus.samples
    assert first.modalities == (Modality.TEXT, Modality.AUDIO)
    # a second of sound, 10 ms a frame less the window
    assert abs(len(first.feature(Modality.AUDIO)) - 98) <= 2
    assert abs(len(second.feature(Modality.AUDIO)) - 48) <= 2
    assert (first.index, second.index, third.index, third.label) == (0, 1, 0, UNLABELLED)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("clips/none.wav,,,d,,x,joy", r"mine.csv row 2: the clip .*none.wav is not there"),
        ("clips/a.wav,2,1,d,,x,joy", "row 2: end 1.0 s is not after start 2.0 s"),
        ("clips/a.wav,soon,,d,,x,joy", "row 2: start = 'soon'"),
        ("clips/a.wav,,,,,x,joy", "row 2: no dialogue"),
        (",,,d,,,joy", "row 2: neither a clip"),
        ("a.wav,1", "row 2: 2 values, no 'end'"),
        (",,,d,A,Oh, really?,joy", "row 2: 8 values for 7 columns"),
    ],
)
def test_manifest_faults(tmp_path: Path, row: str, message: str) -> None:
    write_sound(tmp_path / "clips" / "a.wav", seconds=0.1)
    path = tmp_path / "mine.csv"
    path.write_text(MANIFEST + row + "\n")
    with pytest.raises(UsageError, match=message):
        open_dataset("manifest", path)


def test_splits_keep_groups_whole(shared_data: Path) -> None:
    corpus = open_dataset("ravdess-au", shared_data / "ravdess")
    assert corpus.samples[0].modalities == (Modality.AUDIO, Modality.POSE)
    tested: list[str] = []
    for train, held_out in k_fold(corpus, 5, seed=3):
        actors = {s.group for s in held_out.samples}
        assert actors.isdisjoint(s.group for s in train.samples)
        assert len(train) + len(held_out) == 1200
        tested += actors
    assert len(tested) == len(set(tested)) == 20
    assert [s.uid for s in hold_out(corpus)[1].samples] == [s.uid for s in hold_out(corpus)[1].samples]
    with pytest.raises(UsageError, match="21 folds"):
        k_fold(corpus, 21)
    assert len(train_and_dev(corpus)[1]) == 240
