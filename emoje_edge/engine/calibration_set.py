"""Utterances as the engines take them, by name, with a hash: what calibration, parity and latency are measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from emoje_calibration.hashes import arrays_sha256
from torch import Tensor

from emoje_edge.errors import UsageError
from emoje_edge.modality import QUALITIES, Mask, Modality
from emoje_edge.model.config import ModelConfig
from emoje_edge.model.network import MaskedNetwork, input_shape

STEPS = 8  # utterances a dialogue: the state is part of what is calibrated
HELP = "NAME.npz | a recording or folder of recordings | DATASET:FOLDER (emoje-edge train --help lists them)"


@dataclass(frozen=True, eq=False)
class CalibrationSet:
    """N utterances.

    Args:
        name: for the spec and the manifest.
        arrays: for each modality `m` the padded features [N, ...], `m_length` [N] int32 and, where it is known,
            `m_quality` [N, 2] float32 (else all is good); a modality may be absent from the whole set.  Rows of
            different modalities need not belong together.
    """

    name: str
    arrays: Mapping[str, np.ndarray]

    @property
    def sha256(self) -> str:
        return arrays_sha256(self.arrays)

    @property
    def samples(self) -> int:
        return min(len(x) for x in self.arrays.values())

    def require(self, mask: Mask) -> None:
        """Raises UsageError where the set lacks a modality of `mask`."""
        missing = [m.value for m in mask if m.value not in self.arrays]
        if missing:
            raise UsageError(
                f"the calibration set {self.name} has no {' and no '.join(missing)}, and mask {mask} needs it",
                f"give --data that has it ({HELP}), or leave the mask out",
            )

    def head(self, samples: int) -> CalibrationSet:
        """The first `samples` utterances."""
        return CalibrationSet(self.name, {name: x[:samples] for name, x in self.arrays.items()})

    def batches(self, network: MaskedNetwork, dialogues: int = 16) -> Iterator[tuple[Tensor, ...]]:
        """Inputs of `network`, in order: dialogues of `STEPS` utterances, each with the state that the last one left,
        and what is known of the voice, as if all were one speaker's.

        Raises:
            UsageError: a modality of the mask is missing.
        """
        self.require(network.mask)
        rows = self.samples // STEPS * STEPS or self.samples
        steps = STEPS if rows >= STEPS else rows
        starts = np.arange(rows).reshape(-1, steps)
        for first in range(0, len(starts), dialogues):
            members = starts[first : first + dialogues]
            state = network.network.initial_state(len(members))
            voice = network.network.initial_voice(len(members)) if network.hears else None
            given = [name for name in network.input_names if name not in ("voice", "speaker", "state")]
            for step in range(steps):
                chosen = members[:, step]
                features = [torch.from_numpy(self._rows(name, chosen)) for name in given]
                # half of the turns change the speaker, the first ones have none before
                turn = (
                    torch.from_numpy((chosen % 2).astype(np.float32))[:, None]
                    if step
                    else torch.full((len(chosen), 1), 0.5)
                )
                inputs = (*features, *(() if voice is None else (voice,)), turn, state)
                yield inputs
                with torch.no_grad():
                    _, _, state, *following = network(*inputs)
                voice = following[0] if following else None

    def _rows(self, name: str, chosen: np.ndarray) -> np.ndarray:
        if name.endswith("_quality") and name not in self.arrays:
            return np.ones((len(chosen), QUALITIES), np.float32)
        return self.arrays[name][chosen]


def checked(data: CalibrationSet, config: ModelConfig) -> CalibrationSet:
    """`data` itself, when it fits the model.

    Raises:
        UsageError: a wrong shape, dtype or length, an unknown array, no utterance at all; named.
    """
    hint = "a modality m has m [N, ...] and m_length [N] int32; see docs/calibration.md"
    names = {m.value for m in config.mask}
    known = names | {f"{m}_{more}" for m in names for more in ("length", "quality")}
    unknown = sorted(set(data.arrays) - known)
    present = [m for m in config.mask if m.value in data.arrays]
    if unknown or not present or any(f"{m}_length" not in data.arrays for m in present):
        raise UsageError(
            f"calibration set {data.name} holds {sorted(data.arrays)}, the model takes {sorted(known)}", hint
        )
    if not data.samples:
        raise UsageError(f"calibration set {data.name} holds no utterance", hint)
    for m in present:
        array, length, shape = data.arrays[m.value], data.arrays[f"{m}_length"], input_shape(config, m)
        integer = config.encoder(m).kind == "text"  # type: ignore[union-attr]
        if array.shape[1:] != shape or array.dtype != (np.int64 if integer else np.float32):
            raise UsageError(
                f"{data.name}: {m} is {array.dtype} {list(array.shape)}, the model takes [N, {shape}]", hint
            )
        if (
            length.dtype != np.int32
            or length.shape != array.shape[:1]
            or (length < 0).any()
            or (length > shape[0]).any()
        ):
            raise UsageError(f"{data.name}: {m}_length must be int32 from 0 to {shape[0]}, one an utterance", hint)
        quality = data.arrays.get(f"{m}_quality", np.ones((len(array), QUALITIES), np.float32))
        if quality.shape != (len(array), QUALITIES) or quality.dtype != np.float32 or not _shares(quality):
            raise UsageError(f"{data.name}: {m}_quality must be float32 [N, {QUALITIES}], 0 to 1", hint)
        if not np.isfinite(array).all() or (integer and not _ids_fit(array, config)):
            raise UsageError(f"{data.name}: {m} has values that are not finite or outside the vocabulary", hint)
    return data


def _shares(values: np.ndarray) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _ids_fit(ids: np.ndarray, config: ModelConfig) -> bool:
    return bool((ids >= 0).all() and (ids < config.text.vocabulary).all())  # type: ignore[union-attr]


def pad_rows(
    rows: Mapping[Modality, list[np.ndarray]],
    config: ModelConfig,
    samples: int,
    name: str,
    *,
    quality: Mapping[Modality, list[np.ndarray]] | None = None,
) -> CalibrationSet:
    """Ragged features -> a set; a modality with fewer rows than the others is repeated, so that all masks are full.

    Args:
        quality: of each row, [2]; None where all is good.
    """
    arrays: dict[str, np.ndarray] = {}
    there = {m: r for m, r in rows.items() if r}
    count = min(samples, max((len(r) for r in there.values()), default=0))
    for m, found in there.items():
        shape = input_shape(config, m)
        integer = config.encoder(m).kind == "text"  # type: ignore[union-attr]
        array = np.zeros((count, *shape), np.int64 if integer else np.float32)
        length = np.zeros(count, np.int32)
        for i in range(count):
            row = found[i % len(found)][: shape[0]]
            array[i, : len(row)], length[i] = row, len(row)
        arrays[m.value], arrays[f"{m}_length"] = array, length
        if quality:
            arrays[f"{m}_quality"] = np.stack([quality[m][i % len(found)] for i in range(count)]).astype(np.float32)
    return CalibrationSet(name, arrays)
