"""Tiny clips for tests, written with the libraries that are here."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np


def write_sound(path: Path, *, seconds: float, pitch: float = 220.0, rate: int = 16000) -> None:
    """A tone as 16-bit mono WAV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(_tone(seconds, pitch, rate).tobytes())


def write_video(path: Path, *, seconds: float, pitch: float = 220.0) -> None:
    """Grey pictures (nobody in them) with a tone, as MP4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("aac", rate=16000)
        for i in range(round(seconds * 10)):
            picture = np.full((64, 64, 3), 10 * i % 255, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        frame = av.AudioFrame.from_ndarray(_tone(seconds, pitch, 16000)[None], format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux(audio.encode(frame))
        container.mux(video.encode())
        container.mux(audio.encode())


def _tone(seconds: float, pitch: float, rate: int) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * pitch * t)).astype(np.int16)
