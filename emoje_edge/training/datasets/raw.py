"""Features of raw media, by the same perception as inference, computed once and cached.

The cache is keyed by the file's content, the part of it that is used and the perception's version, so a changed file
or a changed perception is never mistaken for the old one.
"""

from __future__ import annotations

import hashlib
import math
from contextlib import closing
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np

from emoje_edge.errors import EmojeError, WorkError
from emoje_edge.files import atomic
from emoje_edge.modality import QUALITIES, Mask, Modality
from emoje_edge.perception.skeleton import JOINTS
from emoje_edge.shapes import BANDS
from emoje_edge.training.datasets.base import Feature, Lazy
from emoje_edge.training.datasets.options import Options

# Raise by one whenever perception's numbers of a modality change.
PERCEPTION = {Modality.AUDIO: 4, Modality.POSE: 4}


def clip_features(
    path: Path, options: Options, *, start: float | None = None, end: float | None = None
) -> dict[Modality, Feature]:
    """Audio and pose of a media file (or its part from `start` to `end` seconds), computed when first asked for.

    A stream that the file does not have is left out; the file is opened here to see which it has.

    Raises:
        WorkError: not readable as media.
    """
    from emoje_edge.perception.media import probe

    info = probe(path)
    there = {Modality.AUDIO: info.has_audio, Modality.POSE: info.has_video}
    wanted = [m for m, has in there.items() if has and (options.mask is None or m in options.mask)]
    return {m: _feature(path, m, options, start, end) for m in wanted}


def sound_feature(path: Path, options: Options) -> Lazy:
    """Audio of a file that is known to be sound: not opened before it is needed."""
    return _feature(path, Modality.AUDIO, options, None, None)


def _feature(path: Path, modality: Modality, options: Options, start: float | None, end: float | None) -> Lazy:
    if options.samples and modality is Modality.AUDIO:
        return Lazy(lambda: read_samples(path, start or 0.0, end), keep=False)
    return cached(path, modality, options.cache, start=start, end=end, bands=options.bands)


def cached(
    path: Path,
    modality: Modality,
    folder: Path | None,
    *,
    start: float | None = None,
    end: float | None = None,
    bands: int = BANDS,
) -> Lazy:
    """One modality of one clip, from the cache where it is there."""

    def read(part: int) -> np.ndarray:
        key = (folder or _default_folder()) / _key(path, modality, start, end, bands)
        stores = [key.with_name(f"{key.name}{suffix}.npy") for suffix in ("", "-quality")]
        if stores[part].is_file():
            return np.load(stores[part], allow_pickle=False)
        try:
            found = _perceive(path, modality, start or 0.0, end, bands)
        except EmojeError as error:
            raise WorkError(f"{path}: {error.message}", error.hint or "take the row out, or mend the clip") from error
        for store, value in zip(stores, found, strict=True):
            _save(store, value)
        return found[part]

    return Lazy(lambda: read(0), quality=Lazy(lambda: read(1)))


def _save(store: Path, value: np.ndarray) -> None:
    """Whole precision: what is read back is what was computed."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with atomic(store) as temporary, temporary.open("wb") as file:
        np.save(file, value)


def _default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("emoje-edge", False) / "features"


@lru_cache(maxsize=4096)
def _hash(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _slow(path)


def _slow(path: Path) -> str:  # Python 3.10
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _key(path: Path, modality: Modality, start: float | None, end: float | None, bands: int) -> str:
    try:
        state = path.stat()
        content = _hash(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise WorkError(f"{path} is not there or not readable: {error}", "check the path in the row") from error
    text = f"{content} {modality} {start} {end} {PERCEPTION[modality]}"
    if modality is Modality.AUDIO and bands != BANDS:
        text += f" {bands} bands"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_samples(path: Path, start: float = 0.0, end: float | None = None) -> np.ndarray:
    """The sound of a file from `start` to `end` (s): float32 [N], mono at 16 kHz, full scale 1.

    Raises:
        WorkError: not readable as media.
    """
    from emoje_edge.perception.audio import SAMPLE_RATE
    from emoje_edge.perception.media import AudioBlock, decode

    parts: list[np.ndarray] = []
    for block in decode(path, video=False, audio=True):
        if not isinstance(block, AudioBlock) or not len(block.samples):
            continue
        if end is not None and block.time >= end:
            break
        first = max(0, round((start - block.time) * SAMPLE_RATE))
        last = len(block.samples) if end is None else round((end - block.time) * SAMPLE_RATE)
        parts.append(block.samples[first:last])
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _perceive(
    path: Path, modality: Modality, start: float, end: float | None, bands: int
) -> tuple[np.ndarray, np.ndarray]:
    """Feature and quality of one part of a clip, by the pass over a source that `infer` makes; empty for nothing."""
    from emoje_edge.perception.perceive import perceive
    from emoje_edge.perception.segmentation import Utterance

    row = Utterance(start, math.inf if end is None else end)
    # a part is left as soon as it is over; a whole clip is read to its end, which may turn out damaged
    with closing(perceive(path, Mask.of([modality]), utterances=[row], bands=bands)) as run:
        found = list(run if end is None else islice(run, 1))
    if not found or modality not in found[0].features:
        shape = (bands,) if modality is Modality.AUDIO else (len(JOINTS), 3)
        return np.zeros((0, *shape), np.float32), np.zeros(QUALITIES, np.float32)
    return found[0].features[modality], found[0].quality[modality]
