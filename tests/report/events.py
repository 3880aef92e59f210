"""An utterance as the recogniser yields it, for tests of what is written of it."""

from emoje_edge import EMOTIONS
from emoje_edge.report.writers import STAGES
from emoje_edge.utterance_emotion import UtteranceEmotion


def make_event(
    start: float = 1.0, *, speaker: str | None = "ROSS", empty: bool = False, text: str | None = None
) -> UtteranceEmotion:
    shares = dict.fromkeys(EMOTIONS, 0.05) | {"joy": 0.7}
    return UtteranceEmotion(
        source="talk.mp4",
        start=start,
        end=start + 1.5,
        speaker=speaker,
        emotion=None if empty else "joy",
        probabilities={} if empty else shares,
        modalities=() if empty else ("text", "pose"),
        weights={} if empty else {"text": 0.75, "pose": 0.25},
        latency_ms=dict.fromkeys(STAGES, 1.25),
        text=text,
        text_from="recognised" if text else None,
        text_confidence=0.875 if text else None,
        confidence=None if empty else 0.7,
        reason="no_speech" if empty else None,
    )
