"""Recorded material that an evaluation puts beside utterances: voices, motions, clips and lines of other people.

Read from one folder that holds the data sets as they come: `ravdess/`, `pose/`, `video/` and `meld/`.  What is not
there is left empty.  Nothing that the shipped model was trained on is taken (`unseen`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.modality import Modality
from emoje_edge.perception.media import probe
from emoje_edge.training.datasets import Corpus, Lazy, Options, Sample, open_dataset
from emoje_edge.training.datasets.raw import clip_features, read_samples
from emoje_edge.training.labels import to_emotions

Array = NDArray[np.float32]
PICTURES = (".avi", ".mkv", ".mov", ".mp4", ".webm")
MEDIA = (*PICTURES, ".flac", ".mp3", ".ogg", ".wav")
VIEWS = 8  # cameras a motion

# What the shipped model was trained on, by the name of the data set; see the model card.
_CONTENTS = {"bow", "bye", "call", "dance-short", "kick", "punch", "respond", "run", "slash", "walk", "walk-right"}
_SEEN: dict[str, Callable[[Sample], bool]] = {
    "meld": lambda s: s.split == "train",
    "goemotions": lambda s: s.split == "train",
    "emorynlp": lambda s: s.split == "train",
    "ravdess": lambda s: s.group <= "actor16",
    "bandai": lambda s: s.group in _CONTENTS,
}


@dataclass(frozen=True)
class Companions:
    """Material by kind; sounds float32 [N] at 16 kHz, bodies float32 [T, 13, 3] at 12.5 Hz.

    Attributes:
        folder: that it was read from, for messages.
        voices: actors saying one of two sentences, by emotion and actor.
        motions: of one performer through random cameras, by emotion.
        lines: what was said in conversations, by emotion.
        sounds, people: of the clips in `video/`.
        signers: of clips in a folder of sign language (`video/*asl*`, `video/*sign*`).
        speech: recordings of people who talk without acting, where such a folder was given.
    """

    folder: Path
    voices: dict[str, dict[str, list[Array]]] = field(default_factory=dict)
    motions: dict[str, list[Array]] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    sounds: list[Array] = field(default_factory=list)
    people: list[Array] = field(default_factory=list)
    signers: list[Array] = field(default_factory=list)
    speech: list[Array] = field(default_factory=list)


def unseen(corpus: Corpus) -> Corpus:
    """The part that the shipped model was not trained on; all of a data set that it never saw.

    Raises:
        UsageError: nothing is left.
    """
    seen = _SEEN.get(corpus.name)
    part = corpus if seen is None else corpus.keep(lambda s: not seen(s))
    if not part.samples:
        raise UsageError(
            f"{corpus.name}: the shipped model was trained on all of this",
            "give another part of the data set, or --split all to measure on it nevertheless",
        )
    return part


def read_companions(
    folder: Path, *, speech: Path | None = None, cache: Path | None = None, clips: bool = True
) -> Companions:
    """What there is in a folder.

    Args:
        clips: also what is heard and seen in `video/`; its bodies have to be found first, which takes a minute.
        speech: a folder of recordings in which people talk without acting.
        cache: of landmarks found in the clips.

    Raises:
        UsageError: `speech` holds no recording.
        WorkError: a file that is damaged.
    """
    options = Options(cache=cache, views=VIEWS, samples=True)
    voices, motions, lines = (
        _unseen(name, folder / place, options)
        for name, place in (("ravdess", "ravdess"), ("bandai", "pose"), ("meld", "meld"))
    )
    films = _media(folder / "video") if clips else []
    signing = [p for kind in ("*asl*", "*sign*") for f in sorted((folder / "video").glob(kind)) for p in _media(f)]
    talks = _media(speech) if speech else []
    if speech and not talks:
        raise UsageError(f"no recording in {speech}", f"give a folder with files that end in {' '.join(MEDIA)}")
    return Companions(
        folder,
        voices=_by_actor(voices),
        motions=_by_emotion(motions),
        lines={e: [s.text for s in lines if s.text and EMOTIONS[s.label] == e] for e in EMOTIONS},
        sounds=_sounds(films),
        people=_bodies(films, options),
        signers=_bodies(signing, options) if clips else [],
        speech=_sounds(talks),
    )


def _unseen(name: str, folder: Path, options: Options) -> Sequence[Sample]:
    """Labelled samples under the seven emotions; none where the data set is not there."""
    try:
        corpus = unseen(to_emotions(open_dataset(name, folder, options=options)))
    except UsageError:
        return ()
    return [s for s in corpus.samples if s.label >= 0]


def _media(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in MEDIA) if folder.is_dir() else []


def _sounds(paths: Sequence[Path]) -> list[Array]:
    """What is heard in each; clips without sound are left out."""
    found = [read_samples(p) for p in paths if p.suffix.lower() not in PICTURES or probe(p).has_audio]
    return [x for x in found if len(x)]


def _bodies(paths: Sequence[Path], options: Options) -> list[Array]:
    """Landmarks of every clip in which somebody is seen."""
    found = [clip_features(path, options).get(Modality.POSE) for path in paths]
    bodies = [feature() for feature in found if isinstance(feature, Lazy)]
    return [body for body in bodies if body[..., 2].any()]


def _by_actor(samples: Sequence[Sample]) -> dict[str, dict[str, list[Array]]]:
    found: dict[str, dict[str, list[Array]]] = {}
    for s in samples:
        found.setdefault(EMOTIONS[s.label], {}).setdefault(s.group, []).append(s.feature(Modality.AUDIO))
    return found


def _by_emotion(samples: Sequence[Sample]) -> dict[str, list[Array]]:
    found: dict[str, list[Array]] = {}
    for s in samples:
        found.setdefault(EMOTIONS[s.label], []).append(s.feature(Modality.POSE))
    return found
