"""Lines as they might have been heard: what may change, and what may not."""

from __future__ import annotations

import numpy as np
import pytest

from research.augmentation.rewording import as_spoken, misheard, remarked, sounds_alike, without_marks

LINES = ["That is bad!", "What a pet.", "I don't know, really?!", "so much for that"]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("I don't know, really?!", "i don't know really"),
        ("Oh\u2026 it\u2019s YOU!", "oh it's you"),
        ("?!", "?!"),  # nothing else would be left
    ],
)
def test_marks_go_but_not_those_inside_words(written: str, plain: str) -> None:
    assert without_marks(written) == plain


def test_a_remarked_line_has_the_same_words() -> None:
    g = np.random.default_rng(0)
    found = {remarked("Oh no, not you again!", g) for _ in range(60)}
    assert {without_marks(line) for line in found} == {"oh no not you again"}
    assert "Oh no, not you again." in found
    assert len(found) >= 4


def test_words_that_sound_alike_share_a_key() -> None:
    alike = sounds_alike(["bad pet", "bed", "happy"])
    assert ["bad", "bed", "pet"] in alike.values()
    assert not any("happy" in words for words in alike.values())


def test_a_misheard_line_differs_in_few_words() -> None:
    g = np.random.default_rng(1)
    line = "that is a bad pet and so much for that my friend"
    found = [misheard(line, sounds_alike([*LINES, "bed"]), g).split() for _ in range(300)]
    lost = np.mean([len(line.split()) - len(words) for words in found])
    assert 0.2 < lost < 1.2  # about one word in twenty-five is lost
    assert any(sorted(words) == sorted(line.split()) and words != line.split() for words in found)  # two swapped
    assert any({"bed", "bet"} & set(words) for words in found)  # taken for another


def test_a_misheard_line_still_denies_what_it_denied() -> None:
    g = np.random.default_rng(3)
    alike = sounds_alike(["not knot nut", "never neffer", "don't dent"])
    for _ in range(300):
        heard = misheard("I don't know and I am not sad, never", alike, g).split()
        assert {"don't", "not", "never"} <= set(heard)


def test_spoken_lines_are_never_empty_and_most_are_untouched_or_only_remarked() -> None:
    vary, g = as_spoken(LINES), np.random.default_rng(2)
    varied = [vary(line, g) for line in LINES * 100]
    assert all(line.strip() for line in varied)
    same = np.mean([a == b for a, b in zip(varied, LINES * 100, strict=True)])
    assert 0.4 < same < 0.75  # some of the changed ones come out as they were
