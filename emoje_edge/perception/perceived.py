"""What the pass over a source gives of each utterance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emoje_edge.modality import Mask, Modality
from emoje_edge.perception.features import pose_feature
from emoje_edge.perception.quality import Quality, pose_quality
from emoje_edge.perception.transcribe import Words


@dataclass(frozen=True)
class Perceived:
    """One utterance as the engines take it.

    Args:
        start, end: s.
        speaker: as the cue says, None where none does.
        text: what was said, as the cue says or as it was recognised; None where neither tells.
        text_from: `"subtitles"` or `"recognised"`; None without text.
        words: what was recognised, also where it is too unsure to count; None where nothing was tried.
        spoken: whether somebody was heard to speak; None where nothing listened.
        features: text int64 [L <= 32] token ids; audio float32 [F <= 768, 64] normalised log-mel; pose float32
            [T <= 96, 13, 3] normalised landmarks at 12.5 Hz.  What is missing has no entry.
        quality: of each modality in `features`, float32 [2], see `emoje_edge.perception.quality`.
        lacks: why a modality that the source has is not in `features`: `no_speech`, `silence` or `nobody_seen`.
        skeleton_times: float64 [N] s, of the pictures in it that were looked at.
        skeleton: float32 [N, 13, 3] their landmarks, x and y in 0..1 of the picture's width and height, visibility.
        aspect: width over height of the picture.
        person: number of the body, where several are followed; None where nobody is in view, or one is followed.
        listening: whether it is of somebody who is in view while another one speaks.
        people: number -> float32 [N, 13, 3] as `skeleton`, of everybody followed in the same pictures.
        in_view: the most bodies that were seen at one time up to here, followed or not.
        final: whether it is over; else it is the utterance up to now, of which more is told later.
        latency_ms: what pose, audio and text took for this utterance; in overlapping windows a picture counts in each.
    """

    start: float
    end: float
    speaker: str | None
    text: str | None
    features: dict[Modality, NDArray[Any]]
    skeleton_times: NDArray[np.float64]
    skeleton: NDArray[np.float32]
    aspect: float
    latency_ms: dict[str, float] = field(default_factory=dict)
    quality: dict[Modality, Quality] = field(default_factory=dict)
    text_from: str | None = None
    words: Words | None = None
    spoken: bool | None = None
    lacks: dict[Modality, str] = field(default_factory=dict)
    person: int | None = None
    listening: bool = False
    people: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    in_view: int = 0
    final: bool = True

    @property
    def mask(self) -> Mask | None:
        """The modalities that are there, None for nothing."""
        return Mask.of(self.features) if self.features else None


def listening(spoken: Perceived, person: int, joints: NDArray[np.float32]) -> Perceived:
    """Somebody who is in view during another one's utterance: their body alone, landmarks [N, 13, 3]."""
    features: dict[Modality, NDArray[Any]] = {}
    quality: dict[Modality, Quality] = {}
    add_pose(features, quality, spoken.skeleton_times, joints)
    return Perceived(
        start=spoken.start,
        end=spoken.end,
        speaker=None,
        text=None,
        features=features,
        skeleton_times=spoken.skeleton_times,
        skeleton=spoken.people[person],
        aspect=spoken.aspect,
        quality=quality,
        spoken=False,
        person=person,
        listening=True,
        people=spoken.people,
        in_view=spoken.in_view,
    )


def add_pose(
    features: dict[Modality, NDArray[Any]],
    quality: dict[Modality, Quality],
    times: NDArray[np.float64],
    joints: NDArray[np.float32],
) -> bool:
    """Add pose and how good it is, where landmarks [N, 13, 3] give anything; whether they did."""
    poses = pose_feature(times, joints)
    if poses is None:
        return False
    features[Modality.POSE], quality[Modality.POSE] = poses, pose_quality(poses)
    return True
