"""The manifest: what an engine folder holds, for which mask and device, and the hash of every byte of it.

The reader trusts nothing: size limits, no links, no paths, no unknown or repeated keys.  What it hands out are the
bytes that it hashed, so nothing is ever executed from a file that was checked earlier and changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from emoje_edge.errors import EmojeError, UsageError, WorkError
from emoje_edge.extras import target
from emoje_edge.modality import Mask
from emoje_edge.shipped import DEFAULT, MODELS

SCHEMA = 1
FILE_NAME = "manifest.json"
WEIGHTS = "weights"  # the folder of files that several engines share
PRECISIONS = ("int8", "fp16", "fp32")
DTYPES = ("float32", "float16", "int64", "int32")
MAX_MANIFEST_BYTES = 1 << 20
MAX_ENGINE_BYTES = 4 << 30
TEMPERATURES = (0.05, 20.0)  # what can be meant: beyond, one class has all or every class the same
BATCH = "batch"  # the one dimension that may be dynamic

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
REINSTALL = f"reinstall the package: pip install --force-reinstall --no-deps {target()}"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its name, dtype (numpy's name) and shape, where `"batch"` stands for any batch size."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class FileEntry:
    """One file of the engine folder: a plain name (no folder), its SHA-256 and its size."""

    name: str
    sha256: str
    bytes: int


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
        reference: `fp32` or `quantised` (the quantised eager reference, of the same spec).
    """

    data: str
    samples: int
    agreement: float
    max_error: float
    aligned_error: float | None
    reference: str


