"""The newest picture wins, sound is kept, and the rate follows what the machine can do."""

import numpy as np
import pytest

from emoje_edge.perception.live.inbox import PICTURES, SOUND, Inbox, Pace, Tick
from emoje_edge.perception.media import AudioBlock, VideoFrame
from emoje_edge.shapes import SAMPLE_RATE

PIXEL = np.zeros((1, 1, 3), np.uint8)


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def picture(time: float) -> VideoFrame:
    return VideoFrame(time, PIXEL)


def second(time: float) -> AudioBlock:
    return AudioBlock(time, np.zeros(SAMPLE_RATE, np.float32))


def taken(inbox: Inbox) -> list[VideoFrame | AudioBlock]:
    inbox.end()
    return list(inbox)


def test_the_newest_pictures_win_and_sound_between_them_stays_in_order() -> None:
    inbox = Inbox(Now())
    for number in range(10):
        inbox.put(picture(number))
        inbox.put(second(number + 0.5))
    items = taken(inbox)
    assert [x.time for x in items if isinstance(x, VideoFrame)] == list(range(10 - PICTURES, 10))
    assert [x.time for x in items if isinstance(x, AudioBlock)] == [n + 0.5 for n in range(10)]
    assert [x.time for x in items] == sorted(x.time for x in items)
    assert inbox.dropped_pictures == 10 - PICTURES
    assert inbox.lost_sound == 0.0


def test_sound_is_lost_only_beyond_thirty_seconds() -> None:
    inbox = Inbox(Now())
    for number in range(40):
        inbox.put(second(number))
    assert inbox.lost_sound == 40 - SOUND
    assert [x.time for x in taken(inbox)] == list(range(10, 40))


def test_who_waits_is_told_that_nothing_comes() -> None:
    inbox = Inbox(Now())
    items = iter(inbox)
    assert next(items) == Tick()
    inbox.put(second(0))
    assert not isinstance(next(items), Tick)
    inbox.end()
    assert list(items) == []


def test_an_error_comes_after_what_waits() -> None:
    inbox = Inbox(Now())
    inbox.put(second(0))
    inbox.end(RuntimeError("lost"))
    items = iter(inbox)
    assert next(items).time == 0
    with pytest.raises(RuntimeError, match="lost"):
        next(items)


def test_the_rate_halves_after_two_seconds_behind_and_comes_back_after_ten_of_slack() -> None:
    now = Now()
    pace = Pace(now)
    steps = {}
    for tick in range(300):  # ten pictures a second, every one of the first five seconds too many
        now.seconds = tick / 10
        if pace.wanted():
            (pace.dropped if now.seconds < 5 else pace.kept_up)()
        steps[now.seconds] = pace.step
    assert steps[1.9] == 1
    assert steps[2.1] == 2
    assert steps[4.9] == 4
    assert steps[14.0] == 4
    assert steps[16.0] == 2
    assert steps[29.0] == 1


def test_a_single_slow_picture_changes_nothing() -> None:
    now = Now()
    pace = Pace(now)
    for tick in range(200):
        now.seconds = tick / 10
        (pace.dropped if tick % 50 == 0 else pace.kept_up)()
    assert pace.step == 1
