"""The quantization spec: which tensors are INT8, with what range, found how, on which weights and data.

One JSON file a model, meant to be read and compared by people.  Weight ranges hold for every mask; input ranges were
collected mask by mask, because what a layer sees depends on which modalities speak.  Both emitters (ONNX, TensorRT)
and the eager reference work from this file alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from emoje_calibration import strict_json
from emoje_calibration.errors import SpecError
from emoje_calibration.strict_json import Malformed, matches, one_of

SCHEMA = 1
KINDS = ("linear", "conv", "embedding")
GRANULARITIES = ("tensor", "channel")
MAX_BYTES = 64 << 20
Sha256 = Annotated[str, matches(r"[0-9a-f]{64}", "no SHA-256")]


def _positive(values: tuple[float, ...], what: str) -> tuple[float, ...]:
    if not values or min(values) <= 0:
        raise Malformed(f"{what}: amax must be a list of numbers above 0")
    return values


@dataclass(frozen=True)
class Range:
    """One tensor's range.

    Attributes:
        method: the observer that found it: `max`, `percentile-99.99`, `mse`, `entropy`.
        granularity: `tensor` (one amax) or `channel` (one an output channel).
        amax: largest magnitude represented; the step is amax / 127.
    """

    method: str
    granularity: Annotated[str, one_of(*GRANULARITIES)]
    amax: Annotated[tuple[float, ...], _positive]


@dataclass(frozen=True)
class LayerSpec:
    """One INT8 layer for one mask; `input` is None where only the weight is quantized."""

    kind: str
    weight: Range
    input: Range | None


@dataclass(frozen=True)
class MaskSpec:
    """What holds for one mask.

    Attributes:
        inputs: layer -> range of its input; a layer of an encoder without one has INT8 weights alone.
        excluded: layer -> why it stays in floating point (measured, see `emoje_calibration.sensitivity`).
        agreement: share of equal labels with fp32 on the calibration set, 0 to 1, after the exclusions.
    """

    inputs: Mapping[str, Range]
    excluded: Mapping[str, str]
    agreement: float


@dataclass(frozen=True)
class Spec:
    """The whole spec.

    Attributes:
        model: name of the model.
        weights_sha256: `emoje_calibration.hashes.weights_sha256` of the network it was made for.
        data, data_sha256, samples: the calibration set.
        budget: smallest agreement with fp32 that was accepted, 0 to 1.
        weights: layer -> (kind, range), shared by all masks.
        masks: mask, such as `text,pose` -> what holds for it.
    """

    model: str
    weights_sha256: str
    data: str
    data_sha256: str
    samples: int
    budget: float
    weights: Mapping[str, tuple[str, Range]]
    masks: Mapping[str, MaskSpec]
    schema: int = SCHEMA

    def layers(self, mask: str) -> dict[str, LayerSpec]:
        """The INT8 layers of this mask's network, by name in `AmEmoje`.

        Raises:
            SpecError: the mask was not calibrated.
        """
        if mask not in self.masks:
            has = "; ".join(self.masks)
            raise SpecError(f"the spec of {self.model} has no ranges for mask {mask}, only for {has}")
        inputs, excluded = self.masks[mask].inputs, self.masks[mask].excluded
        return {
            name: LayerSpec(kind, weight, inputs.get(name))
            for name, (kind, weight) in self.weights.items()
            if name not in excluded and (name in inputs or in_encoder(name, mask))
        }

    def check_weights(self, weights_sha256: str) -> None:
        """Raises SpecError where the spec was made for other weights."""
        if weights_sha256 != self.weights_sha256:
            raise SpecError(
                f"the spec was calibrated for weights {self.weights_sha256[:12]}, the model has {weights_sha256[:12]}"
            )

    def to_json(self) -> str:
        """Indented JSON with each list of ranges on one line."""
        raw = {
            "schema": self.schema,
            "model": self.model,
            "weights_sha256": self.weights_sha256,
            "data": self.data,
            "data_sha256": self.data_sha256,
            "samples": self.samples,
            "budget": self.budget,
            "weights": {name: {"kind": kind, **asdict(found)} for name, (kind, found) in self.weights.items()},
            "masks": {mask: asdict(found) for mask, found in self.masks.items()},
        }
        text = json.dumps(raw, indent=1)
        return re.sub(r"\[[^\[\]{}]*\]", lambda m: re.sub(r"\s+", " ", m.group()), text) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "spec") -> Spec:
        """Read what `to_json` wrote.

        Raises:
            SpecError: not a spec of this schema; the message names the field.
        """
        try:
            return _parse(text)
        except Malformed as error:
            raise SpecError(f"{source}: {error}") from error


def read_spec(path: Path) -> Spec:
    """The spec in a file.

    Raises:
        SpecError: missing, unreadable or malformed.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"cannot read the spec {path}: {error.strerror}") from error
    if len(text) > MAX_BYTES:
        raise SpecError(f"{path} is too large for a spec")
    return Spec.from_json(text, str(path))


def in_encoder(layer: str, mask: str) -> bool:
    """Whether a layer belongs to an encoder of one of the mask's modalities, whose weights all masks share."""
    return any(layer.startswith(f"encoders.{m}.") for m in mask.split(","))


@dataclass(frozen=True)
class _Weight(Range):
    """A weight's range in the file, with its layer's kind beside it."""

    kind: Annotated[str, one_of(*KINDS)]


@dataclass(frozen=True)
class _File:
    """The file as it is written."""

    schema: int
    model: str
    weights_sha256: Sha256
    data: str
    data_sha256: Sha256
    samples: int
    budget: float
    weights: Mapping[str, _Weight]
    masks: Mapping[str, MaskSpec]


def _parse(text: str | bytes) -> Spec:
    """The spec in a text.

    Raises:
        Malformed: not a spec of this schema.
    """
    try:
        raw = strict_json.parse_object(text)
    except Malformed as error:
        raise Malformed(f"not a spec: {error}") from error
    schema = raw.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise Malformed(f"spec of schema {schema}, this version reads up to {SCHEMA}; upgrade emoje-edge")
    if schema != SCHEMA:
        raise Malformed(f"schema {schema!r} is not {SCHEMA}")
    file = strict_json.read(_File, raw, "the spec")
    known = {name.split(".")[1] for name in file.weights if name.startswith("encoders.")}
    for mask, found in file.masks.items():
        unknown = sorted(set(mask.split(",")) - known)
        if unknown:
            raise Malformed(f"mask {mask}: no layer of {', '.join(unknown)} has a range")
        unknown = sorted((found.inputs.keys() | found.excluded.keys()) - file.weights.keys())
        if unknown:
            raise Malformed(f"{mask}: no weight range for {', '.join(unknown)}")
        for name, one in found.inputs.items():
            if len(one.amax) != 1:
                raise Malformed(f"{mask} {name}: an input has one amax, here are {len(one.amax)}")
    weights = {n: (w.kind, Range(w.method, w.granularity, w.amax)) for n, w in file.weights.items()}
    return Spec(**{**vars(file), "weights": weights})
