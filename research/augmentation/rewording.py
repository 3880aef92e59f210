"""Lines as they might have been written or heard: other marks or none, words lost, swapped or taken for others.

A line's marks and capitals are the subtitler's, and half of a text model's skill hangs on them; a recogniser writes
full stops, loses short words and takes one word for another that sounds like it.  A label survives all of that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from emoje_edge.training.batching import Reword

REMARKED = 0.5  # of the lines
MISHEARD = 0.2
_MARKS = re.compile(r"(?<!\w)[^\w\s]+|[^\w\s]+(?!\w)")  # not those inside words: don't
_END = re.compile(r"[.!?]+\s*$")
_RUN = re.compile(r"[!?]+")
_WORD = re.compile(r"[a-z']+")
_DENIES = re.compile(r"^(no|not|never|nobody|nothing|none|neither|nor|hardly|without|cannot)\b|n['’]t\b")
_VOICED = str.maketrans("bdgvzjqxc", "ptkfssksk")


def as_spoken(lines: Iterable[str]) -> Reword:
    """Vary a line of training; words that sound alike are those of `lines`."""
    alike = sounds_alike(lines)

    def vary(text: str, g: np.random.Generator) -> str:
        varied = misheard(text, alike, g) if g.random() < MISHEARD else text
        varied = remarked(varied, g) if g.random() < REMARKED else varied
        return varied if varied.strip() else text

    return vary


def without_marks(text: str) -> str:
    """Lower case and no punctuation but inside words; as it was where nothing else would be left."""
    plain = " ".join(_MARKS.sub(" ", text.replace("’", "'").replace("\u0092", "'")).lower().split())
    return plain or text


def remarked(text: str, g: np.random.Generator) -> str:
    """All marks gone (half of the time), calm ones, or another one at the end."""
    draw = g.random()
    if draw < 0.5:
        return without_marks(text)
    if draw < 0.8:
        return _RUN.sub(lambda run: "?" if "?" in run[0] else ".", text)
    return f"{_END.sub('', text)}{g.choice(['.', '!', '?', '...', ''])}"


def misheard(text: str, alike: dict[str, list[str]], g: np.random.Generator) -> str:
    """One word in eight is lost, changes places with the next, or becomes one that sounds like it; a denial stays."""
    words = text.split()
    heard: list[str] = []
    for word in words:
        draw = g.random()
        if _DENIES.search(word.lower()):  # without it the line would say the opposite
            heard.append(word)
            continue
        if draw < 0.04 and len(words) > 2:
            continue
        others = alike.get(_sound(word.lower()), [])
        if draw < 0.12 and others and _WORD.search(word.lower()):
            word = _WORD.sub(str(g.choice(others)), word.lower(), count=1)
        heard.append(word)
        if draw > 0.98 and len(heard) > 1:
            heard[-2:] = heard[:-3:-1]
    return " ".join(heard)


def sounds_alike(lines: Iterable[str]) -> dict[str, list[str]]:
    """Sound -> the words of `lines` that share it, where there are several."""
    by: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        for word in _WORD.findall(line.lower()):
            by[_sound(word)].add(word)
    return {sound: sorted(words) for sound, words in by.items() if 1 < len(words) <= 40}


def _sound(word: str) -> str:
    """First vowel or consonant, then the consonants, voiced as unvoiced (after Soundex): "bad" and "pet" share one."""
    letters = "".join(_WORD.findall(word)).replace("'", "")
    first, rest = letters[:1], letters[1:]
    skeleton = re.sub(r"(.)\1+", r"\1", re.sub("[aeiouyhw]", "", rest.translate(_VOICED)))
    return ("a" if first in "aeiou" else first.translate(_VOICED)) + skeleton
