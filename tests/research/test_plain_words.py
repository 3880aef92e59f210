"""Sentences that tell nothing of who says them."""

from __future__ import annotations

import numpy as np

from emoje_edge.emotion import EMOTIONS
from emoje_edge.evaluation.evaluate import open_model
from emoje_edge.evaluation.stress_conditions import PLAIN_WORDS
from research.evidence.lines import PLAIN, REQUESTS
from research.evidence.wording import OUT_OF_CONTEXT
from research.recipes.plain_words import plain_corpus, plain_words


def test_they_are_the_same_ones_each_time_and_none_is_asked_in_the_evaluation() -> None:
    made = plain_words()
    assert made == plain_words()
    assert len(set(made)) > 0.8 * len(made)
    asked = {line.lower().strip(".!?") for line in (*PLAIN_WORDS, *PLAIN["neutral"], *REQUESTS)}
    assert not {line.lower().strip(".!?") for line in made} & asked
    assert not any("{" in line for line in made)


def test_the_words_branch_finds_nothing_in_most_of_them() -> None:
    said = open_model(None).predict(plain_corpus(300), OUT_OF_CONTEXT).probabilities.argmax(1)
    assert np.mean(said == EMOTIONS.index("neutral")) > 0.75
