"""The conditions of the stress evaluation: what comes beside the modality that an utterance really has.

A condition that says nothing must not change the answer, one that agrees should help, and where a companion's quality
varies its weight should follow.  Sounds and bodies are drawn anew for every utterance.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np

from emoje_edge.emotion import EMOTIONS
from emoje_edge.evaluation import conditions as make
from emoje_edge.evaluation.companions import Array, Companions
from emoje_edge.evaluation.conditions import EVALUATION
from emoje_edge.modality import Modality
from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.perception.skeleton import RATE
from emoje_edge.training.datasets import Sample

SECONDS = 3.0
SNR = (-10.0, 30.0)  # dB, of companions of varying quality
ALONE, EMPTY, AGREEING, OWN, VARYING = "alone", "says nothing", "agrees", "its own", "varies"
# Nobody can tell an emotion from these, and every word of them is an everyday one.
PLAIN_WORDS = (
    "The bus leaves at nine.",
    "It is on the second floor.",
    "I will call you tomorrow.",
    "There are two of them.",
    "He went to the store.",
    "Put it on the table.",
    "We are at the office.",
    "It starts at half past six.",
    "She keeps her bicycle in the hall.",
    "Do you take sugar in your coffee?",
    "My brother works for the railway.",
    "The second shelf is for glasses.",
    "I wrote my name on the form.",
    "They sell stamps at the corner shop.",
    "What is the number of your flat?",
    "We changed the sheets this morning.",
    "The film is about a lighthouse.",
    "Turn right after the chemist.",
    "He has been at this school since March.",
    "The blue one belongs to Anna.",
    "I usually walk to the office.",
    "There was some rain during the night.",
    "You need a ticket for the museum.",
    "The soup is on the stove.",
)

SAME, OTHER, NEUTRAL = "same", "other", "neutral"  # emotion of a companion, against the utterance's
T = TypeVar("T")


@dataclass(frozen=True)
class Given:
    """What a condition gives beside one utterance: text as a string, audio as samples at 16 kHz, pose as landmarks at
    12.5 Hz; and the signal-to-noise ratio (dB) of it where that varies."""

    features: dict[Modality, Any] = field(default_factory=dict)
    snr: float | None = None


Maker = Callable[[Sample, np.random.Generator], Given]


@dataclass(frozen=True)
class Condition:
    """One row of the table.

    Attributes:
        name: for `--conditions`.
        says: for people.
        kind: ALONE, EMPTY, AGREEING, OWN (recorded with the utterance) or VARYING.
        adds: modalities that come beside; VARYING conditions measure the first one's weight.
        make: called for every utterance; gives nothing where there is no material for its emotion.
        lacks: why it cannot be measured here; "" where it can.
    """

    name: str
    says: str
    kind: str
    adds: tuple[Modality, ...]
    make: Maker
    lacks: str = ""


def catalogue(base: Modality, found: Companions) -> list[Condition]:
    """All conditions for utterances of one modality, in the order of the table."""
    parts = {Modality.TEXT: _words, Modality.AUDIO: _sounds, Modality.POSE: _bodies}
    single = [c for m in Modality if m is not base for c in parts[m](found)]
    by_name = {c.name: c for c in single}
    both = [
        _both("both-empty", "neither says anything", EMPTY, [by_name[n] for n in _QUIET if n in by_name]),
        _both("both-unmoved", "talk and people, neither moved", EMPTY, [by_name[n] for n in _UNMOVED if n in by_name]),
        _both("both-unrelated", "both are other people's", EMPTY, [by_name[n] for n in _OTHERS if n in by_name]),
        _both("both-agree", "both agree", AGREEING, [by_name[n] for n in _AGREE if n in by_name]),
    ]
    own = [_own(m) for m in Modality if m is not base]
    alone = Condition("alone", f"{_NAMES[base]} alone", ALONE, (), lambda s, g: Given())
    in_order = [c for kind in (EMPTY, OWN, AGREEING, VARYING) for c in (*single, *both, *own) if c.kind == kind]
    return [alone, *in_order]


_NAMES = {Modality.TEXT: "words", Modality.AUDIO: "voice", Modality.POSE: "motion"}
_QUIET = ("plain-words", "hiss-40", "still-body")
_UNMOVED = ("plain-words", "speech", "people")
_OTHERS = ("other-words", "other-voice", "other-motion")
_AGREE = ("agreeing-words", "agreeing-voice", "agreeing-motion")


def _sounds(found: Companions) -> list[Condition]:
    def made(f: Callable[..., Array], **how: Any) -> Maker:
        return lambda s, g: Given({Modality.AUDIO: f(SECONDS, _one_of_few(g), **how)})

    def row(name: str, says: str, make: Maker, lacks: str = "", kind: str = EMPTY) -> Condition:
        return Condition(name, says, kind, (Modality.AUDIO,), make, lacks)

    no_voices = "" if found.voices else f"no RAVDESS voices in {found.folder / 'ravdess'}"
    no_clips = "" if found.sounds else f"no clip with sound in {found.folder / 'video'}"
    no_speech = "" if found.speech else "no --speech folder of people who talk without acting"
    coloured = partial(made, make.noise, flavour=EVALUATION)
    return [
        row("silence", "digital silence", lambda s, g: Given({Modality.AUDIO: make.silence(SECONDS)})),
        row("hiss-60", "hiss at −60 dB", made(make.hiss, level=-60.0)),
        row("hiss-40", "hiss at −40 dB", made(make.hiss, level=-40.0)),
        row("noise-40", "noise at −40 dB", coloured(level=-40.0)),
        row("noise-15", "noise at −15 dB", coloured(level=-15.0)),
        row("music", "synthetic music", made(make.music, level=-20.0, flavour=EVALUATION)),
        row("clip-sounds", "sounds of the test clips", _cut(Modality.AUDIO, found.sounds), no_clips),
        row("speech", "speech of the --speech folder", _cut(Modality.AUDIO, found.speech), no_speech),
        row("neutral-voice", "neutral acted voice", _voice(found, NEUTRAL), no_voices),
        row("other-voice", "acted voice of another emotion", _voice(found, OTHER), no_voices),
        row("agreeing-voice", "acted voice that agrees", _voice(found, SAME), no_voices, AGREEING),
        row("voice-in-noise", "agreeing voice in noise, −10 to 30 dB", _noisy_voice(found), no_voices, VARYING),
    ]


def _bodies(found: Companions) -> list[Condition]:
    def made(f: Callable[..., Array]) -> Maker:
        return lambda s, g: Given({Modality.POSE: f(SECONDS, _one_of_few(g), flavour=EVALUATION)})

    def row(name: str, says: str, make: Maker, lacks: str = "", kind: str = EMPTY) -> Condition:
        return Condition(name, says, kind, (Modality.POSE,), make, lacks)

    no_motions = "" if found.motions else f"no Bandai motions in {found.folder / 'pose'}"
    no_people = "" if found.people else f"nobody seen in clips of {found.folder / 'video'}"
    no_signers = "" if found.signers else f"no folder *asl* or *sign* with clips in {found.folder / 'video'}"
    return [
        row("still-body", "body that stands or sits still", made(make.still_body)),
        row("talking-head", "talking head", made(make.talking_head)),
        row("signers", "signers", _cut(Modality.POSE, found.signers), no_signers),
        row("people", "people of the test clips", _cut(Modality.POSE, found.people), no_people),
        row("other-motion", "acted motion of another emotion", _motion(found, OTHER), no_motions),
        row("agreeing-motion", "acted motion that agrees", _motion(found, SAME), no_motions, AGREEING),
        row("shaken-motion", "agreeing motion, shaken, −10 to 30 dB", _shaken(found), no_motions, VARYING),
    ]


def _words(found: Companions) -> list[Condition]:
    def row(name: str, says: str, make: Maker, lacks: str = "", kind: str = EMPTY) -> Condition:
        return Condition(name, says, kind, (Modality.TEXT,), make, lacks)

    no_lines = "" if found.lines else f"no MELD lines in {found.folder / 'meld'}"
    return [
        row("plain-words", "plain words", lambda s, g: Given({Modality.TEXT: _draw(PLAIN_WORDS, g)})),
        row("unknown-words", "words that nobody knows", lambda s, g: Given({Modality.TEXT: _unknown(g)})),
        row("other-words", "line of another emotion", _line(found, OTHER), no_lines),
        row("agreeing-words", "line that agrees", _line(found, SAME), no_lines, AGREEING),
    ]


def _own(m: Modality) -> Condition:
    """What was recorded with the utterance."""

    def make(s: Sample, g: np.random.Generator) -> Given:
        value = recorded(s, m)
        return Given({} if value is None else {m: value})

    return Condition(f"own-{_NAMES[m]}", f"{_NAMES[m]} recorded with it", OWN, (m,), make)


def recorded(s: Sample, m: Modality) -> Any:
    """What a sample brings of a modality, as `Given` has it; None for nothing."""
    value = s.text if m is Modality.TEXT else s.feature(m) if m in s.features else None
    return None if value is None or not len(value) else value


def _both(name: str, says: str, kind: str, parts: Sequence[Condition]) -> Condition:
    def make(s: Sample, g: np.random.Generator) -> Given:
        given = [c.make(s, g).features for c in parts]
        return Given({m: x for f in given for m, x in f.items()} if all(given) else {})

    lacks = "; ".join(dict.fromkeys(c.lacks for c in parts if c.lacks))
    return Condition(name, says, kind, tuple(m for c in parts for m in c.adds), make, lacks)


def _voice(found: Companions, which: str) -> Maker:
    """A clip of an emotion; a speaker keeps the same actor's voice through the dialogue."""

    def make(s: Sample, g: np.random.Generator) -> Given:
        actors = _pool(found.voices, s, which, g)
        if not actors:
            return Given()
        names = sorted(actors)
        actor = names[zlib.crc32(f"{s.dialogue}/{s.speaker}".encode()) % len(names)]
        return Given({Modality.AUDIO: _draw(actors[actor], g)})

    return make


