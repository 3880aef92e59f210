"""The manifest: what an engine folder holds, for which mask and device, and the hash of every byte of it.

The reader trusts nothing: size limits, no links, no paths, no unknown or repeated keys.  What it hands out are the
bytes that it hashed, so nothing is ever executed from a file that was checked earlier and changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from emoje_calibration import strict_json
from emoje_calibration.strict_json import Malformed, between, matches, one_of

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.extras import target
from emoje_edge.modality import Mask
from emoje_edge.shipped import DEFAULT, MODELS

SCHEMA = 1
FILE_NAME = "manifest.json"
TOKENIZER_FILE = "tokenizer.json"  # in an engine whose words are read with another than the package's
WEIGHTS = "weights"  # the folder of files that several engines share
PRECISIONS = ("int8", "fp16", "fp32")
DTYPES = ("float32", "float16", "int64", "int32")
MAX_MANIFEST_BYTES = 1 << 20
MAX_ENGINE_BYTES = 4 << 30
TEMPERATURES = (0.05, 20.0)  # what can be meant: beyond, one class has all or every class the same
BATCH = "batch"  # the one dimension that may be dynamic

PlainName = Annotated[
    str,
    matches(
        r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}",
        "no plain name (a path, link or odd character is never followed)",
    ),
]
Sha256 = Annotated[str, matches(r"[0-9a-f]{64}", "no SHA-256")]
Count = Annotated[int, between(0, 1 << 31)]
Amount = Annotated[float, between(0, 1e9)]
REINSTALL = f"reinstall the package: pip install --force-reinstall --no-deps {target()}"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its name, dtype (numpy's name) and shape, where `"batch"` stands for any batch size."""

    name: PlainName
    dtype: Annotated[str, one_of(*DTYPES)]
    shape: tuple[Count | Annotated[str, one_of(BATCH)], ...]


@dataclass(frozen=True)
class FileEntry:
    """One file of the engine folder: a plain name (no folder), its SHA-256 and its size."""

    name: PlainName
    sha256: Sha256
    bytes: Annotated[int, between(0, MAX_ENGINE_BYTES)]


@dataclass(frozen=True)
class Parity:
    """How the engine compares with eager torch in fp32 on the calibration set.

    Attributes:
        data: name of that set.
        samples: utterances compared.
        agreement: share of equal labels, 0 to 1.
        max_error: largest absolute difference of any output, against `reference`.
        aligned_error: the same where both round values that lie between two integers alike; None where that was not
            measured.  Two right INT8 implementations differ in `max_error`: float noise of 1e-7 tips such a value,
            and later ones with it.
        reference: `fp32` or `quantized` (the quantized eager reference, of the same spec).
    """

    data: str
    samples: Count
    agreement: Amount
    max_error: Amount
    aligned_error: Amount | None
    reference: str


@dataclass(frozen=True)
class Latency:
    """Time of one run at batch 1, ms, on the device that built it."""

    p50_ms: Amount
    p95_ms: Amount
    runs: Count
    threads: Count


@dataclass(frozen=True)
class Manifest:
    """Everything there is to know about one engine.

    Attributes:
        model: name of the trained model.
        mask: modalities it runs on.
        backend: `onnx`, `tensorrt` or `aot`.
        precision: `int8`, `fp16` or `fp32`.
        reason: why this precision was taken.
        key: SHA-256 of everything that the build depends on; its first 12 digits name the folder.
        entry: the file that the backend opens.
        files: every file of the engine folder but the manifest.
        weights: files that other engines share, in a `weights` folder beside (`engine.weights`).
        inputs, outputs: in the order of docs/decisions/0001-engine-inputs.md.
        labels: names of the logits.
        weights_sha256, spec_sha256: of the weights and of the quantization spec (None in floating point).
        parity, latency: what the build measured; latency is None where the engine could not run at build time.
        target: the device it is for; `{"kind": "cpu"}` runs on any.
        versions: of the libraries that built it.
        built: UTC time, ISO 8601.
        temperature: the logits are divided by it, so that probabilities mean what they say; fitted on labelled
            utterances that the model was not trained on.  None where nobody did that (engines of before have no
            such field): their probabilities say too much or too little.
        tokenizer: SHA-256 of the tokenizer that its words are read with, which is the package's or, where it is among
            `files`, the engine's own.  None without words, and in engines of before.
    """

    model: PlainName
    mask: Mask
    backend: PlainName
    precision: Annotated[str, one_of(*PRECISIONS)]
    reason: str
    key: Sha256
    entry: str
    files: tuple[FileEntry, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...]
    weights_sha256: Sha256
    spec_sha256: Sha256 | None
    parity: Parity
    latency: Latency | None
    target: Mapping[str, str | int]
    versions: Mapping[str, str]
    built: str
    temperature: Annotated[float, between(*TEMPERATURES)] | None = None
    weights: tuple[FileEntry, ...] = ()
    tokenizer: Sha256 | None = None
    schema: int = SCHEMA

    @property
    def size(self) -> int:
        """Bytes of the engine's files together, those included that others share."""
        return sum(file.bytes for file in (*self.files, *self.weights))

    @property
    def rebuild(self) -> str:
        return rebuild_command(self.mask, self.backend, self.model)

    def to_json(self) -> str:
        raw = asdict(self) | {"mask": str(self.mask)}
        return json.dumps({"schema": raw.pop("schema"), **raw}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str = FILE_NAME, rebuild: str = "") -> Manifest:
        """Read what `to_json` wrote.

        Args:
            source: the file's name for messages.
            rebuild: the command that makes a good one, for messages.

        Raises:
            WorkError: anything that is not exactly a manifest of this schema.
        """
        try:
            return _parse(text)
        except Malformed as error:
            raise WorkError(f"{source}: {error}", rebuild or rebuild_command(None, None)) from error


