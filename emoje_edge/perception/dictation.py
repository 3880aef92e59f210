"""The words of utterances as these come: each sound is written down once, and that of a pause before it is over."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass

from emoje_edge.perception.background_transcriber import CONTEXT, BackgroundTranscriber
from emoje_edge.perception.segmentation import Segmenter, Utterance
from emoje_edge.perception.sound_buffer import SoundBuffer
from emoje_edge.perception.transcribe import Words

# The words of an utterance, and the milliseconds that they took, once they are there.
PendingWords = Future[tuple[Words, float]]
_PAUSE = 0.2  # s of silence in which a live utterance is written down, in case that it is over


class Dictation:
    """Args:
    transcriber: writes down words; None: nobody does.
    sound: what was heard lately; None without sound.
    early: write down what a pause may have ended, so that the words are there as soon as it is known to be over; costs
        a writing in vain where the speaker goes on.
    """

    def __init__(
        self, transcriber: BackgroundTranscriber | None, sound: SoundBuffer | None, *, early: bool = False
    ) -> None:
        self._transcriber, self._sound, self._early = transcriber, sound, early
        self._listened = -math.inf  # s, up to which words were looked for
        self._guess: tuple[Utterance, PendingWords] | None = None

    def words_of(self, utterance: Utterance) -> PendingWords | None:
        """The words of an utterance that is over; None where nobody tells them, or a cue does."""
        if not utterance.spoken or utterance.text is not None:
            return None
        guess, self._guess = self._guess, None
        found = guess[1] if guess and guess[0] == utterance else self.words_so_far(utterance)
        self._listened = utterance.end
        return found

    def words_so_far(self, utterance: Utterance) -> PendingWords | None:
        """The words of an utterance that may go on."""
        if self._transcriber is None or self._sound is None:
            return None
        # nothing twice: half a word of a voice that was cut makes Whisper mix up the sentences
        start = max(utterance.start - CONTEXT, self._listened)
        return self._transcriber.submit(self._sound.take(start, utterance.end))

    def pause(self, utterance: Utterance | None) -> None:
        """The utterance that is open, up to where somebody was last heard to speak: write it down if it may be over."""
        if not self._early or utterance is None or self._sound is None or self._transcriber is None:
            return
        if self._sound.until - utterance.end >= _PAUSE and (self._guess is None or self._guess[0] != utterance):
            found = self.words_so_far(utterance)
            assert found is not None
            self._guess = utterance, found


@dataclass
class Partials:
    """Every so many seconds, the utterance that is open.

    Args:
        every: s.
        dictation: writes down its words.
    """

    every: float
    dictation: Dictation
    _next: float = math.inf
    _start: float = math.nan
    _waiting: tuple[Utterance, PendingWords | None] | None = None

    def due(self, segmenter: Segmenter, now: float) -> tuple[Utterance, PendingWords | None] | None:
        """What is to be told at this time (s): the open utterance so far, and its words; None for nothing."""
        open_now = segmenter.open_utterance
        if open_now is None or open_now.start != self._start:  # another one, or none
            self._start = open_now.start if open_now else math.nan
            self._next, self._waiting = self._start + self.every if open_now else math.inf, None
            return None
        if self._waiting is None and now >= self._next:
            self._next = now + self.every
            self._waiting = open_now, self.dictation.words_so_far(open_now)
        if self._waiting is None or not (self._waiting[1] is None or self._waiting[1].done()):
            return None
        told, self._waiting = self._waiting, None
        return told
