"""A picture of one recording: emotions over time, and beneath them which modality each rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.report.canvas import FAINT, INK, Box, Canvas, canvas, words_width
from emoje_edge.report.palette import MODALITY_COLOURS, emotion_colour, label_colours, paler
from emoje_edge.report.timeline_page import write_page
from emoje_edge.report.writers import NO_EVIDENCE, OutputError, check_folder

if TYPE_CHECKING:
    from emoje_edge.utterance_emotion import UtteranceEmotion

ENDINGS = (".png", ".svg", ".pdf", ".html")
_NARROWEST, _A_ROW, _WIDEST = 1080, 66, 4800  # px: wider no viewer shows
_ONE_STRIP = 70  # utterances; more are drawn in strips below each other, as a score is
_STRIP, _STRIP_WIDTH, _BETWEEN = 96, 1600, 46  # px, height and width of a strip, and room for its clock below
_BAR = 14  # px an utterance in a strip
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 140, 44, 58  # px around the panels
_EMOTIONS, _WEIGHTS, _GAP = 300, 120, 26  # px, heights of the panels and between them
_SMALL, _LARGE = 13, 16  # px, letters
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)  # s between two ticks

Span = tuple[float, float]


def check_timeline(path: Path) -> None:
    """Refuse, before any work is done, a picture that could not be written.

    Raises:
        UsageError: an unknown ending.
        OutputError: no such folder.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"--timeline {path}: unknown ending {path.suffix!r}", f"allowed: {' '.join(ENDINGS)}")
    check_folder(path)