def _noisy_voice(found: Companions) -> Maker:
    voice = _voice(found, SAME)

    def make_it(s: Sample, g: np.random.Generator) -> Given:
        given, snr = voice(s, g), float(g.uniform(*SNR))
        if not given.features:
            return given
        background = make.noise(SECONDS, g, level=-30.0, flavour=EVALUATION)
        return Given({Modality.AUDIO: make.mix(given.features[Modality.AUDIO], background, snr)}, snr)

    return make_it


def _motion(found: Companions, which: str) -> Maker:
    def make(s: Sample, g: np.random.Generator) -> Given:
        motions = _pool(found.motions, s, which, g)
        return Given({Modality.POSE: _draw(motions, g)}) if motions else Given()

    return make


def _shaken(found: Companions) -> Maker:
    motion = _motion(found, SAME)

    def make_it(s: Sample, g: np.random.Generator) -> Given:
        given, snr = motion(s, g), float(g.uniform(*SNR))
        if not given.features:
            return given
        return Given({Modality.POSE: make.shaken(given.features[Modality.POSE], g, snr)}, snr)

    return make_it


def _line(found: Companions, which: str) -> Maker:
    def make(s: Sample, g: np.random.Generator) -> Given:
        lines = _pool(found.lines, s, which, g)
        return Given({Modality.TEXT: _draw(lines, g)}) if lines else Given()

    return make