@dataclass(frozen=True)
class Latency:
    """Time of one run at batch 1, ms, on the device that built it."""

    p50_ms: float
    p95_ms: float
    runs: int
    threads: int


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
        weights_sha256, spec_sha256: of the weights and of the quantisation spec (None in floating point).
        parity, latency: what the build measured; latency is None where the engine could not run at build time.
        target: the device it is for; `{"kind": "cpu"}` runs on any.
        versions: of the libraries that built it.
        built: UTC time, ISO 8601.
        temperature: the logits are divided by it, so that probabilities mean what they say; fitted on labelled
            utterances that the model was not trained on.  None where nobody did that (engines of before have no
            such field): their probabilities say too much or too little.
    """

    model: str
    mask: Mask
    backend: str
    precision: str
    reason: str
    key: str
    entry: str
    files: tuple[FileEntry, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...]
    weights_sha256: str
    spec_sha256: str | None
    parity: Parity
    latency: Latency | None
    target: Mapping[str, str | int]
    versions: Mapping[str, str]
    built: str
    temperature: float | None = None
    weights: tuple[FileEntry, ...] = ()
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
        return _Reader(source, rebuild or rebuild_command(None, None)).manifest(text)


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


class _Reader:
    """Turns JSON into a manifest; each refusal names the file, the field and the rebuild command."""

    def __init__(self, source: str, rebuild: str) -> None:
        self.source, self.rebuild = source, rebuild

    def fail(self, problem: str) -> NoReturn:
        raise WorkError(f"{self.source}: {problem}", self.rebuild)

    def manifest(self, text: str | bytes) -> Manifest:
        raw = self._json(text)
        schema = raw.get("schema")
        if isinstance(schema, int) and schema > SCHEMA:
            self.fail(f"manifest of schema {schema}, this version reads up to {SCHEMA}; upgrade emoje-edge")
        if schema != SCHEMA or isinstance(schema, bool):
            self.fail(f"schema {schema!r} is not {SCHEMA}")
        raw = {"temperature": None, "weights": [], **raw}  # engines built before there were these
        self._keys(raw, {f.name for f in fields(Manifest)}, "manifest")
        try:
            mask = Mask.parse(self._text(raw["mask"], "mask"))
        except EmojeError as error:
            self.fail(error.message)
        files = tuple(self._file(x) for x in self._list(raw["files"], "files"))
        weights = tuple(self._file(x) for x in self._list(raw["weights"], "weights"))
        names = [file.name.casefold() for file in (*files, *weights)]
        if not files or len(set(names)) != len(names):
            self.fail("files are none, or listed twice")
        if self._text(raw["entry"], "entry") not in {file.name for file in files}:
            self.fail(f"entry {raw['entry']!r} is not among the files")
        spec = raw["spec_sha256"]
        return Manifest(
            model=self._plain_name(raw["model"], "model"),
            mask=mask,
            backend=self._plain_name(raw["backend"], "backend"),
            precision=self._one_of(raw["precision"], PRECISIONS, "precision"),
            reason=self._text(raw["reason"], "reason"),
            key=self._sha(raw["key"], "key"),
            entry=raw["entry"],
            files=files,
            inputs=self._tensors(raw["inputs"], "inputs"),
            outputs=self._tensors(raw["outputs"], "outputs"),
            labels=tuple(self._text(x, "labels") for x in self._list(raw["labels"], "labels")),
            weights_sha256=self._sha(raw["weights_sha256"], "weights_sha256"),
            spec_sha256=None if spec is None else self._sha(spec, "spec_sha256"),
            parity=self._parity(raw["parity"]),
            latency=None if raw["latency"] is None else self._latency(raw["latency"]),
            target=self._flat(raw["target"], "target", (str, int)),
            versions=self._flat(raw["versions"], "versions", (str,)),
            built=self._text(raw["built"], "built"),
            temperature=self._temperature(raw.get("temperature")),
            weights=weights,
        )

    def _json(self, text: str | bytes) -> dict[str, Any]:
        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            if len({key for key, _ in pairs}) != len(pairs):
                raise ValueError("a key is given twice")
            return dict(pairs)

        def no_constant(name: str) -> NoReturn:
            raise ValueError(f"{name} is no number here")

        try:
            raw = json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
        except (ValueError, RecursionError) as error:
            self.fail(f"not a manifest: {error}")
        if not isinstance(raw, dict):
            self.fail("not a manifest: no JSON object")
        return raw

    def _keys(self, raw: Any, wanted: set[str], what: str) -> None:
        if not isinstance(raw, dict):
            self.fail(f"{what} is no JSON object")
        for problem, keys in (("lacks", wanted - raw.keys()), ("has unknown", raw.keys() - wanted)):
            if keys:
                self.fail(f"{what} {problem} {', '.join(sorted(map(repr, keys)))}")

    def _text(self, value: Any, what: str) -> str:
        if not isinstance(value, str) or not value:
            self.fail(f"{what}: {value!r} is no text")
        return value

    def _plain_name(self, value: Any, what: str) -> str:
        if not _NAME.fullmatch(self._text(value, what)):
            self.fail(f"{what}: {value!r} is no plain name (a path, link or odd character is never followed)")
        return value

    def _one_of(self, value: Any, allowed: tuple[str, ...], what: str) -> str:
        if value not in allowed:
            self.fail(f"{what}: {value!r} is none of {', '.join(allowed)}")
        return value

    def _sha(self, value: Any, what: str) -> str:
        if not _SHA256.fullmatch(self._text(value, what)):
            self.fail(f"{what}: {value!r} is no SHA-256")
        return value

    def _int(self, value: Any, what: str, limit: int = 1 << 31) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
            self.fail(f"{what}: {value!r} is no whole number from 0 to {limit}")
        return value

    def _float(self, value: Any, what: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e9:
            self.fail(f"{what}: {value!r} is no number from 0 to 1e9")
        return float(value)

    def _temperature(self, value: Any) -> float | None:
        try:
            return None if value is None else checked_temperature(value)
        except UsageError as error:
            self.fail(error.message)

    def _list(self, value: Any, what: str) -> list[Any]:
        if not isinstance(value, list) or len(value) > 64:
            self.fail(f"{what}: {str(value)[:60]!r} is no list of up to 64")
        return value

    def _flat(self, value: Any, what: str, types: tuple[type, ...]) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(
            isinstance(v, types) and not isinstance(v, bool) for v in value.values()
        ):
            self.fail(f"{what}: {str(value)[:60]!r} is no flat object")
        return dict(value)

    def _file(self, raw: Any) -> FileEntry:
        self._keys(raw, {"name", "sha256", "bytes"}, "file")
        name = self._plain_name(raw["name"], "file name")
        if name.casefold() == FILE_NAME:
            self.fail("the manifest lists itself")
        return FileEntry(name, self._sha(raw["sha256"], name), self._int(raw["bytes"], name, MAX_ENGINE_BYTES))

    def _tensors(self, value: Any, what: str) -> tuple[TensorSpec, ...]:
        tensors = []
        for raw in self._list(value, what):
            self._keys(raw, {"name", "dtype", "shape"}, what)
            shape = tuple(x if x == BATCH else self._int(x, f"{what} shape") for x in self._list(raw["shape"], what))
            tensors.append(
                TensorSpec(self._plain_name(raw["name"], what), self._one_of(raw["dtype"], DTYPES, what), shape)
            )
        if not tensors or len({t.name for t in tensors}) != len(tensors):
            self.fail(f"{what} are none, or listed twice")
        return tuple(tensors)

    def _parity(self, raw: Any) -> Parity:
        self._keys(raw, {f.name for f in fields(Parity)}, "parity")
        return Parity(
            data=self._text(raw["data"], "parity data"),
            samples=self._int(raw["samples"], "parity samples"),
            agreement=self._float(raw["agreement"], "parity agreement"),
            max_error=self._float(raw["max_error"], "parity max_error"),
            aligned_error=None if raw["aligned_error"] is None else self._float(raw["aligned_error"], "aligned_error"),
            reference=self._text(raw["reference"], "parity reference"),
        )

    def _latency(self, raw: Any) -> Latency:
        self._keys(raw, {f.name for f in fields(Latency)}, "latency")
        return Latency(
            p50_ms=self._float(raw["p50_ms"], "latency p50_ms"),
            p95_ms=self._float(raw["p95_ms"], "latency p95_ms"),
            runs=self._int(raw["runs"], "latency runs"),
            threads=self._int(raw["threads"], "latency threads"),
        )