def draw_timeline(events: Sequence[UtteranceEmotion], path: Path, *, title: str = "") -> None:
    """Draw rows in time order and save them.

    Args:
        events: of one source; where two overlap, the later one is drawn from its start on.
        path: ending in .png, .svg or .pdf (more than 70 utterances in strips below each other, without weights); .html
            is a page to zoom and click in.

    Raises:
        UsageError, OutputError: as `check_timeline`; or the file cannot be written.
    """
    check_timeline(path)
    try:
        if path.suffix.lower() == ".html":
            write_page(events, path, title=title)
        else:
            draw = _strips if len(events) > _ONE_STRIP else _picture
            draw(events, title, vector=path.suffix.lower() == ".svg").save(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", "give --timeline another place") from error


def _picture(events: Sequence[UtteranceEmotion], title: str, *, vector: bool) -> Canvas:
    width = min(max(_NARROWEST, _LEFT + _RIGHT + _A_ROW * len(events)), _WIDEST)
    spans = _spans(events)
    scale = _scale(spans, _LEFT, width - _RIGHT)
    names = [_words(event) for event in events]
    flat = all(_fits(name, scale(end) - scale(start)) for name, (start, end) in zip(names, spans, strict=True))
    above = 2 * (_SMALL + 5) if flat else round(max((words_width(_one_line(n), _SMALL) for n in names), default=0)) + 12
    top = _TOP + above
    emotions = (_LEFT, top, width - _RIGHT, top + _EMOTIONS)
    weights = (_LEFT, emotions[3] + _GAP, width - _RIGHT, emotions[3] + _GAP + _WEIGHTS)
    page = canvas(width, round(weights[3] + _BOTTOM), vector=vector)
    page.words((12, 22), title, _LARGE)
    labels = label_colours(list(dict.fromkeys(label for e in events for label in e.probabilities)) or EMOTIONS)
    won = [e.emotion for e in events]
    _panel(page, emotions, scale, spans, [e.probabilities for e in events], labels, "how sure", won=won)
    _panel(page, weights, scale, spans, [e.weights for e in events], MODALITY_COLOURS, "weight")
    for (_, high, right, low), colours in ((emotions, labels), (weights, MODALITY_COLOURS)):
        _legend(page, right, (high + low) / 2, colours)
    _name_winners(page, emotions, scale, spans, events, flat=flat)
    _time_axis(page, weights, scale)
    if not events:
        page.words(
            ((emotions[0] + emotions[2]) / 2, (emotions[1] + emotions[3]) / 2), "no utterance", _LARGE, anchor="mm"
        )
    return page


def _strips(events: Sequence[UtteranceEmotion], title: str, *, vector: bool) -> Canvas:
    """A long recording: what won and how sure it is, in strips of the same length, each bar wide enough to be seen."""
    spans = _spans(events)
    right = _STRIP_WIDTH - _RIGHT
    whole = _scale(spans, _LEFT, right)
    wanted = whole.length * (right - _LEFT) / (_BAR * len(events))
    strip = next((s for s in _STEPS if s >= wanted), _STEPS[-1])
    first = math.floor(whole.start / strip)
    count = math.ceil((whole.start + whole.length) / strip) - first
    labels = label_colours(list(dict.fromkeys(label for e in events for label in e.probabilities)) or EMOTIONS)
    page = canvas(_STRIP_WIDTH, _TOP + count * (_STRIP + _BETWEEN) + 14, vector=vector)
    page.words((12, 22), title, _LARGE)
    _legend(page, right + 22, _TOP + 3 * _SMALL + _STRIP / 2, labels)
    for number in range(count):
        scale = _Scale((first + number) * strip, strip, _LEFT, right)
        top = _TOP + number * (_STRIP + _BETWEEN)
        box = (_LEFT, top, right, top + _STRIP)
        here = [i for i, (start, _) in enumerate(spans) if scale.start <= start < scale.start + strip]
        inside = [(spans[i][0], min(spans[i][1], scale.start + strip)) for i in here]
        shares = [{k: v for k, v in events[i].probabilities.items() if k == events[i].emotion} for i in here]
        _panel(page, box, scale, inside, shares, labels, "", won=[events[i].emotion for i in here])
        _time_axis(page, box, scale, name="")
    return page


@dataclass(frozen=True)
class _Scale:
    """From time (s) to px."""

    start: float
    length: float
    left: float
    right: float

    def __call__(self, time: float) -> float:
        return self.left + (time - self.start) / self.length * (self.right - self.left)


def _scale(spans: Sequence[Span], left: float, right: float) -> _Scale:
    """All of them between two sides."""
    start = min((start for start, _ in spans), default=0.0)
    return _Scale(start, max((end for _, end in spans), default=1.0) - start or 1.0, left, right)


def _spans(events: Sequence[UtteranceEmotion]) -> list[Span]:
    """(start, end) of each bar, s; a bar ends where the next one starts."""
    starts = [e.start for e in events]
    following = [*starts, math.inf][1:]
    return [(e.start, max(min(e.end, after), e.start)) for e, after in zip(events, following, strict=True)]


def _panel(
    page: Canvas,
    box: Box,
    scale: _Scale,
    spans: Sequence[Span],
    values: Sequence[dict[str, float]],
    colours: dict[str, str],
    name: str,
    *,
    won: Sequence[str | None] = (),
) -> None:
    """Stacked bars as wide as their utterances, and the axis; an utterance without values leaves its place empty.

    Where something `won`, it stands at the foot in full colour, as high as the answer is sure; the rest is pale.
    """
    left, top, right, bottom = box
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        page.line((left - 5, y), (right, y), FAINT)
        page.words((left - 9, y), f"{share:g}", _SMALL, anchor="rm")
    page.words((24, (top + bottom + words_width(name, _SMALL)) / 2), name, _SMALL, upright=True)
    for number, ((start, end), shares) in enumerate(zip(spans, values, strict=True)):
        y = bottom
        best = won[number] if won else None
        for label in sorted(colours, key=lambda label: label != best):
            colour = colours[label] if best is None or label == best else paler(colours[label])
            height = shares.get(label, 0.0) * (bottom - top)
            # a px of white between two utterances
            page.rectangle((scale(start), y - height, max(scale(end) - 1, scale(start) + 1), y), colour)
            y -= height
    page.line((left, top), (left, bottom))


def _legend(page: Canvas, left: float, middle: float, colours: dict[str, str]) -> None:
    for row, (label, colour) in enumerate(colours.items()):
        y = middle + (row - (len(colours) - 1) / 2) * (_SMALL + 9)
        page.rectangle((left + 14, y - 6, left + 32, y + 6), colour)
        page.words((left + 40, y), label, _SMALL)


def _name_winners(
    page: Canvas, box: Box, scale: _Scale, spans: Sequence[Span], events: Sequence[UtteranceEmotion], *, flat: bool
) -> None:
    """Speaker and emotion above each bar; all upright where one bar is too narrow for its words."""
    for (start, end), event in zip(spans, events, strict=True):
        middle, top = (scale(start) + scale(end)) / 2, box[1]
        page.rectangle(
            (scale(start), top - 4, max(scale(end) - 1, scale(start) + 1), top - 1), emotion_colour(event.emotion)
        )
        lines = _words(event).split("\n")
        if scale(end) - scale(start) < _SMALL + 2:
            continue  # the colours tell, and the page (.html) has the names
        if flat:
            for row, line in enumerate(reversed(lines)):
                page.words((middle, top - 8 - row * (_SMALL + 4)), line, _SMALL, anchor="mb")
        else:
            page.words((middle, top - 8), _one_line(_words(event)), _SMALL, upright=True)


def _time_axis(page: Canvas, box: Box, scale: _Scale, *, name: str = "time") -> None:
    left, _, right, bottom = box
    page.line((left, bottom), (right, bottom))
    wanted = scale.length / max((right - left) / 110, 1)
    step = next((s for s in _STEPS if s >= wanted), 3600 * math.ceil(wanted / 3600))
    for tick in range(math.ceil(scale.start / step), math.floor((scale.start + scale.length) / step) + 1):
        x = scale(tick * step)
        page.line((x, bottom), (x, bottom + 5), INK)
        page.words((x, bottom + 9), _clock(tick * step), _SMALL, anchor="mt")
    page.words(((left + right) / 2, bottom + 30), name, _SMALL, anchor="mt")


def _words(event: UtteranceEmotion) -> str:
    speaker = " ".join((event.speaker or "").split())[:18]
    found = event.emotion or NO_EVIDENCE
    return f"{speaker}\n{found}" if speaker else found


def _one_line(words: str) -> str:
    return words.replace("\n", ": ")


def _fits(words: str, room: float) -> bool:
    return max(words_width(line, _SMALL) for line in words.split("\n")) < room - 4


def _clock(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"