def _cut(m: Modality, sources: Sequence[Array]) -> Maker:
    """Three seconds of one of the recordings."""
    rate = SAMPLE_RATE if m is Modality.AUDIO else RATE

    def make(s: Sample, g: np.random.Generator) -> Given:
        source, length = _draw(sources, g), round(SECONDS * rate)
        step = round(0.2 * rate)
        first = step * int(g.integers(max(1, (len(source) - length) // step + 1)))
        return Given({m: source[first : first + length]})

    return make


def _one_of_few(g: np.random.Generator) -> np.random.Generator:
    """The seed of one of sixty-four sounds or bodies of a kind: what is heard of each is computed once."""
    return np.random.default_rng(int(g.integers(64)))


def _unknown(g: np.random.Generator) -> str:
    """Words of letters drawn at random."""
    letters = np.array(list("bcdfghjklmnpqrstvwxz"))
    return " ".join("".join(g.choice(letters, 7)) for _ in range(5))


def _pool(by_emotion: Mapping[str, T], s: Sample, which: str, g: np.random.Generator) -> T | None:
    """What there is of an emotion that agrees with the utterance's, differs from it, or is neutral."""
    own = EMOTIONS[s.label] if s.label >= 0 else None
    fits = {SAME: lambda e: e == own, OTHER: lambda e: e != own, NEUTRAL: lambda e: e == NEUTRAL}[which]
    names = [e for e in EMOTIONS if by_emotion.get(e) and fits(e)]
    return by_emotion[names[g.integers(len(names))]] if names else None


def _draw(pool: Sequence[T], g: np.random.Generator) -> T:
    return pool[int(g.integers(len(pool)))]
