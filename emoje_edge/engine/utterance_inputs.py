"""One utterance and the conversation before it, as the arrays that an engine takes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.dialogue import DialogueState
from emoje_edge.engine.interface import Session
from emoje_edge.errors import WorkError
from emoje_edge.modality import Modality


def engine_inputs(
    session: Session,
    features: Mapping[Modality, NDArray[Any]],
    quality: Mapping[Modality, NDArray[np.float32]],
    dialogue: DialogueState,
    speaker: str | None,
) -> dict[str, NDArray[Any]]:
    """One utterance as the engine's named arrays, batch 1, padded; a branch without features has length 0.

    Args:
        features: what each present modality gives, [n, ...]; longer ones are cut.
        quality: [2] of each of them (`emoje_edge.perception.quality`).
        dialogue: what was said before; a speaker not None may have a known voice in it.

    Raises:
        WorkError: the dialogue was carried by an engine of another model.
    """
    inputs: dict[str, NDArray[Any]] = {}
    for tensor in session.manifest.inputs:
        shape = tuple(1 if isinstance(n, str) else n for n in tensor.shape)
        inputs[tensor.name] = np.zeros(shape, tensor.dtype)
    for modality, array in features.items():
        padded = inputs[modality.value]
        length = min(len(array), padded.shape[1])
        padded[0, :length] = array[:length]
        inputs[f"{modality.value}_length"][0] = length
        if f"{modality.value}_quality" in inputs:  # engines of earlier versions have none
            inputs[f"{modality.value}_quality"][0] = quality[modality]
    inputs["speaker"][0, 0] = dialogue.turn(speaker)
    if dialogue.vector is not None:
        if dialogue.vector.shape != inputs["state"].shape:
            raise WorkError(
                f"the engine of {session.mask} is of another model than the one before it in this dialogue",
                "build the engines of all masks from one model: emoje-edge build --mask all",
            )
        inputs["state"][:] = dialogue.vector
    if speaker in dialogue.voices and "voice" in inputs:
        inputs["voice"][:] = dialogue.voices[speaker]
    return inputs


def evidence(features: Mapping[Modality, NDArray[Any]], speaker: str | None) -> bytes:
    """The same bytes for the same evidence: who said which words or, without words, what was heard and seen."""
    told = [Modality.TEXT] if Modality.TEXT in features else list(features)
    parts = [f"{speaker} {m}".encode() + np.ascontiguousarray(features[m]).tobytes() for m in told]
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()
