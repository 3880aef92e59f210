"""Subtitle files and embedded subtitles as utterances."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from emoje_edge.characters import visible
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.cues import ass, timed, transcripts
from emoje_edge.perception.cues.encoding import decoded
from emoje_edge.perception.cues.found import language_tag
from emoje_edge.perception.cues.languages import is_english
from emoje_edge.perception.cues.raw_cue import RawCue
from emoje_edge.perception.cues.rolling import merge_rolling_captions
from emoje_edge.perception.cues.speaker_names import names_in, turns
from emoje_edge.perception.cues.unsupported import refuse_unsupported
from emoje_edge.perception.media import MediaInfo, read_subtitles
from emoje_edge.perception.segmentation import SHORTEST, Utterance

LARGEST = 64 << 20  # bytes: a day of talk has some MB
_READING = 0.06  # s a character, for a cue that says when it starts but not when it ends

_JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*[\[{\]])')

log = logging.getLogger(__name__)


def read_cues(path: str | Path, encoding: str | None = None) -> list[Utterance]:
    """Cues of a subtitle file or transcript, in time order.

    Args:
        path: SRT, WebVTT, ASS, SSA, or a Whisper's JSON or TSV; told by what is in it.
        encoding: of the file, None: found out.

    Raises:
        UsageError: no such file, or an encoding that it is not in.
        WorkError: not subtitles, or broken; the message names the file and the line.
    """
    path = Path(path)
    text = visible(decoded(_bytes(path), path, encoding))
    lines = text.splitlines()
    language = language_tag(path)
    if ass.is_ass(lines):
        cues = ass.read_ass(lines, path)
    elif path.suffix.lower() == ".json" or _JSON.match(text):
        cues, language = transcripts.read_json(text, path), transcripts.language_of(text) or language
    elif transcripts.is_table(lines):
        cues = transcripts.read_table(lines, path)
    else:
        refuse_unsupported(text, path)
        cues, language = timed.read_timed(lines, path), timed.language_of(lines) or language
    _note_language(path, language)
    return utterances(cues)


def embedded_cues(source: str | Path, info: MediaInfo) -> list[Utterance]:
    """Cues of the preferred subtitle stream that has any, in time order; none where there is no such stream.

    Raises:
        WorkError: the file cannot be read.
    """
    for stream in info.subtitles:
        events = []
        for packet in read_subtitles(source, stream.index):
            # ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text
            fields = packet.ass.split(",", 8)
            if len(fields) == 9:
                _, _, style, name, *_, effect, text = fields
                events.append(ass.Event(packet.start, packet.end, style, name.strip(), effect, text))
        if found := utterances(ass.spoken_events(events)):
            _note_language(f"{source}, its subtitles", stream.language)
            return found
    return []


def utterances(cues: list[RawCue]) -> list[Utterance]:
    """Cues to utterances: each line once, turns split, unspoken ones dropped, times made sound."""
    found: dict[Utterance, None] = {}  # a dictionary, since files repeat themselves
    cues = merge_rolling_captions(
        sorted((cue for cue in cues if cue.end > 0 or cue.start >= 0), key=lambda cue: cue.start)
    )
    names = names_in(cues)
    for cue in cues:
        said = turns(cue, names)
        start = max(cue.start, 0.0)
        letters = sum(len(text) for _, text in said)
        end = cue.end if cue.end > start else start + max(SHORTEST, _READING * letters)
        for speaker, text in said:
            # people who share a cue share its time, by how much they say
            stop = min(end, start + (end - max(cue.start, 0.0)) * len(text) / letters)
            found[Utterance(start, stop, speaker, text)] = None
            start = stop
    return sorted(found, key=lambda cue: (cue.start, cue.end))


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise WorkError(f"{path} has {path.stat().st_size >> 20} MB: no subtitles", f"at most {LARGEST >> 20} MB")
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"no file {path}", "give a subtitle file: SRT, WebVTT, ASS, or a Whisper's JSON or TSV"
        ) from None
    except OSError as error:
        raise WorkError(f"{path} cannot be read: {error.strerror}", "is it a readable file?") from error


def _note_language(name: str | Path, language: str | None) -> None:
    """The shipped engines read English: words of another language are hardly known to them."""
    if language and language.casefold() != "und" and not is_english(language):
        log.warning("%s: in %r; the words' engine reads English, so trust the other modalities more", name, language)
