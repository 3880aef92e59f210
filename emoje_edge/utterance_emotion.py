"""What is known of one utterance: the event that a recognizer yields, and the row that is written of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class UtteranceEmotion:
    """What is known of one utterance.

    Attributes:
        source: as it was given; of an address without user, password and query values.
        start, end: s.
        speaker: name from the subtitles, None where unknown.
        emotion: the most probable label; None where nothing was said, heard or seen that can be understood, or where
            it is less sure than `min_confidence`.
        probabilities: of every label, sum 1; empty where nothing was understood.
        modalities: what the decision rests on, of text, audio, pose; empty where nothing was understood.
        weights: share of each of those modalities, sum 1.
        latency_ms: computing time of `pose`, `audio`, `text`, `engine` and their `total`, ms; 0 where not used.
        text: what was said; None where nobody tells.
        text_from: `"subtitles"`, `"recognised"` (on this device) or `"given"`; None without text.
        text_confidence: 0 to 1 of recognised words; None for others.
        confidence: the probability of that label; None without an emotion, except where it was withheld.
        reason: without an emotion: why, as a code of `emoje_edge.understood`.
        model: name of the model that answered; None where nothing was understood.
        person: number of the body that it is of, where several are followed; a cut makes everybody new.
        live: of a live stream: `time` (UTC) of the start, `lag_ms` from the end to now, `dropped_pictures`, `pose_fps`
            and `reconnects` so far.
        final: whether the utterance is over; else this is what is known up to now, and more comes.
    """

    source: str
    start: float
    end: float
    speaker: str | None
    emotion: str | None
    probabilities: dict[str, float]
    modalities: tuple[str, ...]
    weights: dict[str, float]
    latency_ms: dict[str, float]
    text: str | None = None
    text_from: str | None = None
    text_confidence: float | None = None
    confidence: float | None = None
    reason: str | None = None
    model: str | None = None
    person: int | None = None
    live: Mapping[str, Any] | None = None
    final: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The row of a JSONL file: plain types, rounded (s and ms to 3 and 2 digits, shares to 4)."""
        return {
            "source": self.source,
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "speaker": self.speaker,
            **({} if self.person is None else {"person": self.person}),
            "text": self.text,
            "text_from": self.text_from,
            "text_confidence": None if self.text_confidence is None else round(self.text_confidence, 4),
            "emotion": self.emotion,
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "reason": self.reason,
            "model": self.model,
            "probabilities": {k: round(v, 4) for k, v in self.probabilities.items()},
            "modalities": list(self.modalities),
            "weights": {k: round(v, 4) for k, v in self.weights.items()},
            **({} if self.final else {"final": False}),
            **(self.live or {}),
            "latency_ms": {k: round(v, 2) for k, v in self.latency_ms.items()},
        }
