"""What `infer` says, once a source, of speech whose words it does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from emoje_edge.modality import Modality

if TYPE_CHECKING:
    from emoje_edge.perception.perceive import Perceived
    from emoje_edge.recognizer import Recognizer

_UNSURE = 3  # utterances without sure words, and none with, after which that is said


class WordNotes:
    """Watches a source's utterances.

    Args:
        say: prints a line.
        recognizer: whose words they are.
    """

    def __init__(self, say: Callable[[str], None], recognizer: Recognizer) -> None:
        self._say, self._recognizer = say, recognizer
        self._said: set[str] = set()
        self._sure = self._unsure = 0

    def observe(self, seen: Perceived) -> None:
        """Look at one utterance; says what is to be said."""
        if not seen.spoken or seen.text_from == "subtitles" or Modality.TEXT not in self._recognizer.mask:
            return
        if seen.words is None:
            self._once(self._why_none())
            return
        if seen.text is None:
            self._unsure += 1
        else:
            self._sure += 1
        if seen.text is not None and Modality.TEXT not in seen.features:
            self._once(
                f"Speech in {seen.words.language!r}: written down, and not judged by its words, which are English."
            )
        if self._unsure >= _UNSURE and not self._sure:
            self._once(
                "Speech, but no words of which the model is sure: another language than English, or too unclear.\n"
                "  give subtitles with --text, or another model with --words (emoje-edge models add FOLDER)"
            )

    def _why_none(self) -> str:
        from emoje_edge.perception.transcribe import NO_WHEEL

        if self._recognizer.words_off:
            return "Speech without words, since --words is off: emotions rest on voice and body."
        return (
            f"Speech without words, since ctranslate2 is not installed: emotions rest on voice and body.\n  {NO_WHEEL}"
        )

    def _once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            self._say(words)
