"""Rows as a flat table: the columns of a CSV file or a data frame, one fixed schema whatever the rows hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from emoje_edge.modality import Modality

Kind = Literal["text", "number", "count"]


def columns(labels: Sequence[str]) -> dict[str, Kind]:
    """Name -> kind of every column; `p_` a probability, `w_` a modality's weight."""
    found: dict[str, Kind] = {
        "source": "text",
        "utterance": "count",
        "start": "number",
        "end": "number",
        "speaker": "text",
        "person": "count",
        "text": "text",
        "text_from": "text",
        "text_confidence": "number",
        "emotion": "text",
        "confidence": "number",
        "reason": "text",
        "model": "text",
    }
    found.update({f"p_{label}": "number" for label in labels})
    found["modalities"] = "text"
    found.update({f"w_{modality.value}": "number" for modality in Modality})
    return found


def flatten(row: Mapping[str, Any], utterance: int, labels: Sequence[str]) -> dict[str, Any]:
    """One row of `UtteranceEmotion.to_dict` with the columns of `columns`; None where there is no value.

    Args:
        row: latencies are left out: they are of the run, not of the recording.
        utterance: number within its recording, from 1.
    """
    flat = {name: row.get(name) for name in columns(labels)}
    flat["utterance"] = utterance
    flat["modalities"] = "+".join(row["modalities"])
    flat.update({f"p_{label}": row["probabilities"].get(label) for label in labels})
    flat.update({f"w_{modality.value}": row["weights"].get(modality.value) for modality in Modality})
    return flat
