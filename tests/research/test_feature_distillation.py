"""Small's words learn medium's descriptors."""

from __future__ import annotations

import numpy as np
import torch

from emoje_edge.emotion import EMOTIONS
from emoje_edge.model import AmEmoje
from emoje_edge.shipped import MODELS, TOKENIZER
from emoje_edge.training.checkpoint import load_run
from emoje_edge.training.tokens import tokenizer_of
from research.recipes import minilm
from research.recipes.feature_distillation import Settings, batches, descriptor, learn, words_alone
from research.recipes.plain import sentences

SUBJECTS, SAID = ("I", "You", "They", "We", "Kids"), ("hate it", "love this", "left", "are at home")
LINES = [f"{who} {what}{mark}" for who in SUBJECTS for what in SAID for mark in "!.?"]


def apart(teacher: AmEmoje, student: AmEmoje) -> float:
    tokenize = tokenizer_of(student.config, TOKENIZER)
    assert tokenize is not None
    with torch.no_grad():
        (_, ids, length), *_ = batches([tokenize(line) for line in LINES], len(LINES), np.random.default_rng(0))
        return float((descriptor(teacher, ids, length) - descriptor(student, ids, length)).square().mean())


def test_a_student_comes_closer_and_keeps_what_reads_it() -> None:
    torch.set_num_threads(1)
    teacher = words_alone(load_run(MODELS / "medium"), "medium").eval()
    student = AmEmoje(minilm.model("small"))
    shipped = words_alone(load_run(MODELS / "small"), "small").state_dict()
    read = {name: x for name, x in teacher.state_dict().items() if not name.startswith("encoders.")}
    start = {name: x for name, x in shipped.items() if name.startswith("encoders.")} | read
    start["encoders.text.out.weight"] = torch.zeros_like(start["encoders.text.out.weight"])  # tells nothing at first
    student.load_state_dict(start)
    before = apart(teacher, student.eval())
    tokenize = tokenizer_of(student.config, TOKENIZER)
    assert tokenize is not None
    settings = Settings(epochs=6, learning_rate=1e-3, plain=0, batch=16, average=0.5)
    learnt = learn(teacher, student, LINES, tokenize, lambda text, g: text, settings)
    assert apart(teacher, learnt) < 0.5 * before
    kept = learnt.state_dict()
    assert all(torch.equal(kept[name], x) for name, x in read.items())


def test_every_line_is_read_once_and_empty_ones_never() -> None:
    ids = [[1, 2, 3], [], [4], [5, 6], [7, 8, 9, 10]]
    read = []
    for _, padded, lengths in batches(ids, 2, np.random.default_rng(0)):
        read += [line[:n].tolist() for line, n in zip(padded, lengths, strict=True)]
    assert sorted(read) == sorted(line for line in ids if line)


def test_made_sentences_are_answered_by_their_rule() -> None:
    """Even where the teacher says something else; of the other lines nothing is asked of the rules."""
    torch.set_num_threads(1)
    teacher = words_alone(load_run(MODELS / "small"), "small").eval()
    with torch.no_grad():
        teacher.head.bias[EMOTIONS.index("disgust")] += 20.0  # whatever is said disgusts it
    student = words_alone(load_run(MODELS / "small"), "small")
    tokenize = tokenizer_of(student.config, TOKENIZER)
    assert tokenize is not None
    settings = Settings(epochs=4, learning_rate=2e-3, plain=400, batch=32, average=0.9)
    learnt = learn(teacher, student, [], tokenize, lambda text, g: text, settings)
    made, rules = sentences(400, seed=900)
    lines = [tokenize(x.text or "") for x in made.samples]
    with torch.no_grad():
        ((rows, ids, length),) = batches(lines, 400, np.random.default_rng(0))
        answers = learnt.head(descriptor(learnt, ids, length))[rows.argsort()]
    assert (answers.argmax(1) == rules.logits.argmax(1)).float().mean() > 0.8
    assert (answers.argmax(1) == EMOTIONS.index("disgust")).float().mean() < 0.3
