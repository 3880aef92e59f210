"""Whether anything in a modality can be understood, and the code that a row gives as its `reason` where nothing can.

A hum has no voice and garbled letters have no words: they are no evidence of an emotion, and the engine never sees
them.  Codes: `unknown_words`, `no_speech`, `silence`, `nobody_seen`, `no_words`, `nothing`; and `not_sure` for an
answer below the least confidence that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from emoje_edge.modality import Modality

LEAST_KNOWN = 0.5  # of the words; 5 of 1,109 lines of MELD's dev part have less
# Of the sound: noise, hiss and music reach .02; .09 is the least of 240 clips of actors who speak, shout and sob.
LEAST_SPEECH = 0.05
NOT_SURE = "not_sure"
# why a modality that was offered gave no feature at all
ABSENT = {Modality.TEXT: "no_words", Modality.AUDIO: "silence", Modality.POSE: "nobody_seen"}
_ORDER = ("unknown_words", "no_speech", "silence", "nobody_seen", "no_words")


def reason_not_understood(modality: Modality, quality: NDArray[np.float32]) -> str | None:
    """Why nothing in a modality can be understood; None where something can.

    Args:
        quality: [2] as `emoje_edge.perception.quality` gives it.
    """
    if modality is Modality.TEXT and quality[0] < LEAST_KNOWN:
        return "unknown_words"
    if modality is Modality.AUDIO and quality[0] < LEAST_SPEECH:
        return "no_speech"
    if modality is Modality.POSE and quality[0] <= 0.0:
        return "nobody_seen"
    return None


def reason_for_no_emotion(lacks: Mapping[Modality, str]) -> str:
    """The `reason` of a row without an emotion, from why each modality that the source has tells nothing."""
    return next((code for code in _ORDER if code in lacks.values()), "nothing")
