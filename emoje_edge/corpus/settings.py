"""How the recordings of a corpus are labelled: the same settings and the same engines give the same rows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoje_edge.shapes import POSE_RATE
from emoje_edge.version import __version__

if TYPE_CHECKING:
    from emoje_edge.recognizer import Recognizer


@dataclass(frozen=True)
class Settings:
    """What a worker opens its recogniser with.

    Attributes:
        mask, engine_dir, backend, pose_fps, words, model: as of `Recognizer`.
    """

    mask: str = "auto"
    engine_dir: str | None = None
    backend: str = "onnx"
    pose_fps: float = POSE_RATE
    words: str = "auto"
    model: str | None = None

    def open(self) -> Recognizer:
        """A recogniser of one thread: the workers are what fills the cores.

        Raises:
            UsageError, WorkError: as `Recognizer`.
        """
        from emoje_edge.recognizer import Recognizer

        return Recognizer(
            self.mask,
            model=self.model,
            engine_dir=self.engine_dir,
            backend=self.backend,
            pose_fps=self.pose_fps,
            words=self.words,
            threads=1,
        )

    def describe(self) -> dict[str, Any]:
        """The settings, this version, the model and its engines' digests: what the names of the parts depend on."""
        from emoje_edge.engine.family import choose

        name = choose(self.model, self.engine_dir)
        return {
            **asdict(self),
            "model": name,
            "engine_dir": None,
            "engines": self._engines(),
            "version": __version__,
        }

    def _engines(self) -> dict[str, str]:
        from emoje_edge.engine.manifest import FILE_NAME
        from emoje_edge.engine.session import find_engine
        from emoje_edge.modality import Mask

        folder = Path(self.engine_dir) if self.engine_dir else None
        found = {mask: find_engine(mask, self.backend, folder, model=self.model) for mask in Mask.all()}
        return {str(m): _digest(path / FILE_NAME) for m, path in found.items() if path}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def dump(description: dict[str, Any]) -> str:
    """One text for one description, whatever the order of its keys."""
    return json.dumps(description, sort_keys=True, ensure_ascii=False)
