"""The memory of one conversation: what the engines carry from utterance to utterance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass
class DialogueState:
    """One conversation so far: kept between utterances, whatever their modalities.

    Attributes:
        vector: [1, S] float32 of the last engine; None before the first utterance.
        speaker: who spoke in the utterance before, None where unknown.
        voices: [1, D + 1] float32 by speaker, what is known of their voices: each is heard against its own baseline.
            Who has no name is heard as somebody new.
    """

    vector: NDArray[np.float32] | None = None
    speaker: str | None = None
    voices: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    _said: bytes = b""
    _past: DialogueState | None = field(default=None, repr=False)

    def before(self, said: bytes) -> DialogueState:
        """What an utterance is heard after: this state, or the one before it where the last utterance was the same.

        The same evidence again is no new evidence: a line that is repeated, a clip that loops, gives the same answer
        each time instead of confirming itself.

        Args:
            said: tells one utterance's evidence from another's.
        """
        if self._past is not None and said == self._said:
            return self._past
        return DialogueState(self.vector, self.speaker, dict(self.voices))

    def move_on(
        self,
        said: bytes,
        past: DialogueState,
        vector: NDArray[np.float32],
        speaker: str | None,
        voice: NDArray[np.float32] | None,
    ) -> None:
        """Take in an utterance that was heard after `past`."""
        self.vector, self.speaker, self.voices = vector, speaker, dict(past.voices)
        if speaker is not None and voice is not None:
            self.voices[speaker] = voice
        self._said, self._past = said, past

    def turn(self, speaker: str | None) -> float:
        """The engine's speaker flag: 1 another speaker than before, 0 the same, 0.5 unknown."""
        if speaker is None or self.speaker is None:
            return 0.5
        return float(speaker != self.speaker)
