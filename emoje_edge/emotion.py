"""The seven emotions of MELD, which are Ekman's six and neutral, in the order of every shipped engine's logits."""

from __future__ import annotations

import math
from collections.abc import Sequence

EMOTIONS: tuple[str, ...] = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")

# How often each is in conversations: shares of MELD's training lines (9,989 of them).
IN_CONVERSATION = dict(zip(EMOTIONS, (0.111, 0.027, 0.027, 0.175, 0.471, 0.068, 0.121), strict=True))


def conversational(labels: Sequence[str]) -> list[float]:
    """Log-odds [C] of each label in conversation against all being alike; zeros for labels other than the seven."""
    if set(labels) != set(EMOTIONS):
        return [0.0] * len(labels)
    return [math.log(len(EMOTIONS) * IN_CONVERSATION[label]) for label in labels]
