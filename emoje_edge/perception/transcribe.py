"""Words of an utterance: Whisper (Radford et al., 2022, arXiv 2212.04356) through CTranslate2, on the device.

One utterance a call, greedy, nothing carried over from the one before: a mistake does not spread.  The encoder is given
15 s, the utterance and silence.  That is half of what Whisper was trained on, and half the time; less is a trap: with
5 s of window the words are wrong and their scores are good (word error rate 1.07, and .02 with 15 s).

Whisper says something to every noise.  What it says counts only where it is sure by three measures of its own.
"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.audio import HOP, SAMPLE_RATE
from emoje_edge.perception.whisper_tokens import WhisperTokens
from emoje_edge.perception.word_model_files import HINT, check
from emoje_edge.shipped import WHISPER

WINDOW, LONGEST = 15.0, 30.0  # s that the encoder is given: usually; for a sound that does not fit
# What is kept: Whisper's own limits for silence and for repetition, and a mean log probability a token that
# none of 200 acted sentences missed.
MOST_SILENT, LEAST_LOGPROB, MOST_COMPRESSION = 0.6, -0.8, 2.4
_TOKENS_PER_SECOND, _TOKENS = 8.0, 224  # nobody speaks faster: ends a loop; the decoder's half of its positions
_FFT, _BANDS_BREAK_HZ = 400, 1000.0


@dataclass(frozen=True)
class Words:
    """What was heard in one utterance.

    Attributes:
        text: what the model wrote down, whether it counts or not; may be empty.
        logprob: mean a token, natural; 0 is certain.
        no_speech: 0 to 1, the model's own doubt whether anybody speaks.
        compression: length over its length zipped; high where words repeat themselves.
        language: ISO 639 code, `"en"` for an English-only model.
        language_probability: 0 to 1; 1 where it was given or the model knows one only.
    """

    text: str
    logprob: float
    no_speech: float
    compression: float
    language: str = "en"
    language_probability: float = 1.0

    @property
    def sure(self) -> bool:
        """Whether these are words that somebody said."""
        return (
            any(letter.isalnum() for letter in self.text)
            and self.no_speech <= MOST_SILENT
            and self.logprob >= LEAST_LOGPROB
            and self.compression <= MOST_COMPRESSION
        )

    @property
    def confidence(self) -> float:
        """0 to 1: the geometric mean of the tokens' probabilities."""
        return math.exp(min(self.logprob, 0.0))


class Transcriber:
    """A Whisper model of any size in CTranslate2's form; calls may come from any number of threads.

    Args:
        folder: holds `model.bin`, `config.json` and `tokenizer.json`.
        language: ISO 639 code of what is spoken; None: found for each utterance.  An English-only model takes English.
        threads: of CTranslate2.

    Raises:
        UsageError: no such folder, no Whisper model in it, or a language that the model does not know.
        WorkError: CTranslate2 is missing, or the model is damaged or not the one that was added.
    """

    def __init__(self, folder: str | Path = WHISPER, *, language: str | None = None, threads: int = 1) -> None:
        self.folder = Path(folder)
        self._model, self._tokens = _open(self.folder, threads)
        self.multilingual = bool(self._model.is_multilingual)
        self.language = self._checked(language)
        self._bands = int(self._model.n_mels)
        self._end = self._token("<|endoftext|>")

    def transcribe(self, samples: NDArray[np.float32]) -> Words:
        """The words in a sound.

        Args:
            samples: float32 [N], mono at 16 kHz, full scale 1; what lies beyond 30 s is not heard.
        """
        import ctranslate2

        samples = samples[: round(LONGEST * SAMPLE_RATE)]
        seconds = samples.size / SAMPLE_RATE
        mel = log_mel(samples, WINDOW if seconds <= WINDOW else LONGEST, self._bands)
        encoded = self._model.encode(ctranslate2.StorageView.from_array(mel[None]))
        prompt, language, probability = self._prompt(encoded)
        room = min(_TOKENS, int(_TOKENS_PER_SECOND * seconds) + 10)
        found = self._model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=room + len(prompt),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        text = self._tokens.decode([i for i in found.sequences_ids[0] if i < self._end]).strip()
        raw = text.encode()
        compression = len(raw) / len(zlib.compress(raw)) if raw else 0.0
        return Words(text, float(found.scores[0]), float(found.no_speech_prob), compression, language, probability)

    def _prompt(self, encoded: Any) -> tuple[list[int], str, float]:
        """The tokens before the first word; which language, and how sure that is."""
        start, plain = self._token("<|startoftranscript|>"), self._token("<|notimestamps|>")
        if not self.multilingual:
            return [start, plain], "en", 1.0
        language, probability = self.language, 1.0
        if language is None:
            name, probability = self._model.detect_language(encoded)[0][0]
            language = str(name).strip("<|>")
        return [start, self._token(f"<|{language}|>"), self._token("<|transcribe|>"), plain], language, probability

    def _token(self, name: str) -> int:
        found = self._tokens.id_of(name)
        assert found is not None  # of every Whisper
        return found

    def _checked(self, language: str | None) -> str | None:
        if language is None:
            return None
        code = language.strip().lower()
        if not self.multilingual and code != "en":
            raise UsageError(
                f"--language {language}: the model {self.folder.name} knows English only",
                "add a multilingual Whisper model: emoje-edge models add FOLDER, then --words NAME",
            )
        if self.multilingual and self._tokens.id_of(f"<|{code}|>") is None:
            raise UsageError(f"--language {language}: unknown to {self.folder.name}", "give a code such as en, de, fr")
        return code


