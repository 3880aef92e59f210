"""What may be pushed, and what becomes of it."""

import numpy as np
import pytest

from emoje_edge.errors import UsageError
from emoje_edge.perception.live.pushed import Pushed
from emoje_edge.perception.media import AudioBlock, VideoFrame

WIDE = np.zeros((720, 1280, 3), np.uint8)


def test_pictures_are_copied_made_smaller_and_thinned_to_the_rate() -> None:
    pushed = Pushed(video=True, audio=False, fps=10)
    items = pushed.decode()
    pictures = [WIDE.copy() for _ in range(3)]
    pushed.picture(pictures[0], 0.0)
    first = next(items)
    assert isinstance(first, VideoFrame)
    assert first.pixels.shape == (360, 640, 3)
    pictures[0][:] = 255
    assert not first.pixels.any()
    pushed.picture(pictures[1], 0.05)
    pushed.picture(pictures[2], 0.11)
    pushed.end()
    assert [x.time for x in items] == [0.11]


def test_sound_is_brought_to_one_channel_at_16_khz() -> None:
    pushed = Pushed(video=False, audio=True)
    pushed.sound(np.ones((48000, 2), np.float32) * 0.5, 0.0, 48000)
    pushed.end()
    (block,) = pushed.decode()
    assert isinstance(block, AudioBlock)
    assert abs(len(block.samples) - 16000) <= 1
    assert block.samples[8000] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("picture", [WIDE[..., 0], WIDE.astype(np.float32), np.zeros((0, 4, 3), np.uint8)])
def test_a_picture_of_another_kind_says_what_to_give(picture: np.ndarray) -> None:
    with pytest.raises(UsageError) as error:
        Pushed(video=True, audio=False).picture(picture, 0.0)
    assert "uint8 [height, width, 3]" in error.value.hint


def test_times_rise() -> None:
    pushed = Pushed(video=True, audio=True)
    pushed.picture(WIDE, 1.0)
    with pytest.raises(UsageError, match="picture at 1 s after one at 1 s"):
        pushed.picture(WIDE, 1.0)
    with pytest.raises(UsageError, match="sound at nan"):
        pushed.sound(np.zeros(10, np.float32), float("nan"), 16000)
