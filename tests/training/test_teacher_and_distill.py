"""A text teacher from a tiny BERT made here, and students that learn from one or several teachers."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.evaluation.evaluate import open_model
from emoje_edge.modality import Mask, Modality
from emoje_edge.training.batching import Collator
from emoje_edge.training.checkpoint import save_weights
from emoje_edge.training.datasets.base import Corpus, Sample
from emoje_edge.training.distill import DEFAULTS, settings, targets_of
from emoje_edge.training.predict import Missing, TorchPredictor
from emoje_edge.training.text_teacher import TeacherConfig, TextTeacher, describe, load_teacher, train_teacher
from emoje_edge.training.trainer import Materials, train
from tests.training import small

WORDS = {"low": "bad sad poor", "middle": "so and well", "high": "good glad fine"}


def words(count: int, *, seed: int = 0) -> Corpus:
    """Dialogues of two utterances whose words tell the label."""
    generator = np.random.default_rng(seed)
    samples = []
    for i in range(count):
        label = int(generator.integers(3))
        text = str(generator.choice(WORDS[small.CLASSES[label]].split()))
        samples.append(Sample(f"d{i // 2}", i % 2, label, speaker="AB"[i % 2], text=f"{text} !", source=f"row {i}"))
    return Corpus("words", small.CLASSES, tuple(samples))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local BERT folder with random weights, as `save_pretrained` writes it."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", ":", "!", *" ".join(WORDS.values()).split()]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def teacher(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("teacher") / "t"
    config = TeacherConfig(str(bert), context=1, tokens=24, epochs=10, batch=8, learning_rate=2e-3)
    history = list(train_teacher(config, words(200), words(40, seed=1), out, device="cpu"))
    assert max(row["dev_weighted_f1"] for row in history) > 0.6
    return out


def test_a_window_reads_the_utterance_then_the_past_as_far_as_it_goes(bert: Path) -> None:
    corpus = Corpus("x", small.CLASSES, tuple(Sample("d", i, 0, speaker="A", text=w) for i, w in enumerate("!:!:")))
    model = TextTeacher(bert, [3], tokens=12, context=2)
    read = [(model.tokenizer.decode(ids), sum(segments)) for ids, segments in model.windows(corpus)]
    assert read == [
        ("[CLS] a :! [SEP]", 0),
        ("[CLS] a : : [SEP] a :! [SEP]", 4),
        ("[CLS] a :! [SEP] :! [SEP] a : : [SEP]", 7),  # the oldest is cut
        ("[CLS] a : : [SEP] : : [SEP] a :! [SEP]", 7),
    ]
    assert all(not any(segments) for _, segments in model.windows(corpus, context=0))


def test_an_encoder_with_one_kind_of_segment(tmp_path: Path, bert: Path) -> None:
    from transformers import AutoTokenizer, RobertaConfig, RobertaModel

    size = AutoTokenizer.from_pretrained(bert)
    size.save_pretrained(tmp_path)
    RobertaModel(
        RobertaConfig(
            vocab_size=len(size),
            type_vocab_size=1,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
    ).save_pretrained(tmp_path)
    model = TextTeacher(tmp_path, [3], tokens=24, context=1)
    assert describe(model, model.windows(words(4))).shape == (4, 32)


def test_a_head_of_another_encoder_is_refused(teacher: Path, tmp_path: Path) -> None:
    other = tmp_path / "t"
    shutil.copytree(teacher, other)
    save_weights(other / "head.safetensors", torch.nn.Linear(32, 3))
    with pytest.raises(WorkError, match="not the head of this encoder"):
        load_teacher(other)


def test_a_saved_teacher_says_the_same_again(teacher: Path) -> None:
    assert {p.name for p in teacher.iterdir()} == {"encoder", "head.safetensors", "teacher.json"}
    corpus = words(12, seed=2)
    first, again = (load_teacher(teacher).predict(corpus) for _ in range(2))
    assert np.allclose(first.logits, again.logits)
    assert first.samples == corpus.samples
    with pytest.raises(UsageError, match="is there already"):
        list(train_teacher(TeacherConfig("x"), corpus, None, teacher))


def test_an_encoder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="encoder"):
        list(train_teacher(TeacherConfig(str(tmp_path / "none")), words(4), None, tmp_path / "out"))


def test_distill_from_two_teachers_one_a_modality(teacher: Path, tmp_path: Path) -> None:
    text = words(40)
    # sound beside the words: the same label, as vectors
    generator = np.random.default_rng(0)
    sounds = [(generator.normal(size=(2, 5)) + 2 * np.eye(3, 5)[s.label]).astype(np.float32) for s in text.samples]
    pairs = tuple(replace(s, features={Modality.AUDIO: x}) for s, x in zip(text.samples, sounds, strict=True))
    corpus = replace(text, samples=(*pairs[:30], *text.samples[30:]))
    audio_model = replace(small.MODEL, text=None)
    run = train(audio_model, small.CONFIG, Materials(replace(text, samples=pairs)), tmp_path / "audio", quiet=True)
    teachers = [open_model(teacher), open_model(tmp_path / "audio")]
    targets = targets_of(teachers, corpus)
    assert targets.logits.shape == (40, 3)
    assert targets.descriptors is not None
    assert targets.descriptors.shape == (40, 64 + run.config.width)
    # the words of the last ten: the audio teacher knows nothing of them
    assert (targets.descriptors[30:, 64:] == 0).all()
    assert (targets.logits.argmax(1).numpy() == corpus.labels()).mean() > 0.6

    unlabelled = replace(corpus, samples=tuple(replace(s, label=-1) for s in corpus.samples))
    audio = replace(small.MODEL, text=None)
    config = replace(
        settings(DEFAULTS, Mask.parse("audio"), targets), epochs=12, batch_utterances=12, threads=1, nce=0.0
    )
    assert config.partial == 0
    heard = unlabelled.keep(lambda s: Modality.AUDIO in s.features)
    student = train(
        audio, replace(config, learning_rate=3e-3), Materials(heard, targets=targets), tmp_path / "s", quiet=True
    )
    # it never saw a label: all that it knows is the teachers'
    p = TorchPredictor(student.network, Collator(audio)).predict(replace(corpus, samples=pairs[:30]))
    assert (p.logits.argmax(1) == p.labels).mean() > 0.5


def test_a_teacher_of_other_classes_is_refused(teacher: Path) -> None:
    other = Corpus("other", ("yes", "no"), (Sample("d", 0, 0, text="good"),))
    with pytest.raises(UsageError, match="a teacher of low, middle, high for a corpus of yes, no"):
        targets_of([open_model(teacher)], other)
    deaf = Corpus("deaf", small.CLASSES, (Sample("d", 0, 0, features={Modality.AUDIO: np.zeros((1, 5))}),))
    with pytest.raises(UsageError, match="brings nothing of text"):
        targets_of([open_model(teacher)], deaf)


def test_a_teacher_reads_without_context_when_asked(teacher: Path) -> None:
    corpus = words(6)
    loaded = load_teacher(teacher)
    alone = loaded.predict(corpus, Missing(context=False))
    second = replace(corpus, samples=corpus.samples[1:2])
    assert np.allclose(alone.logits[1], loaded.predict(second).logits[0], atol=1e-5)
