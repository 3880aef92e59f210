"""Rewritten dialogues: other words, no label, still a dialogue, and the same ones each time."""

from __future__ import annotations

from emoje_edge.emotion import EMOTIONS
from emoje_edge.training.datasets import UNLABELLED, Corpus, Sample
from research.augmentation.rewrite import SHORTEST, rewritten

LINES = ("You are joking!", "I have never in my life seen anything like it.", "No.", "So what do we do now, Joey?")


def corpus() -> Corpus:
    samples = tuple(
        Sample(f"d{d}", u, (d + u) % 7, speaker="AB"[u % 2], text=LINES[(d * u) % 4], split="train", source=f"{d}/{u}")
        for d in range(20)
        for u in range(8)
    )
    return Corpus("lines", EMOTIONS, samples)


def test_no_label_is_carried_over_and_dialogues_stay_in_order() -> None:
    made = rewritten(corpus(), copies=3, seed=0)
    assert made.name == "lines-rewritten"
    assert {s.label for s in made.samples} == {UNLABELLED}
    assert len({s.uid for s in made.samples}) == len(made)
    dialogues = made.dialogues()
    assert len(dialogues) == 60
    for dialogue in dialogues:
        assert SHORTEST <= len(dialogue) <= 8
        assert [s.index for s in dialogue] == list(range(len(dialogue)))
        places = [int(s.source.split("/")[1]) for s in dialogue]
        assert places == sorted(places)


def test_words_differ_between_copies_and_come_from_the_corpus() -> None:
    made = rewritten(corpus(), copies=2, seed=0)
    known = {word.strip(".!?,") for line in LINES for word in line.split()}
    texts = [s.text for s in made.samples if s.text]
    assert {word.strip(".!?,") for text in texts for word in text.split()} - {""} <= known
    assert sum(text not in LINES for text in texts) > len(texts) / 3


def test_the_same_seed_writes_the_same() -> None:
    one, two, other = (rewritten(corpus(), copies=1, seed=seed) for seed in (3, 3, 4))
    assert [s.text for s in one.samples] == [s.text for s in two.samples] != [s.text for s in other.samples]
