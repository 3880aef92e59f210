"""Words of utterances found in a thread of its own, so that decoding and bodies go on meanwhile."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import EmojeError, WorkError
from emoje_edge.perception.transcribe import Transcriber, Words

ENGLISH = "en"  # what the text engines were trained on
# s of sound before an utterance that help to understand its first word
CONTEXT = 0.2


class BackgroundTranscriber:
    """Writes down one utterance after the other, in the order in which they were given.

    Args:
        make: opens the model; called in the thread, since that takes as long as decoding some seconds.
    """

    def __init__(self, make: Callable[[], Transcriber]) -> None:
        self._pool = ThreadPoolExecutor(1, "words")
        self._model = self._pool.submit(make)

    def submit(self, samples: NDArray[np.float32]) -> Future[tuple[Words, float]]:
        """Take up an utterance (float32 [N], mono at 16 kHz); its words, and the milliseconds that they took."""
        return self._pool.submit(self._transcribe, samples)

    def close(self) -> None:
        """Leave off as soon as the utterance at hand is done."""
        self._pool.shutdown(cancel_futures=True)

    def _transcribe(self, samples: NDArray[np.float32]) -> tuple[Words, float]:
        model = self._model.result()
        begin = clock.perf_counter()
        try:
            words = model.transcribe(samples)
        except EmojeError:
            raise
        except Exception as error:  # CTranslate2's errors are bare
            raise WorkError(f"words could not be recognised: {error}", "try without: --words off") from error
        return words, 1e3 * (clock.perf_counter() - begin)
