"""How often each emotion is in conversations, as the product holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoje_edge.emotion import EMOTIONS, IN_CONVERSATION, conversational
from emoje_edge.training.datasets import open_dataset


def test_the_shares_are_those_of_melds_training_lines(shared_data: Path) -> None:
    labels = open_dataset("meld", shared_data / "meld", split="train").labels()
    for number, emotion in enumerate(EMOTIONS):
        assert IN_CONVERSATION[emotion] == pytest.approx(float((labels == number).mean()), abs=6e-4)


def test_odds_follow_the_order_of_the_labels() -> None:
    assert conversational(EMOTIONS[::-1]) == conversational(EMOTIONS)[::-1]
    assert max(conversational(EMOTIONS)) == conversational(EMOTIONS)[EMOTIONS.index("neutral")]
