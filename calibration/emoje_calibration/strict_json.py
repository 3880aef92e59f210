"""JSON from outside into frozen dataclasses, by their annotations: the one reader of manifests, specs and settings.

Nothing is believed: no key twice, none unknown, none missing (but those with a default), no NaN, no value of another
type, no endless list.  What an annotation cannot say is a check in `Annotated`:

    @dataclass(frozen=True)
    class FileEntry:
        sha256: Annotated[str, matches(r"[0-9a-f]{64}", "no SHA-256")]

Read are str (not empty), bool, int, float, enums, classes that `parse` a text, `X | None`, `tuple[X, ...]`, mappings
from str, dataclasses, and unions of dataclasses that tell themselves apart by a class attribute `kind`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

MOST_ITEMS = 1 << 16  # of a list or an object
T = TypeVar("T")
Check = Callable[[Any, str], Any]  # (value, its name) -> the value to keep; raises Malformed


class Malformed(ValueError):
    """What is wrong and where in the file, in words that may follow the file's name."""


def parse_object(text: str | bytes) -> dict[str, Any]:
    """The JSON object in a text.

    Raises:
        Malformed: no JSON, no object, a key twice, NaN or Infinity.
    """
    try:
        raw = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
    return _object(raw, "the file")


def read(cls: type[T], raw: Any, what: str) -> T:
    """`raw` as a `cls`, a dataclass.

    Args:
        raw: parsed JSON.
        what: its name in messages.

    Raises:
        Malformed: anything that the annotations of `cls` do not allow.
    """
    values, hints = _object(raw, what), _hints(cls)  # type: ignore[arg-type]  # mypy takes no type for hashable
    known = {f.name: f for f in fields(cls) if f.init}  # type: ignore[arg-type]
    needed = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    for problem, keys in (("lacks", needed - values.keys()), ("has unknown", values.keys() - known.keys())):
        if keys:
            raise Malformed(f"{what} {problem} {', '.join(sorted(map(repr, keys)))}")
    return cls(**{name: _value(hints[name], value, name) for name, value in values.items()})


def matches(pattern: str, problem: str) -> Check:
    """A text that the pattern fits as a whole."""
    whole = re.compile(pattern)

    def check(value: Any, what: str) -> Any:
        if not whole.fullmatch(value):
            raise Malformed(f"{what}: {value!r} is {problem}")
        return value

    return check


def between(low: float, high: float) -> Check:
    """A number from `low` to `high`."""

    def check(value: Any, what: str) -> Any:
        if not low <= value <= high:
            kind = "whole number" if isinstance(value, int) else "number"
            raise Malformed(f"{what}: {value!r} is no {kind} from {low:g} to {high:g}")
        return value

    return check


def one_of(*allowed: str) -> Check:
    """One of these texts."""

    def check(value: Any, what: str) -> Any:
        if value not in allowed:
            raise Malformed(f"{what}: {value!r} is none of {', '.join(allowed)}")
        return value

    return check


def _value(hint: Any, value: Any, what: str) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        value = _value(parts[0], value, what)
        for check in parts[1:]:
            value = value if value is None else check(value, what)
        return value
    if origin in (Union, UnionType):
        return _union(parts, value, what)
    if origin is tuple:
        if not isinstance(value, list | tuple) or len(value) > MOST_ITEMS:
            raise Malformed(f"{what}: {_short(value)} is no list")
        hints = [parts[0]] * len(value) if parts[1:] == (...,) else list(parts)
        if len(hints) != len(value):
            raise Malformed(f"{what}: {_short(value)} is no list of {len(hints)}")
        return tuple(_value(h, x, what) for h, x in zip(hints, value, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {name: _value(parts[1], x, f"{what} {name}") for name, x in _object(value, what).items()}
    if is_dataclass(hint) and not hasattr(hint, "parse"):
        return read(hint, value, what)  # type: ignore[arg-type]
    return _plain(hint, value, what)


def _plain(hint: Any, value: Any, what: str) -> Any:
    if hint is bool and isinstance(value, bool):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        if value not in [member.value for member in hint]:
            raise Malformed(f"{what}: {_short(value)} is none of {', '.join(str(m.value) for m in hint)}")
        return hint(value)
    if hint is str and isinstance(value, str) and value:
        return value
    if hasattr(hint, "parse") and isinstance(value, str):
        try:
            return hint.parse(value)
        except ValueError as error:
            raise Malformed(f"{what}: {getattr(error, 'message', error)}") from error
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    raise Malformed(f"{what}: {_short(value)} is no {names.get(hint, hint)}")


def _union(parts: tuple[Any, ...], value: Any, what: str) -> Any:
    """`X | None`, plain types, or dataclasses by their `kind`."""
    if value is None and NoneType in parts:
        return None
    parts = tuple(part for part in parts if part is not NoneType)
    kinds = {part.kind: part for part in parts if is_dataclass(part) and hasattr(part, "kind")}
    if kinds:
        rest = dict(_object(value, what))
        kind = rest.pop("kind", None)
        if kind not in kinds:
            raise Malformed(f"{what}: kind {kind!r} is none of {', '.join(map(str, kinds))}")
        return read(kinds[kind], rest, what)  # type: ignore[arg-type]
    for part in parts[:-1]:
        try:
            return _value(part, value, what)
        except Malformed:
            continue
    return _value(parts[-1], value, what)


def _object(raw: Any, what: str) -> dict[str, Any]:
    if not isinstance(raw, Mapping) or len(raw) > MOST_ITEMS:
        raise Malformed(f"{what} is no JSON object")
    return dict(raw)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number here")
