"""A picture of one recording: emotions over time, and beneath them which modality each rests on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.report.palette import MODALITY_COLOURS, emotion_colour, label_colours
from emoje_edge.report.writers import NO_EVIDENCE, OutputError, check_folder

if TYPE_CHECKING:
    from emoje_edge.recognizer import UtteranceEmotion

ENDINGS = (".png", ".svg", ".pdf")
_INCHES_A_ROW, _WIDEST = 0.55, 40.0  # 40 inches at 120 dots are 4,800 pixels: more no viewer shows


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
        path: ending in .png, .svg or .pdf.

    Raises:
        UsageError, OutputError: as `check_timeline`; or the file cannot be written.
    """
    check_timeline(path)
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    width = min(max(9.0, 3.0 + _INCHES_A_ROW * len(events)), _WIDEST)
    figure = Figure(figsize=(width, 5.2), layout="constrained")
    emotions, weights = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.3])
    spans = _spans(events)
    labels = label_colours(list(dict.fromkeys(label for e in events for label in e.probabilities)) or EMOTIONS)
    _stack(emotions, spans, [e.probabilities for e in events], labels)
    _stack(weights, spans, [e.weights for e in events], MODALITY_COLOURS)
    _name_winners(emotions, spans, events, width)
    emotions.set_ylabel("probability")
    figure.suptitle(title.replace("$", r"\$"), x=0.01, ha="left", fontsize=11)
    weights.set_ylabel("weight")
    weights.set_xlabel("time")
    weights.xaxis.set_major_locator(MaxNLocator(nbins=int(width), steps=[1, 2, 3, 5, 6, 10], min_n_ticks=2))
    weights.xaxis.set_major_formatter(lambda s, _: _clock(s))
    if events:
        emotions.set_xlim(min(s for s, _ in spans), max(e for _, e in spans))
    else:
        emotions.text(0.5, 0.5, "no utterance", ha="center", transform=emotions.transAxes)
    for axis, colours in ((emotions, labels), (weights, MODALITY_COLOURS)):
        axis.set_ylim(0, 1)
        axis.set_yticks([0, 0.5, 1])
        axis.spines[["top", "right"]].set_visible(False)
        _legend(axis, colours)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", "give --timeline another place") from error


def _spans(events: Sequence[UtteranceEmotion]) -> list[tuple[float, float]]:
    """(start, end) of each bar, s; a bar ends where the next one starts."""
    starts = [e.start for e in events]
    following = [*starts, float("inf")][1:]
    return [(e.start, max(min(e.end, after), e.start)) for e, after in zip(events, following, strict=True)]


def _stack(
    axis: Any, spans: list[tuple[float, float]], values: list[dict[str, float]], colours: dict[str, str]
) -> None:
    """Stacked bars as wide as their utterances; an utterance without values leaves its place empty."""
    bottom = [0.0] * len(spans)
    for name, colour in colours.items():
        heights = [v.get(name, 0.0) for v in values]
        axis.bar(
            [s for s, _ in spans],
            heights,
            [e - s for s, e in spans],
            bottom,
            align="edge",
            color=colour,
            edgecolor="white",
            linewidth=0.6,
        )
        bottom = [b + h for b, h in zip(bottom, heights, strict=True)]


def _name_winners(
    axis: Any, spans: list[tuple[float, float]], events: Sequence[UtteranceEmotion], width: float
) -> None:
    """Speaker and emotion above each bar; all upright where one bar is too narrow for its words."""
    if not events:
        return
    whole = (max(e for _, e in spans) - spans[0][0]) or 1.0
    words = [_words(event) for event in events]
    inches = [(end - start) / whole * (width - 1.9) for start, end in spans]
    flat = all(0.068 * max(map(len, w.split("\n"))) < room for w, room in zip(words, inches, strict=True))
    for (start, end), event, label in zip(spans, events, words, strict=True):
        axis.text(
            (start + end) / 2,
            1.03,
            label if flat else label.replace("\n", ": "),
            ha="center",
            va="bottom",
            rotation=0 if flat else 90,
            fontsize=8,
            bbox={"facecolor": emotion_colour(event.emotion), "alpha": 0.25, "linewidth": 0, "pad": 1.5},
        )


def _words(event: UtteranceEmotion) -> str:
    speaker = " ".join((event.speaker or "").split())[:18].replace("$", r"\$")
    found = event.emotion or NO_EVIDENCE
    return f"{speaker}\n{found}" if speaker else found


def _legend(axis: Any, colours: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=name) for name, colour in colours.items()]
    axis.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(seconds, 0.0), 60)
    return f"{int(minutes)}:{rest:04.1f}" if rest % 1 else f"{int(minutes)}:{int(rest):02d}"
