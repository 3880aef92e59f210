"""The same evidence again is no new evidence: it must not make the product surer."""

from __future__ import annotations

import numpy as np
import pytest

from emoje_edge import DialogueState, Recognizer
from emoje_edge.babble import babble
from emoje_edge.evaluation.conditions import EVALUATION, talking_head
from emoje_edge.utterance_emotion import UtteranceEmotion
from tests.golden.sentences import SENTENCES

TIMES = 12
MOST = 0.02  # that confidence may rise by
VOICE = babble(2.0, pitch=150.0)
BODY = talking_head(3.0, np.random.default_rng(0), flavour=EVALUATION)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(words="off")


def check(answers: list[UtteranceEmotion]) -> None:
    assert {a.emotion for a in answers} == {answers[0].emotion}
    assert max(a.confidence or 0 for a in answers) <= (answers[0].confidence or 0) + MOST


@pytest.mark.parametrize("speaker", ["ROSS", None])
@pytest.mark.parametrize("line", [lines[0] for lines in SENTENCES.values()])
def test_a_line_that_is_repeated(recognizer: Recognizer, line: str, speaker: str | None) -> None:
    state = DialogueState()
    check([recognizer.recognize(text=line, speaker=speaker, state=state) for _ in range(TIMES)])


@pytest.mark.parametrize("given", [{"audio": (VOICE, 16_000)}, {"pose": BODY}], ids=["voice", "body"])
def test_a_clip_that_loops(recognizer: Recognizer, given: dict) -> None:
    for speaker in ("ROSS", None):
        state = DialogueState()
        check([recognizer.recognize(**given, speaker=speaker, state=state) for _ in range(TIMES)])


def test_what_was_said_before_still_counts_and_a_repetition_leaves_it_alone(recognizer: Recognizer) -> None:
    state = DialogueState()
    recognizer.recognize(text="I hate you! Get out!", speaker="ROSS", state=state)
    once = recognizer.recognize(text="Okay.", speaker="RACHEL", state=state)
    after = state.vector
    again = recognizer.recognize(text="Okay.", speaker="RACHEL", state=state)
    assert again.probabilities == once.probabilities
    assert once.probabilities != recognizer.recognize(text="Okay.", speaker="RACHEL").probabilities
    assert np.array_equal(state.vector, after)
    # another speaker who says the same is news
    other = recognizer.recognize(text="Okay.", speaker="ROSS", state=state)
    assert other.probabilities != once.probabilities
