"""The one reader of JSON: what it takes, and what it says of everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, ClassVar

import pytest
from emoje_calibration.strict_json import Malformed, between, matches, one_of, parse_object, read
from hypothesis import given
from hypothesis import strategies as st


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Even:
    def __init__(self, value: int) -> None:
        self.value = value

    @classmethod
    def parse(cls, text: str) -> Even:
        if int(text) % 2:
            raise ValueError(f"{text} is odd")
        return cls(int(text))


@dataclass(frozen=True)
class Circle:
    kind: ClassVar[str] = "circle"
    radius: float = 1.0


@dataclass(frozen=True)
class Square:
    kind: ClassVar[str] = "square"
    side: int = 2


@dataclass(frozen=True)
class Drawing:
    name: Annotated[str, matches(r"[a-z]+", "no plain name")]
    shapes: tuple[Circle | Square, ...]
    places: Mapping[str, Annotated[int, between(0, 9)]]
    ink: Colour = Colour.RED
    even: Even | None = None
    size: tuple[int | Annotated[str, one_of("any")], ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    seen: bool = False


GOOD: dict[str, Any] = {"name": "a", "shapes": [{"kind": "square", "side": 3}, {"kind": "circle"}], "places": {"x": 1}}


def test_a_file_becomes_the_dataclass() -> None:
    assert read(Drawing, GOOD, "drawing") == Drawing("a", (Square(3), Circle()), {"x": 1})
    rich = GOOD | {"ink": "blue", "even": "4", "size": [1, "any"], "pair": [1, 2.5], "seen": True}
    found = read(Drawing, rich, "drawing")
    assert (found.ink, found.size, found.pair, found.seen) == (Colour.BLUE, (1, "any"), (1.0, 2.5), True)
    assert found.even is not None
    assert found.even.value == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 3}, "name: 3 is no text"),
        ({"name": ""}, "name: '' is no text"),
        ({"name": "../a"}, "name: '../a' is no plain name"),
        ({"nam": "a"}, "drawing has unknown 'nam'"),
        ({"shapes": {}}, "shapes: {} is no list"),
        ({"shapes": [{"kind": "line"}]}, "shapes: kind 'line' is none of circle, square"),
        ({"shapes": [{"kind": "square", "side": True}]}, "side: True is no whole number"),
        ({"shapes": [{"kind": "circle", "radius": float("nan")}]}, "radius: nan is no number"),
        ({"places": {"x": 10}}, "places x: 10 is no whole number from 0 to 9"),
        ({"places": []}, "places is no JSON object"),
        ({"ink": "green"}, "ink: 'green' is none of red, blue"),
        ({"even": "3"}, "even: 3 is odd"),
        ({"size": ["all"]}, "size: 'all' is none of any"),
        ({"pair": [1]}, r"pair: \[1\] is no list of 2"),
        ({"seen": 1}, "seen: 1 is no true or false"),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Malformed, match=words):
        read(Drawing, GOOD | change, "drawing")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(Malformed, match="drawing lacks 'places', 'shapes'"):
        read(Drawing, {"name": "a"}, "drawing")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "Expecting"), ("[1]", "no JSON object"), ('{"a": 1, "a": 2}', "twice"), ('{"a": NaN}', "NaN is no number")],
)
def test_what_is_no_object_is_refused(text: str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        parse_object(text)


VALUES = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.just({"kind": "circle"})


@given(st.dictionaries(st.sampled_from([*GOOD, "ink", "even", "size", "pair", "seen"]), VALUES))
def test_any_values_give_the_dataclass_or_a_clear_error(change: dict[str, Any]) -> None:
    try:
        found = read(Drawing, GOOD | change, "drawing")
    except Malformed:
        return
    assert isinstance(found, Drawing)
