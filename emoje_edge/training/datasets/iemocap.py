"""IEMOCAP (Busso et al., 2008) in its official layout: five sessions of two actors, dialogue by dialogue.

    SessionN/dialog/EmoEvaluation/Ses01F_impro01.txt      [start - end]  utterance  label  [valence, arousal, dominance]
    SessionN/dialog/transcriptions/Ses01F_impro01.txt     utterance [start-end]: words
    SessionN/sentences/wav/Ses01F_impro01/….wav           sound, where it is there

Splits are by session, as everybody's: 1 to 4 train, 5 test; `k_fold` leaves whole sessions out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.training.datasets.base import UNLABELLED, Corpus, Feature, Sample
from emoje_edge.training.datasets.options import Options
from emoje_edge.training.datasets.raw import sound_feature
from emoje_edge.training.datasets.tables import read_text

SIX = ("happy", "sad", "neutral", "angry", "excited", "frustrated")
FOUR = ("angry", "happy", "neutral", "sad")
_CODES = {"hap": "happy", "sad": "sad", "neu": "neutral", "ang": "angry", "exc": "excited", "fru": "frustrated"}
# Official codes outside both tasks; xxx is "the raters did not agree".
_OTHERS = {"fea", "sur", "dis", "oth", "xxx"}
_SUMMARY = re.compile(r"^\[(\d+\.\d+) - (\d+\.\d+)\]\s+(\S+)\s+(\w{3})\s+\[")
_WORDS = re.compile(r"^(\S+) \[\d+\.\d+-\d+\.\d+\]:\s*(.*)$")


def load(root: Path, options: Options) -> Corpus:
    """Read text and sound.  Utterances of other labels stay in their dialogue as context, unlabelled.

    Raises:
        UsageError: no sessions, an evaluation without transcription, an unknown label, a wav that is not there.
    """
    if options.ways not in (4, 6):
        raise UsageError(f"IEMOCAP {options.ways}-way", "allowed: 4, 6")
    classes = FOUR if options.ways == 4 else SIX
    sessions = sorted(p for p in root.glob("Session[1-5]") if p.is_dir()) or [root]
    samples: list[Sample] = []
    for session in sessions:
        evaluations = sorted((session / "dialog" / "EmoEvaluation").glob("Ses*.txt"))
        if not evaluations:
            raise UsageError(
                f"{session}: no dialog/EmoEvaluation/Ses*.txt", "give IEMOCAP_full_release, or one SessionN of it"
            )
        for path in evaluations:
            samples += _dialogue(session, path, classes, options)
    return Corpus("iemocap", classes, tuple(samples))


def _dialogue(session: Path, path: Path, classes: tuple[str, ...], options: Options) -> list[Sample]:
    words = _transcription(session / "dialog" / "transcriptions" / path.name)
    sounds = session / "sentences" / "wav" / path.stem
    found: list[tuple[float, Sample]] = []
    for row, line in enumerate(read_text(path).splitlines(), 1):
        match = _SUMMARY.match(line)
        if not match:
            continue
        start, _, name, code = match.groups()
        source = f"{path} row {row}"
        if name not in words:
            raise UsageError(f"{source}: {name} has no line in the transcription", "take both files of one release")
        features: dict[Modality, Feature] = {}
        if sounds.is_dir():
            wav = sounds / f"{name}.wav"
            if not wav.is_file():
                raise UsageError(f"{source}: the clip {wav} is not there", f"move {sounds} away to use text only")
            features[Modality.AUDIO] = sound_feature(wav, options)
        sample = Sample(
            dialogue=path.stem,
            index=0,
            label=_label(code, classes, source),
            speaker=f"{session.name}{name.rsplit('_', 1)[1][:1]}",
            text=words[name] or None,
            features=features,
            group=session.name,
            split="test" if session.name.endswith("5") else "train",
            source=source,
        )
        found.append((float(start), sample))
    return _numbered(found)


def _numbered(found: list[tuple[float, Sample]]) -> list[Sample]:
    """Utterances in the order of time: the evaluation files list them so, but overlapping speech may differ."""
    return [replace(s, index=i) for i, (_, s) in enumerate(sorted(found, key=lambda pair: pair[0]))]


def _transcription(path: Path) -> dict[str, str]:
    matches = (_WORDS.match(line) for line in read_text(path).splitlines())
    return {m[1]: m[2].strip() for m in matches if m}


def _label(code: str, classes: tuple[str, ...], source: str) -> int:
    if code not in _CODES and code not in _OTHERS:
        raise UsageError(f"{source}: unknown label {code!r}", f"allowed: {', '.join((*_CODES, *sorted(_OTHERS)))}")
    name = _CODES.get(code)
    if len(classes) == 4:
        # happy and excited are one class there
        name = {"excited": "happy", "frustrated": None}.get(name or "", name)
    return classes.index(name) if name else UNLABELLED