def checked_temperature(value: object) -> float:
    """A temperature that can be divided by.

    Raises:
        UsageError: no number, or none from 0.05 to 20 (zero, negative, infinite, NaN).
    """
    low, high = TEMPERATURES
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"temperature: {value!r} is no number from {low} to {high}", "fit it on held-out utterances")
    return float(value)


def rebuild_command(mask: Mask | None, backend: str | None, model: str | None = None) -> str:
    """The hint that ends every refusal."""
    which = "" if model in (None, DEFAULT) else f" --model {model if (MODELS / model).is_dir() else 'RUN'}"
    return f"rebuild it: emoje-edge build{which} --mask {mask or 'all'} --backend {backend or 'onnx'}"


def read_manifest(folder: Path, *, rebuild: str = "") -> Manifest:
    """The manifest of an engine folder.  The engine's files are not read; see `read_files`.

    Raises:
        WorkError: missing, a link, too large, malformed, of a newer schema.
    """
    rebuild = rebuild or rebuild_command(None, None)
    path = folder / FILE_NAME
    return Manifest.from_json(_read(path, MAX_MANIFEST_BYTES, rebuild), source=str(path), rebuild=rebuild)


def read_files(folder: Path, manifest: Manifest, *, rebuild: str = "") -> dict[str, bytes]:
    """Every file of the engine, read once and checked against size and hash: use these bytes, never the path.

    Raises:
        WorkError: a file is missing, a link, or altered; the message names it.
    """
    rebuild = rebuild or manifest.rebuild
    content = {entry.name: _checked(folder / entry.name, entry, rebuild) for entry in manifest.files}
    for entry in manifest.weights:
        content[entry.name] = _checked(_shared(folder, entry, rebuild), entry, rebuild)
    return content


def _checked(path: Path, entry: FileEntry, rebuild: str) -> bytes:
    data = _read(path, entry.bytes, rebuild)
    if len(data) != entry.bytes:
        raise WorkError(f"{path} is truncated: {len(data)} of {entry.bytes} bytes", rebuild)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise WorkError(f"{path} was altered: its SHA-256 is not the manifest's", rebuild)
    return data


def _shared(folder: Path, entry: FileEntry, rebuild: str) -> Path:
    """Where a shared file lies: the `weights` folder beside the mask's, for engines that ship and those built here."""
    places = [parent / WEIGHTS for parent in folder.absolute().parents[:2]]
    for place in places:
        if os.path.lexists(place / entry.name):
            return place / entry.name
    branch = entry.name.partition("-")[0]
    others = [path.name for place in places for path in sorted(place.glob(f"{branch}-*.bin"))]
    held = f", where {', '.join(others)} are of another model" if others else ""
    where = next((place for place in places if place.is_dir()), places[0])
    problem = f"{where / entry.name} is missing{held}: {folder} needs it"
    raise WorkError(problem, f"copy engines with `emoje-edge engines copy`, or {rebuild}")


def _read(path: Path, limit: int, rebuild: str) -> bytes:
    """Up to `limit` bytes of a regular file.  Links, pipes and devices are refused: not followed, not waited for."""
    try:
        if path.is_symlink():
            raise WorkError(f"{path} is a link; an engine's files must lie in its folder", rebuild)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise WorkError(f"{path} is not a regular file", rebuild)
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise WorkError(f"{path} is missing", rebuild) from None
    except OSError as error:
        raise WorkError(f"cannot read {path}: {error.strerror}", rebuild) from error
    if len(data) > limit:
        raise WorkError(f"{path} is larger than the {limit} bytes expected", rebuild)
    return data


def _parse(text: str | bytes) -> Manifest:
    """The manifest in a text.

    Raises:
        Malformed: anything that is not exactly a manifest of this schema.
    """
    try:
        raw = strict_json.parse_object(text)
    except Malformed as error:
        raise Malformed(f"not a manifest: {error}") from error
    schema = raw.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise Malformed(f"manifest of schema {schema}, this version reads up to {SCHEMA}; upgrade emoje-edge")
    if schema != SCHEMA or isinstance(schema, bool):
        raise Malformed(f"schema {schema!r} is not {SCHEMA}")
    manifest = strict_json.read(Manifest, raw, "manifest")
    names = [file.name.casefold() for file in (*manifest.files, *manifest.weights)]
    if FILE_NAME in names:
        raise Malformed("the manifest lists itself")
    if not manifest.files or len(set(names)) != len(names):
        raise Malformed("files are none, or listed twice")
    if manifest.entry not in {file.name for file in manifest.files}:
        raise Malformed(f"entry {manifest.entry!r} is not among the files")
    for what, tensors in (("inputs", manifest.inputs), ("outputs", manifest.outputs)):
        if not tensors or len({t.name for t in tensors}) != len(tensors):
            raise Malformed(f"{what} are none, or listed twice")
    return manifest
