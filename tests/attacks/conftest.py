"""Small inputs of our own making, and the command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]

CUES = """1
00:00:00,200 --> 00:00:01,200
ANNE: What a wonderful day!

2
00:00:01,400 --> 00:00:01,900
BOB: Leave me alone.
"""


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Two seconds of silence, and beside it what two people say."""
    sound = tmp_path / "talk.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(64_000))
    sound.with_suffix(".srt").write_text(CUES)
    return sound


@pytest.fixture
def emoje() -> Command:
    """`emoje("infer", path)`, with `env` added to the environment and `before` put in front (to drop rights, say)."""

    def run(
        *arguments: object, env: Mapping[str, str] | None = None, before: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-m", "emoje_edge", *map(os.fspath, map(_text, arguments))]
        given = {**os.environ, **(env or {})}
        return subprocess.run(command, text=True, timeout=120, capture_output=True, check=False, env=given)

    return run


def _text(argument: object) -> str | Path:
    return argument if isinstance(argument, Path) else str(argument)
