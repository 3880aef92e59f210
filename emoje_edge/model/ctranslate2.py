"""The variables of a CTranslate2 model folder, read without CTranslate2.

model.bin, little-endian: u32 version, text spec, u32 revision, u32 variables; each a text name, u8 rank, u32 sizes, u8
type, u32 bytes, data; then u32 aliases, two texts each.  A text is u16 length with its NUL, bytes, NUL.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.errors import UsageError

VERSION = 6  # of the file's form
_TYPES: dict[int, np.dtype[Any]] = {i: np.dtype(t) for i, t in enumerate(("<f4", "i1", "<i2", "<i4", "<f2"))}
_HINT = "convert the model anew with ct2-transformers-converter of CTranslate2 3 or 4, float32, float16 or int8"

Variables = dict[str, NDArray[np.generic]]


class _Reader:
    """Bytes read one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = memoryview(data), 0

    def number(self, form: str) -> int:
        size = struct.calcsize(form)
        return int(struct.unpack("<" + form, self.raw(size))[0])

    def text(self) -> str:
        return bytes(self.raw(self.number("H"))[:-1]).decode()

    def raw(self, size: int) -> memoryview:
        if self._at + size > len(self._data):
            raise ValueError("it ends too early")
        self._at += size
        return self._data[self._at - size : self._at]


def read_variables(folder: Path, spec: str) -> Variables:
    """Every variable and alias of the model.

    Raises:
        UsageError: no such file, another version or kind of model, damaged, or a type that is not read.
    """
    path = folder / "model.bin"
    try:
        reader = _Reader(path.read_bytes())
        version, found = reader.number("I"), reader.text()
        if version != VERSION:
            raise UsageError(f"{path} is of version {version} of CTranslate2's files, {VERSION} is read", _HINT)
        if found != spec:
            raise UsageError(f"{path} is a {found}", f"give a folder of a {spec}")
        reader.number("I")
        variables = dict(_variable(reader) for _ in range(reader.number("I")))
        for _ in range(reader.number("I")):
            alias = reader.text()
            variables[alias] = variables[reader.text()]
    except (OSError, ValueError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", _HINT) from error
    return variables


def weight(variables: Variables, name: str) -> NDArray[np.float32]:
    """A weight in float32; one of 8 bits times its rows' scales."""
    found = variables[name].astype(np.float32)
    if variables[name].dtype != np.int8:
        return found
    return found / variables[f"{name}_scale"].astype(np.float32).reshape(-1, *[1] * (found.ndim - 1))


def _variable(reader: _Reader) -> tuple[str, NDArray[np.generic]]:
    name = reader.text()
    shape = [reader.number("I") for _ in range(reader.number("B"))]
    kind, data = reader.number("B"), reader.raw(reader.number("I"))
    if kind not in _TYPES:
        raise ValueError(f"{name} is of the unknown type {kind}")
    return name, np.frombuffer(data, _TYPES[kind]).reshape(shape)
