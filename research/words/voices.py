"""Speech for evidence, by synthesisers of the distribution (apt install flite espeak-ng); no real conversation.

Each speaker of a dialogue gets a voice; what is said are MELD's lines.  The voices are flat: words carry the emotion.
"""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from emoje_edge.perception.audio import SAMPLE_RATE

FLITE = ("slt", "rms", "awb", "kal16")
ESPEAK = ("en-us+f2", "en-us+m3", "en-gb+f4", "en-gb+m1", "en-us+f5", "en-us+m7")


@dataclass(frozen=True)
class Voice:
    """One synthetic voice: the program that speaks, and its name there."""

    program: str
    name: str

    def say(self, text: str) -> NDArray[np.float32]:
        """Samples [N], mono at 16 kHz, of a line."""
        if self.program == "flite":
            command = ["flite", "-voice", self.name, "-t", text, "-o", "/dev/stdout"]
        else:
            command = ["espeak-ng", "-v", self.name, "--stdout", "--", text]
        sound = subprocess.run(command, capture_output=True, check=True).stdout
        return _samples(sound)


class Cast:
    """Voices of a program handed out to speakers, in the order in which they first speak."""

    def __init__(self, program: str) -> None:
        self._program, self._names = program, FLITE if program == "flite" else ESPEAK
        self._given: dict[str, Voice] = {}

    def voice(self, speaker: str) -> Voice:
        if speaker not in self._given:
            self._given[speaker] = Voice(self._program, self._names[len(self._given) % len(self._names)])
        return self._given[speaker]


def plain(text: str) -> str:
    """A line of MELD as a synthesiser reads it: typographic marks to plain ones."""
    marks = {"’": "'", "‘": "'", "\x92": "'", "\x97": " - ", "\ufffd": "'", "…": "...", "“": '"', "”": '"'}
    for fancy, simple in marks.items():
        text = text.replace(fancy, simple)
    return " ".join(text.split())


def _samples(wave: bytes) -> NDArray[np.float32]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(io.BytesIO(wave), "r") as container:
        blocks = [b for frame in container.decode(audio=0) for b in resampler.resample(frame)] + resampler.resample(
            None
        )
    return np.concatenate([np.zeros(0, np.float32), *(block.to_ndarray()[0] for block in blocks)])