def log_mel(samples: NDArray[np.float32], seconds: float, bands: int = 80) -> NDArray[np.float32]:
    """Whisper's own features: log10 of mel energies within 8 of their highest, shifted and scaled.

    Not the log-mel of `perception.audio`, which our audio encoder was trained on.

    Args:
        samples: float32 [N <= 16000 * seconds], mono at 16 kHz; silence makes up the rest.

    Returns:
        float32 [bands, 100 * seconds], contiguous.
    """
    length = round(seconds * SAMPLE_RATE)
    padded = np.zeros(length, dtype=np.float32)
    padded[: samples.size] = np.nan_to_num(samples[:length], nan=0.0, posinf=0.0, neginf=0.0)
    padded = np.pad(padded, _FFT // 2, mode="reflect")
    # [F, 400]; the last frame is dropped, as Whisper does
    frames = sliding_window_view(padded, _FFT)[::HOP][: length // HOP]
    spectrum = np.fft.rfft(frames * np.hanning(_FFT + 1)[:-1].astype(np.float32), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    mel = np.log10(np.maximum(power @ mel_filters(bands), 1e-10)).T
    return np.ascontiguousarray((np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0, dtype=np.float32)


@lru_cache(maxsize=2)
def mel_filters(bands: int) -> NDArray[np.float32]:
    """Triangles of equal area, [201, bands], 0 to 8 kHz, on Slaney's mel scale (Auditory Toolbox, 1998).

    Linear below 1 kHz (200 Hz are 3 mel), logarithmic above (27 mel a factor of 6.4).
    """
    top = 15 + 27 * math.log(SAMPLE_RATE / 2 / _BANDS_BREAK_HZ) / math.log(6.4)
    mels = np.linspace(0, top, bands + 2)
    edges = np.where(mels < 15, mels * 200 / 3, _BANDS_BREAK_HZ * np.exp((mels - 15) * math.log(6.4) / 27))
    bins = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)[:, None]
    rise = (bins - edges[:-2]) / np.diff(edges)[:-1]
    fall = (edges[2:] - bins) / np.diff(edges)[1:]
    return (np.maximum(0.0, np.minimum(rise, fall)) * 2 / (edges[2:] - edges[:-2])).astype(np.float32)


def _open(folder: Path, threads: int) -> tuple[Any, WhisperTokens]:
    """CTranslate2's model and the tokenizer of a folder, after a look at whether it is one."""
    check(folder)
    try:
        import ctranslate2
    except ImportError as error:
        raise WorkError(f"words need ctranslate2, which is not installed here: {error}", NO_WHEEL) from error

    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokens = WhisperTokens(folder / "tokenizer.json")
        model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=1
        )
    except Exception as error:  # the library raises bare errors of many kinds for damaged files
        raise WorkError(f"the Whisper model {folder} cannot be opened: {error}", "copy it again, whole") from error
    if tokens.id_of("<|startoftranscript|>") is None:
        raise UsageError(f"{folder}: its tokenizer is not Whisper's", HINT)
    return model, tokens


NO_WHEEL = "pip install ctranslate2 (wheels: Linux x86-64 and aarch64, macOS arm64, Windows x86-64); all else works"
