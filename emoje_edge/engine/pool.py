"""The engines of one recognizer: which of them answers for the modalities of an utterance, each opened once."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from emoje_edge.engine.family import choose
from emoje_edge.engine.interface import Session
from emoje_edge.engine.manifest import FILE_NAME, TOKENIZER_FILE, read_manifest
from emoje_edge.engine.session import find_engine, open_engine
from emoje_edge.modality import Mask, Modality
from emoje_edge.shipped import TOKENIZER

log = logging.getLogger("emoje_edge")


class EnginePool:
    """Engines by the modalities of an utterance.  Any number of threads may ask at once.

    Args:
        mask: what the recognizer uses; None ("auto"): whatever there are engines for.
        model, engine_dir, backend, fallback, threads: as of `open_engine`.
    """

    def __init__(
        self,
        mask: Mask | None,
        *,
        model: str | None = None,
        engine_dir: str | Path | None = None,
        backend: str = "onnx",
        fallback: bool = False,
        threads: int | None = None,
    ) -> None:
        self._engine_dir, self._backend, self._fallback, self._threads = engine_dir, backend, fallback, threads
        self._model = choose(model, engine_dir)
        self._there = _masks_with_engine(backend, engine_dir, self._model)
        self._opening = threading.Lock()
        self.auto = mask is None
        self.mask = self._widest() if mask is None else mask
        self.sessions: dict[Mask, Session] = {}

    def session(self, present: Mask) -> Session:
        """The engine for these modalities: exactly theirs, else one with more branches (whose length is then 0).

        Raises:
            WorkError: there is none, or an altered one.
        """
        session = self.sessions.get(present)
        if session is None:
            with self._opening:
                mask = self._choose(present)
                if mask not in self.sessions:
                    self.sessions[mask] = opened = open_engine(
                        mask,
                        model=self._model,
                        engine_dir=self._engine_dir,
                        backend=self._backend,
                        fallback=self._fallback,
                        threads=self._threads,
                    )
                    _tell_where_uncalibrated(opened)
                session = self.sessions[present] = self.sessions[mask]
        return session

    def covers(self, mask: Mask) -> bool:
        """Whether one engine takes in all of these modalities together."""
        return any(mask.issubset(there) for there in self._there)

    def reads(self, mask: Mask) -> tuple[Path, int, str | None]:
        """How the engine of a mask reads words: tokenizer file (its own, else the package's), most ids, SHA-256."""
        manifest = self.session(mask).manifest
        path = TOKENIZER
        if any(file.name == TOKENIZER_FILE for file in manifest.files):
            folder = find_engine(manifest.mask, manifest.backend, self._engine_dir, model=self._model)
            path = folder / TOKENIZER_FILE if folder else path
        length = next(int(t.shape[1]) for t in manifest.inputs if t.name == Modality.TEXT.value)
        return path, length, manifest.tokenizer

    def close(self) -> None:
        """Let go of the engines."""
        self.sessions.clear()

    def _choose(self, present: Mask) -> Mask:
        if present in self._there:
            return present
        wider = [m for m in self._there if present.issubset(m)]
        if wider and present != self.mask:
            return min(wider, key=len)
        narrower = [m for m in self._there if m.issubset(present)]
        if narrower and self.auto:
            return max(narrower, key=len)
        return present  # not there: opening it says so, with the command that builds it

    def _widest(self) -> Mask:
        bits = 0
        for mask in self._there:
            bits |= mask.bits
        return Mask(bits or 7)


def _masks_with_engine(backend: str, engine_dir: str | Path | None, model: str | None) -> tuple[Mask, ...]:
    """Masks that the folder has an engine for; which of them are sound shows when one is opened."""
    folder = Path(engine_dir) if engine_dir else None
    if folder and (folder / FILE_NAME).exists():  # one engine's own folder
        return (read_manifest(folder).mask,)
    return tuple(mask for mask in Mask.all() if find_engine(mask, backend, folder, model=model))


def _tell_where_uncalibrated(session: Session) -> None:
    if session.manifest.temperature is None:
        log.warning(
            "engine for mask %s: no temperature in its manifest, so its probabilities are not calibrated "
            "(docs/engines.md says how to fit one)",
            session.mask,
        )
    if session.manifest.tokenizer is None and Modality.TEXT in session.mask:
        log.warning(
            "engine for mask %s: its manifest does not say which tokenizer it reads words with; "
            "one that was built before there were models by name must be built again",
            session.mask,
        )
