"""Who says what in a cue: `ROSS: …`, `[ROSS] …`, `>> ROSS: …`, `<v Ross>`, a dash before each, the Name of ASS."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from emoje_edge.characters import visible
from emoje_edge.perception.cues.raw_cue import RawCue, words
from emoje_edge.perception.cues.spoken import SOUND, in_one_line, plain, spoken, unsung

Turn = tuple[str | None, str]

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>", re.IGNORECASE)
_MARK = re.compile(r"\0(\d+)\0")
_WORD = r"(?:#?\w[\w.'’#-]*|&|\+)"
_NAME = rf"(?:\d+(?:st|nd|rd|th|ST|ND|RD|TH)? (?=[A-Z]))?[^\W\d_][\w.'’#-]*(?:(?: |/|, ?){_WORD}){{0,4}}"
_COLON = r"\s*[:：﹕∶](?!//|\\)"
# a colon with or without a space after it; in running text only a space tells a name's from a time's
_PREFIX = re.compile(
    rf"^({_NAME})\s*(?:[\[(][^\])]*[\])]\s*)?{_COLON}\s*(?=\D|$)"
    rf"|^[\[(【（]({_NAME})\s*[:：]?\s*[\])】）]\s*[:：]?\s*(?=\S|$)"
)
_NUMBERED = re.compile(r"(?:speaker|person|voice|spk|s)[ _#-]*(?:\d+|[A-Z])", re.IGNORECASE)
# who is called so is somebody, whether it comes once or twice
_TITLED = re.compile(r"(?:dr|mr|mrs|ms|prof|sgt|lt|capt|rev|st)\.? \S", re.IGNORECASE)
_ROLES = words(
    "man woman boy girl narrator interviewer interviewee host guest moderator reporter announcer doctor nurse teacher "
    "student patient therapist mother father mom dad child kid both all everyone crowd speaker operator officer"
)
# one of these: another speaks
_DASH = re.compile(r"^(?:[-–—‐]{1,2}\s*|>{2,}\s*|»\s*|[•●]\s*)(?=\S)")
_CHEVRONS = re.compile(r"(?<=\s)(?=>{2,}\s)")
# What stands before a colon at a sentence's beginning and is nobody's name.
_WORDS = words(
    "also and answer but finally first listen look no note now ok okay question remember second so wait warning well "
    "yes ps p.s p.s. http https"
)
# What is in a sentence and in no name, though all may be capitals: "THE TRUTH IS: I love you."
_VERBS = words(
    "is are was were am be do does did has have had can will would should told said say says you we it he she they "
    "that this what there here not"
)


def turns(cue: RawCue, names: set[str]) -> list[Turn]:
    """Who says what in one cue: a dash, a name or a voice tag at a line's beginning starts the next one's words.

    Args:
        names: what is a name before a colon, see `names_in`.
    """
    # a voice's number stands for its name, which may hold whatever else means something here
    voices: list[str] = []

    def mark(voice: re.Match[str]) -> str:
        voices.append(" ".join(plain(voice[1]).split()))
        return f"\n\0{len(voices) - 1}\0"

    text = in_one_line(unsung(_shown(_VOICE.sub(mark, cue.text.replace("\0", " ")))))
    named = visible(cue.name).strip() or None
    speaker = named
    found: list[tuple[str | None, list[str]]] = []
    for line in text.split("\n"):
        line, begins = line.strip(), not found
        if voice := _MARK.match(line):
            line, begins, speaker = line[voice.end() :], True, voices[int(voice[1])] or named
        line = _MARK.sub(" ", line)
        if dash := _DASH.match(line):
            line, begins, speaker = line[dash.end() :], True, named
        prefix = _PREFIX.match(line)
        if prefix and _key(prefix) in names:
            line, begins, speaker = _DASH.sub("", line[prefix.end() :]), True, _key(prefix)
        if begins:
            found.append((speaker, []))
        found[-1][1].append(spoken(line))
    joined = ((speaker, _tidy(" ".join(words))) for speaker, words in found)
    return [(speaker, words) for speaker, words in joined if any(c.isalnum() for c in words)]


def names_in(cues: Iterable[RawCue]) -> set[str]:
    """What is a speaker's name before a colon or in brackets at a line's beginning.

    Capitals always are.  "Ross:" is where it comes twice, or where half of all cues begin so: "Listen: …" is not.
    """
    counts: Counter[str] = Counter()
    total = 0
    for cue in cues:
        total += 1
        for line in in_one_line(_shown(cue.text)).split("\n"):
            prefix = _PREFIX.match(_DASH.sub("", line.strip()))
            if prefix and _may_be_name(prefix):
                counts[_key(prefix)] += 1
    usual = 2 * sum(counts.values()) >= total
    return {
        name
        for name, n in counts.items()
        if name.isupper() or _is_somebody(name) or (_is_title(name) and (n > 1 or usual))
    }


def _shown(text: str) -> str:
    """Lines as they are shown; where another begins to speak in the middle of one, it ends there."""
    return _CHEVRONS.sub("\n", plain(text))


def _may_be_name(prefix: re.Match[str]) -> bool:
    name = _key(prefix)
    if name.lower() in _WORDS or not _VERBS.isdisjoint(name.lower().split()):
        return False
    # [DOOR OPENING] is a sound, MR. STERLING: is a name
    return not (prefix[2] and SOUND.search(name) and not _NUMBERED.fullmatch(name))


def _key(prefix: re.Match[str]) -> str:
    return prefix[1] or prefix[2]


def _is_title(name: str) -> bool:
    """Capitals begin its words, where the script has any."""
    return all(not word[0].islower() for word in name.split())


def _is_somebody(name: str) -> bool:
    return bool(_NUMBERED.fullmatch(name) or _TITLED.match(name)) or name.lower() in _ROLES


def _tidy(words: str) -> str:
    # what is left of "(whispering): I hate him."
    return " ".join(words.split()).removeprefix(": ").removeprefix("： ").strip()
