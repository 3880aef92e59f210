"""Calibration sets: utterances as the engines take them, by name, with a hash.

Four sources: the set that ships (`synthetic`), an `.npz` file, a labelled corpus (`meld:FOLDER`), or recordings of
your own (a file or folder, through perception).  See docs/calibration.md for how to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import emoje_edge
from emoje_calibration.hashes import arrays_sha256
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.model.config import ModelConfig
from emoje_edge.model.network import MaskedNetwork, input_shape
from emoje_edge.perception.text import Tokeniser

STEPS = 8  # utterances a dialogue: the state is part of what is calibrated
SHIPPED = "synthetic"
SHIPPED_TOKENIZER = Path(emoje_edge.__file__).parent / "assets" / "tokenizer.json"
HELP = "NAME.npz | a recording or folder of recordings | DATASET:FOLDER (emoje-edge train --help lists them)"


@dataclass(frozen=True, eq=False)
class CalibrationSet:
    """N utterances.

    Args:
        name: for the spec and the manifest.
        arrays: for each modality `m` the padded features [N, ...] and `m_length` [N] int32; a modality may be absent
            from the whole set.  Rows of different modalities need not belong together.
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
        """Inputs of `network`, in order: dialogues of `STEPS` utterances, each with the state that the last one left.

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
            for step in range(steps):
                chosen = members[:, step]
                features = [torch.from_numpy(self.arrays[name][chosen]) for name in network.input_names[:-2]]
                # half of the turns change the speaker, the first ones have none before
                turn = (
                    torch.from_numpy((chosen % 2).astype(np.float32))[:, None]
                    if step
                    else torch.full((len(chosen), 1), 0.5)
                )
                inputs = (*features, turn, state)
                yield inputs
                with torch.no_grad():
                    state = network(*inputs)[2]


def open_set(source: str | None, config: ModelConfig, tokenizer: Path | None, samples: int) -> CalibrationSet:
    """The calibration set that `--data` names (None: the one that ships), cut to `samples` utterances.

    Raises:
        UsageError: no such file, folder or corpus, or arrays that do not fit the model.
        WorkError: an unreadable file.
    """
    if source is None or source == SHIPPED:
        from emoje_calibration.synthetic import synthetic_set

        return checked(synthetic_set(config, tokenizer, samples), config)
    name, _, folder = source.partition(":")
    if folder and name.replace("-", "").isalnum() and len(name) > 1:
        return checked(_corpus(name, Path(folder), config, tokenizer, samples), config)
    path = Path(source)
    if not path.exists():
        raise UsageError(f"no calibration data {source}", f"allowed: {HELP}")
    if path.suffix == ".npz":
        return checked(_npz(path).head(samples), config)
    return checked(_recordings(path, config, tokenizer, samples), config)


def checked(data: CalibrationSet, config: ModelConfig) -> CalibrationSet:
    """`data` itself, when it fits the model.

    Raises:
        UsageError: a wrong shape, dtype or length, an unknown array, no utterance at all; named.
    """
    hint = "a modality m has m [N, ...] and m_length [N] int32; see docs/calibration.md"
    names = {m.value for m in config.mask}
    known = names | {f"{m}_length" for m in names}
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
        if not np.isfinite(array).all() or (integer and not _ids_fit(array, config)):
            raise UsageError(f"{data.name}: {m} has values that are not finite or outside the vocabulary", hint)
    return data


def _ids_fit(ids: np.ndarray, config: ModelConfig) -> bool:
    return bool((ids >= 0).all() and (ids < config.text.vocabulary).all())  # type: ignore[union-attr]


def _npz(path: Path) -> CalibrationSet:
    try:
        with np.load(path, allow_pickle=False) as file:
            return CalibrationSet(path.stem, {name: file[name] for name in file.files})
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise WorkError(f"{path} is no readable .npz: {error}", f"allowed: {HELP}") from error
    except Exception as error:  # zipfile and zlib raise their own
        raise WorkError(f"{path} is damaged: {error}", f"allowed: {HELP}") from error


def pad_rows(rows: Mapping[Modality, list[np.ndarray]], config: ModelConfig, samples: int, name: str) -> CalibrationSet:
    """Ragged features -> a set; a modality with fewer rows than the others is repeated, so that all masks are full."""
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
    return CalibrationSet(name, arrays)


def encode_with(tokenizer: Path | None) -> Callable[[str], Any]:
    """Words -> token ids, with the model's own tokeniser or the one that ships."""
    return tokeniser_of(tokenizer).encode


def tokeniser_of(path: Path | None) -> Tokeniser:
    return Tokeniser(path or SHIPPED_TOKENIZER)


def _corpus(name: str, root: Path, config: ModelConfig, tokenizer: Path | None, samples: int) -> CalibrationSet:
    from emoje_edge.training.batching import Collator
    from emoje_edge.training.datasets import open_dataset

    corpus = open_dataset(name, root)
    order = np.random.default_rng(0).permutation(len(corpus.samples))[:samples]
    collate = Collator(config, encode_with(tokenizer))
    rows: dict[Modality, list[np.ndarray]] = {m: [] for m in config.mask}
    for i in order:
        for m in config.mask:
            array = collate.array(corpus.samples[i], m)
            if array is not None and len(array):
                rows[m].append(np.asarray(array))
    return pad_rows(rows, config, samples, name)


def _recordings(path: Path, config: ModelConfig, tokenizer: Path | None, samples: int) -> CalibrationSet:
    from emoje_edge.perception.perceive import perceive

    tokeniser = tokeniser_of(tokenizer)
    rows: dict[Modality, list[np.ndarray]] = {m: [] for m in config.mask}
    failures = []
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file() or max(map(len, rows.values())) >= samples:
            continue
        try:
            for utterance in perceive(file, tokeniser=tokeniser):
                for m, features in utterance.features.items():
                    if m in rows and len(features):
                        rows[m].append(features)
        except WorkError as error:
            failures.append(error)
    if not any(rows.values()):
        raise failures[0] if failures else UsageError(f"{path} holds no recording", f"allowed: {HELP}")
    return pad_rows(rows, config, samples, path.stem)
