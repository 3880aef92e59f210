"""MELD, EmoryNLP and GoEmotions in their official formats, with the faults that such files have."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets import UNLABELLED, Options, open_dataset
from emoje_edge.training.labels import TABLE, fit_classes, to_emotions

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
TIMES = '8,21,"00:16:16,059","00:16:21,731"\n'


def write_meld(folder: Path, split: str = "train", emotion: str = "joy") -> Path:
    path = folder / f"{split}_sent_emo.csv"
    rows = f"1,You didn\x92t\x85,Ross,{emotion},positive,0,0,{TIMES}2,Whâ?,Joey,neutral,neutral,0,1,{TIMES}"
    # cp1252 bytes amid UTF-8, as in the official file
    body = rows.replace("\x92", "\udc92").replace("\x85", "\udc85").encode("utf-8", "surrogateescape")
    path.write_bytes(HEADER.encode() + body)
    return path


def test_meld_repairs_characters_and_keeps_order(tmp_path: Path) -> None:
    write_meld(tmp_path)
    corpus = open_dataset("meld", tmp_path)
    assert [s.text for s in corpus.samples] == ["You didn’t…", "Whâ?"]
    assert [s.speaker for s in corpus.dialogues()[0]] == ["Ross", "Joey"]
    assert corpus.classes == EMOTIONS
    assert corpus.samples[0].source.endswith("train_sent_emo.csv row 2")


def test_meld_root_may_be_the_file_and_splits_are_named(tmp_path: Path) -> None:
    path = write_meld(tmp_path, "test")
    assert len(open_dataset("meld", path, split="test")) == 2
    with pytest.raises(UsageError, match="no split 'dev'"):
        open_dataset("meld", path, split="dev")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (("Emotion", "Feeling"), "no column 'Emotion'"),
        ((",joy,", ",glee,"), "train_sent_emo.csv row 2: unknown label 'glee'"),
        ((",0,1,", ",0,one,"), "row 3: Utterance_ID = 'one'"),
    ],
)
def test_meld_faults_name_file_and_row(tmp_path: Path, fault: tuple[str, str], message: str) -> None:
    path = write_meld(tmp_path)
    path.write_bytes(path.read_bytes().replace(fault[0].encode(), fault[1].encode()))
    with pytest.raises(UsageError, match=message):
        open_dataset("meld", tmp_path)


def test_meld_missing_clip_names_the_row(tmp_path: Path) -> None:
    write_meld(tmp_path)
    (tmp_path / "train_splits").mkdir()
    with pytest.raises(UsageError, match=r"row 2: the clip .*dia0_utt0\.mp4 is not there"):
        open_dataset("meld", tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        open_dataset("meld", tmp_path / "none")
    with pytest.raises(UsageError, match="no MELD's csv"):
        open_dataset("meld", tmp_path)
    with pytest.raises(UsageError, match="did you mean 'meld'"):
        open_dataset("meldd", tmp_path)


def test_emorynlp(tmp_path: Path) -> None:
    (tmp_path / "emorynlp_dev_final.csv").write_text(
        "Utterance,Speaker,Emotion,Scene_ID,Utterance_ID,Season,Episode,Start_Time,End_Time\n"
        "Coffee.,['Rachel Green'],Neutral,1,1,1,15,0,1\n"
        "Yeah!,\"['Joey Tribbiani', 'Ross Geller']\",Powerful,1,2,1,15,1,2\n"
    )
    corpus = open_dataset("emorynlp", tmp_path)
    assert [s.speaker for s in corpus.samples] == ["Rachel Green", "Joey Tribbiani & Ross Geller"]
    assert [s.label for s in to_emotions(corpus).samples] == [EMOTIONS.index("neutral"), UNLABELLED]


def test_goemotions(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("\n".join(EMOTIONS))
    (tmp_path / "dev.tsv").write_text('He said "no\t0\tx1\nBoth\t3,4\tx2\n')
    corpus = open_dataset("goemotions", tmp_path)
    # a lone quotation mark does not swallow the next line; two labels are no label
    assert [(s.text, s.label) for s in corpus.samples] == [('He said "no', 0), ("Both", UNLABELLED)]
    (tmp_path / "dev.tsv").write_text("Hm\t9\tx1\n")
    with pytest.raises(UsageError, match=r"dev.tsv row 1: unknown label 9"):
        open_dataset("goemotions", tmp_path)


def test_every_table_row_leads_to_an_emotion() -> None:
    for row in TABLE.values():
        assert set(row.values()) <= {*EMOTIONS, None}


def test_classes_fit_a_model(tmp_path: Path) -> None:
    write_meld(tmp_path)
    corpus = open_dataset("meld", tmp_path)
    turned = fit_classes(corpus, tuple(reversed(EMOTIONS)))
    assert turned.samples[0].label == len(EMOTIONS) - 1 - corpus.samples[0].label
    with pytest.raises(UsageError, match="the model has low, high"):
        fit_classes(corpus, ("low", "high"))


def test_the_real_files(shared_data: Path) -> None:
    meld = open_dataset("meld", shared_data / "meld")
    assert [len(meld.split(s)) for s in ("train", "dev")] == [9989, 1109]
    assert len(meld.split("train").dialogues()) == 1038
    assert len(open_dataset("emorynlp", shared_data / "emorynlp", split="dev").dialogues()) == 89
    assert len(open_dataset("goemotions", shared_data / "goemotions" / "dev.tsv")) == 5426
    pairs = open_dataset("meld-features", shared_data / "meld", options=Options())
    assert pairs.samples[0].modalities == (Modality.TEXT, Modality.AUDIO)
    assert len(pairs) == 1108
