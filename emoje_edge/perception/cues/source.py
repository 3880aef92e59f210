"""The cues of a source: given, beside it or inside it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from emoje_edge.addresses import masked
from emoje_edge.errors import WorkError
from emoje_edge.perception.cues.found import sidecar
from emoje_edge.perception.cues.read import embedded_cues, read_cues
from emoje_edge.perception.media import MediaInfo
from emoje_edge.perception.segmentation import Utterance
from emoje_edge.perception.sources import is_live

log = logging.getLogger(__name__)


def cues_of(source: str | Path, text: str | Path | None, info: MediaInfo, encoding: str | None) -> list[Utterance]:
    """Cues of the given file, else of the one beside the source, else of the one inside it, in time order.

    Args:
        source: a stream has none but given ones.
        text, encoding: the given file, and its or the other file's encoding, where told.

    Raises:
        UsageError: the given file is not there, or not in that encoding.
        WorkError: a file is broken, or nobody speaks in the given one.
    """
    if text is not None:
        cues = read_cues(text, encoding)
        if not cues:
            raise WorkError(f"{text}: no cue in which somebody speaks", "give another file, or leave --text out")
        return _within(source, cues, info)
    if is_live(source):
        return []
    beside = sidecar(Path(source))
    cues = read_cues(beside, encoding) if beside else []
    if beside and not cues:
        log.warning("%s: no cue in which somebody speaks, so it is passed over", beside)
    return _within(source, cues or embedded_cues(source, info), info)


def _within(source: str | Path, cues: list[Utterance], info: MediaInfo) -> list[Utterance]:
    """Cues that begin within the source, and end with it: what is past its end is said in another cut of it."""
    if info.duration is None:
        return cues
    inside = [replace(cue, end=min(cue.end, info.duration)) for cue in cues if cue.start < info.duration]
    if len(inside) < len(cues):
        log.warning(
            "%s: %d of %d cues begin after its end at %.1f s and are left out: do these subtitles belong to it?",
            *(masked(source), len(cues) - len(inside), len(cues), info.duration),
        )
    return inside
