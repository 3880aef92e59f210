"""The one table of labels: each dataset's own classes -> the seven emotions of MELD, or None where none of them fits.

Utterances of a class that maps to None keep their place in the dialogue as context, but neither train nor count.
"""

from __future__ import annotations

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.training.datasets.base import UNLABELLED, Corpus

_SAME: dict[str, str | None] = {emotion: emotion for emotion in EMOTIONS}

# fmt: off
TABLE: dict[str, dict[str, str | None]] = {
    "meld": _SAME,
    # Ekman's grouping of the 27 labels, made by the corpus' authors; it is MELD's list
    "goemotions": _SAME,
    "emorynlp": {
        "joyful": "joy",
        "mad": "anger",
        "neutral": "neutral",
        "sad": "sadness",
        "scared": "fear",
        "peaceful": None,      # content, thankful, trusting: MELD calls such lines joy or neutral, about as often
        "powerful": None,      # proud, confident, respected: no emotion of the seven
    },
    "iemocap": {
        "happy": "joy",
        "excited": "joy",      # high arousal, positive; the four-way task joins it to happy too
        "sad": "sadness",
        "neutral": "neutral",
        "angry": "anger",
        "frustrated": "anger",  # the corpus' own raters take the two for each other most often
    },
    "ravdess": {
        "neutral": "neutral",
        "calm": "neutral",     # recorded as a second neutral baseline (Livingstone and Russo 2018)
        "happy": "joy",
        "sad": "sadness",
        "angry": "anger",
        "fearful": "fear",
        "disgust": "disgust",
        "surprised": "surprise",
    },
    # polarity of an opinion, not an emotion
    "mosi": {"negative": None, "positive": None},
    "bandai": {
        "angry": "anger",
        "happy": "joy",
        "normal": "neutral",
        "sad": "sadness",
        "tired": None,         # a bodily state; low and slow as sadness, but not meant as one
    },
    "kinect": {
        "Angry": "anger",
        "Happy": "joy",
        "Normal": "neutral",
        "Reflexive": None,     # a manner of moving
        "Sad": "sadness",
        "Surprised": "surprise",
    },
}
# Pairs and features of a set have that set's labels.
TABLE["ravdess-au"] = TABLE["ravdess"]
TABLE["meld-features"] = TABLE["meld"]

# Words that people give these emotions in data of their own.
WORDS: dict[str, str] = {
    "angry": "anger", "mad": "anger", "rage": "anger", "frustrated": "anger", "annoyed": "anger",
    "disgusted": "disgust",
    "afraid": "fear", "fearful": "fear", "scared": "fear", "anxious": "fear",
    "happy": "joy", "happiness": "joy", "joyful": "joy", "excited": "joy", "amused": "joy",
    "calm": "neutral", "none": "neutral", "normal": "neutral",
    "sad": "sadness", "unhappy": "sadness",
    "surprised": "surprise",
}
# fmt: on


def mapping(corpus: Corpus) -> dict[str, str | None]:
    """Class -> emotion for a corpus: its dataset's row of the table, else the words that everybody uses.

    Raises:
        UsageError: a class that neither knows.
    """
    row = TABLE.get(corpus.name, {})
    known = {**WORDS, **_SAME}
    found = {name: row.get(name, known.get(name.lower())) for name in corpus.classes}
    unknown = [name for name in corpus.classes if name not in row and name.lower() not in known]
    if unknown:
        raise UsageError(
            f"{corpus.name}: no emotion for the label {unknown[0]!r}",
            f"use {', '.join(EMOTIONS)}, or train and evaluate on your own classes (--labels native)",
        )
    return found


def to_emotions(corpus: Corpus) -> Corpus:
    """The corpus with the seven emotions as its classes, by the table."""
    return corpus if corpus.classes == EMOTIONS else corpus.relabelled(EMOTIONS, mapping(corpus))


def fit_classes(corpus: Corpus, classes: tuple[str, ...]) -> Corpus:
    """The corpus under a model's classes: as it is, in another order, or mapped onto the seven emotions.

    Raises:
        UsageError: the two have nothing to do with each other.
    """
    if corpus.classes == classes:
        return corpus
    if set(corpus.classes) <= set(classes):
        return corpus.relabelled(classes, {name: name for name in corpus.classes})
    if set(EMOTIONS) <= set(classes):
        mapped = to_emotions(corpus).relabelled(classes, dict(_SAME))
        if any(s.label != UNLABELLED for s in mapped.samples):
            return mapped
    raise UsageError(
        f"{corpus.name} has the classes {', '.join(corpus.classes)}; the model has {', '.join(classes)}",
        "evaluate a model that was trained on these classes (--model RUN)",
    )
