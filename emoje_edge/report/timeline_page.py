"""The timeline as one HTML file of its own: zoom from an hour to a sentence, click for what an answer rests on.

Nothing is fetched: style, program and rows are in the file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoje_edge.emotion import EMOTIONS
from emoje_edge.report.palette import MODALITY_COLOURS, NOTHING, label_colours
from emoje_edge.shipped import TIMELINE_PAGE

if TYPE_CHECKING:
    from emoje_edge.utterance_emotion import UtteranceEmotion

_MARK = "/*DATA*/"


def write_page(events: Sequence[UtteranceEmotion], path: Path, *, title: str) -> None:
    """Write the page of one source's rows.

    Raises:
        OSError: the file cannot be written.
    """
    labels = list(dict.fromkeys(label for e in events for label in e.probabilities)) or EMOTIONS
    data = {
        "title": title,
        "rows": [_row(event) for event in events],
        "emotions": label_colours(labels),
        "modalities": MODALITY_COLOURS,
        "nothing": NOTHING,
    }
    # "<" ends a script element wherever it stands, also within a string
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    path.write_text(TIMELINE_PAGE.read_text(encoding="utf-8").replace(_MARK, text), encoding="utf-8", errors="replace")


def _row(event: UtteranceEmotion) -> dict[str, Any]:
    row = event.to_dict()
    kept = {name: row.get(name) for name in ("start", "end", "speaker", "text", "emotion", "reason")}
    best = row["probabilities"].get(row["emotion"], 0.0)
    confidence = row.get("confidence")
    sure = best if confidence is None else confidence
    return {**kept, "sure": sure, "probabilities": row["probabilities"], "weights": row["weights"]}
