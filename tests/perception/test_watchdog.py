"""A source that sends and gives nothing is noticed after ten seconds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from emoje_edge.errors import WorkError
from emoje_edge.perception.readers import AudioReader, VideoReader
from emoje_edge.perception.watchdog import Watchdog

from .conftest import tone


@pytest.fixture
def both(clip: Callable[..., Path]) -> Iterator[tuple[VideoReader, AudioReader, list[av.Packet]]]:
    """Readers of a clip's pictures and sound, and its packets."""
    with av.open(str(clip("both.mkv", seconds=2.0, sound=tone(2.0)))) as container:
        video = VideoReader(container.streams.video[0], 0.0, None, None)
        audio = AudioReader(container.streams.audio[0], 0.0)
        yield video, audio, [packet for packet in container.demux() if packet.size]


def watched(
    both: tuple[VideoReader, AudioReader, list[av.Packet]], wanted: tuple[str, ...], *, a_second: int
) -> Watchdog:
    """Read packets of these kinds, `a_second` of them a second of the watchdog's clock, for up to a minute."""
    video, audio, packets = both
    now = [0.0]
    dog = Watchdog("rtsp://camera", [video, audio], clock=lambda: now[0])
    for number in range(60 * a_second):
        now[0] = number / a_second
        packet = packets[min(number, len(packets) - 1)]
        if packet.stream.type in wanted and number < len(packets):
            list((video if packet.stream.type == "video" else audio).read(packet))
        if number < len(packets) or not wanted:
            dog.look()
    return dog


def test_what_is_decoded_is_left_alone(both: tuple[VideoReader, AudioReader, list[av.Packet]]) -> None:
    watched(both, ("video", "audio"), a_second=50)


def test_packets_without_a_picture_or_sound(both: tuple[VideoReader, AudioReader, list[av.Packet]]) -> None:
    with pytest.raises(WorkError, match="no picture or sound could be decoded"):
        watched(both, (), a_second=5)


def test_pictures_that_stop_while_sound_goes_on(both: tuple[VideoReader, AudioReader, list[av.Packet]]) -> None:
    video, _, packets = both
    first = next(packet for packet in packets if packet.stream.type == "video")
    list(video.read(first))
    list(video.flush())
    video.found = True
    with pytest.raises(WorkError, match="no pictures"):
        watched(both, ("audio",), a_second=5)


def test_pictures_that_are_passed_over_on_purpose_are_no_fault(
    both: tuple[VideoReader, AudioReader, list[av.Packet]],
) -> None:
    video, _, packets = both
    list(video.read(next(packet for packet in packets if packet.stream.type == "video")))
    video.found = True
    video.stream.codec_context.skip_frame = "NONKEY"
    watched(both, ("audio",), a_second=5)


def test_a_microphone_that_is_announced_and_never_there_is_no_fault(
    both: tuple[VideoReader, AudioReader, list[av.Packet]],
) -> None:
    watched(both, ("video",), a_second=50)
