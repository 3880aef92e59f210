"""The quantisation spec: which tensors are INT8, with what range, found how, on which weights and data.

One JSON file a model, meant to be read and compared by people.  Weight ranges hold for every mask; input ranges were
collected mask by mask, because what a layer sees depends on which modalities speak.  Both emitters (ONNX, TensorRT)
and the eager reference work from this file alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from emoje_calibration.errors import SpecError

SCHEMA = 1
KINDS = ("linear", "conv", "embedding")
GRANULARITIES = ("tensor", "channel")
MAX_BYTES = 64 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Range:
    """One tensor's range.

    Attributes:
        method: the observer that found it: `max`, `percentile-99.99`, `mse`, `entropy`.
        granularity: `tensor` (one amax) or `channel` (one an output channel).
        amax: largest magnitude represented; the step is amax / 127.
    """

    method: str
    granularity: str
    amax: tuple[float, ...]


@dataclass(frozen=True)
class LayerSpec:
    """One INT8 layer for one mask; `input` is None where only the weight is quantised."""

    kind: str
    weight: Range
    input: Range | None


@dataclass(frozen=True)
class MaskSpec:
    """What holds for one mask.

    Attributes:
        inputs: layer -> range of its input; an embedding or convolution without one has INT8 weights alone.
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
            if name not in excluded and (name in inputs or (kind != "linear" and _in_mask(name, mask)))
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
        return _Reader(source).spec(text)


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


def _in_mask(layer: str, mask: str) -> bool:
    return any(layer.startswith(f"encoders.{m}.") for m in mask.split(","))


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source

    def fail(self, problem: str) -> NoReturn:
        raise SpecError(f"{self.source}: {problem}")

    def spec(self, text: str | bytes) -> Spec:
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            self.fail(f"not a spec: {error}")
        schema = raw.get("schema") if isinstance(raw, dict) else None
        if isinstance(schema, int) and schema > SCHEMA:
            self.fail(f"spec of schema {schema}, this version reads up to {SCHEMA}; upgrade emoje-edge")
        if schema != SCHEMA:
            self.fail(f"schema {schema!r} is not {SCHEMA}")
        self._keys(raw, {f.name for f in fields(Spec)}, "the spec")
        for name in ("weights_sha256", "data_sha256"):
            if not isinstance(raw[name], str) or not _SHA256.fullmatch(raw[name]):
                self.fail(f"{name}: {raw[name]!r} is no SHA-256")
        weights = {}
        for name, layer in self._dict(raw["weights"], "weights").items():
            self._keys(layer, {"kind", "method", "granularity", "amax"}, name)
            if layer["kind"] not in KINDS:
                self.fail(f"{name}: kind {layer['kind']!r} is none of {', '.join(KINDS)}")
            weights[name] = (layer["kind"], self._range({k: v for k, v in layer.items() if k != "kind"}, name))
        masks = {}
        known = {name.split(".")[1] for name in weights if name.startswith("encoders.")}
        for mask, found in self._dict(raw["masks"], "masks").items():
            unknown = sorted(set(mask.split(",")) - known)
            if unknown:
                self.fail(f"mask {mask}: no layer of {', '.join(unknown)} has a range")
            masks[mask] = self._mask(found, mask, weights)
        return Spec(
            model=str(raw["model"]),
            weights_sha256=raw["weights_sha256"],
            data=str(raw["data"]),
            data_sha256=raw["data_sha256"],
            samples=int(self._number(raw["samples"], "samples")),
            budget=self._number(raw["budget"], "budget"),
            weights=weights,
            masks=masks,
        )

    def _mask(self, raw: Any, what: str, weights: Mapping[str, Any]) -> MaskSpec:
        self._keys(raw, {f.name for f in fields(MaskSpec)}, what)
        inputs = {name: self._range(r, f"{what} {name}") for name, r in self._dict(raw["inputs"], what).items()}
        excluded = {name: str(reason) for name, reason in self._dict(raw["excluded"], what).items()}
        unknown = (inputs.keys() | excluded.keys()) - weights.keys()
        if unknown:
            self.fail(f"{what}: no weight range for {', '.join(sorted(unknown))}")
        for name, found in inputs.items():
            if len(found.amax) != 1:
                self.fail(f"{what} {name}: an input has one amax, here are {len(found.amax)}")
        return MaskSpec(inputs, excluded, self._number(raw["agreement"], f"{what} agreement"))

    def _range(self, raw: Any, what: str) -> Range:
        self._keys(raw, {f.name for f in fields(Range)}, what)
        amax = raw["amax"]
        if not isinstance(amax, list) or not amax or any(self._number(x, what) <= 0 for x in amax):
            self.fail(f"{what}: amax must be a list of numbers above 0")
        if raw["granularity"] not in GRANULARITIES:
            self.fail(f"{what}: granularity {raw['granularity']!r} is none of {', '.join(GRANULARITIES)}")
        return Range(str(raw["method"]), raw["granularity"], tuple(float(x) for x in amax))

    def _keys(self, raw: Any, wanted: set[str], what: str) -> None:
        found = self._dict(raw, what).keys()
        if found != wanted:
            self.fail(f"{what}: keys {sorted(found)} instead of {sorted(wanted)}")

    def _dict(self, raw: Any, what: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            self.fail(f"{what}: no JSON object")
        return raw

    def _number(self, value: Any, what: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            self.fail(f"{what}: {value!r} is no number")
        return float(value)
