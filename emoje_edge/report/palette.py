"""One colour for each emotion and modality, the same in the timeline and in the skeleton video.

Emotions: Okabe and Ito's set (https://jfly.uni-koeln.de/color/), told apart by colour-blind people too; never
without the name beside it.
"""

from collections.abc import Sequence

EMOTION_COLOURS: dict[str, str] = {
    "anger": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "joy": "#F0E442",
    "neutral": "#9A9A9A",
    "sadness": "#0072B2",
    "surprise": "#56B4E9",
}
MODALITY_COLOURS: dict[str, str] = {"text": "#E69F00", "audio": "#7FC8F8", "pose": "#B7E3A1"}
NOTHING = "#555555"


def rgb(colour: str) -> tuple[int, int, int]:
    """`#RRGGBB` as three numbers, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def paler(colour: str) -> str:
    """The colour mixed with three parts of white: there, but not what to look at."""
    return "#" + "".join(f"{255 - (255 - part) // 4:02X}" for part in rgb(colour))


def emotion_colour(emotion: str | None) -> str:
    """The emotion's colour; a dark grey for none."""
    return label_colours([emotion])[emotion] if emotion else NOTHING


def label_colours(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each label: the emotion's own, else (another model's labels) one by the label's letters."""
    others = tuple(EMOTION_COLOURS.values())
    return {x: EMOTION_COLOURS.get(x) or others[sum(x.encode()) % len(others)] for x in labels}
