"""The demonstration's clip, and the command run as a user runs it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emoje_edge.demo import make_clip

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of picture, sound and (beside it) subtitles of two speakers."""
    folder = tmp_path_factory.mktemp("clip")
    make_clip(folder / "talk.mp4", folder / "talk.srt")
    return folder / "talk.mp4"


@pytest.fixture(scope="session")
def emoje() -> Run:
    """Runs `emoje-edge` in a process of its own: `emoje("infer", path, "--mask", "text")`."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "emoje_edge", *map(str, arguments)]
        return subprocess.run(command, text=True, timeout=300, **{"capture_output": True, **options})  # type: ignore[call-overload]

    return run
