import itertools
import logging
import socket
import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest

from emoje_edge.errors import UsageError, WorkError
from emoje_edge.perception.media import AudioBlock, Media, VideoFrame, decode, probe, read_subtitles

from .conftest import tone


def _split(items):
    items = list(items)
    return [i for i in items if isinstance(i, VideoFrame)], [i for i in items if isinstance(i, AudioBlock)]


def _sound(blocks):
    return np.concatenate([block.samples for block in blocks])


@pytest.mark.parametrize(
    ("name", "shape", "rate", "seconds", "sound"),
    [
        ("face_recognition_short_hamilton.mp4", (360, 640), 12.5, 10.0, True),
        ("liveportrait_d13.mp4", (640, 360), 12.5, 11.7, False),
        ("openpose_video.avi", (360, 640), 12.5, 4.1, True),
        ("intel_asl/again.mkv", (480, 640), 12.5, 2.6, False),
    ],
)
def test_real_clips(shared_data, name, shape, rate, seconds, sound):
    path = shared_data / "video" / name
    info = probe(path)
    assert (info.has_video, info.has_audio) == (True, sound)
    assert info.duration == pytest.approx(seconds, abs=0.1)
    frames, blocks = _split(decode(path, fps=rate))
    times = [frame.time for frame in frames]
    assert frames[0].pixels.shape == (*shape, 3)
    assert frames[0].pixels.dtype == np.uint8
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(seconds, abs=0.2)
    assert len(frames) == pytest.approx((times[-1] - times[0]) * rate, abs=2)
    assert bool(blocks) == sound
    if sound:
        assert blocks[0].time == pytest.approx(0, abs=0.05)
        assert len(_sound(blocks)) / 16000 == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize(
    ("rotation", "shape", "corner"),
    [(0, (48, 64), (0, 0)), (90, (64, 48), (-1, 0)), (180, (48, 64), (-1, -1)), (-90, (64, 48), (0, -1))],
)
def test_rotation_by_metadata(clip, rotation, shape, corner):
    path = clip("turned.mp4", rotation=rotation, seconds=0.4)
    info = probe(path)
    assert (info.height, info.width) == shape
    assert info.rotation == rotation % 360
    pixels = next(iter(decode(path))).pixels
    assert pixels.shape == (*shape, 3)
    row, column = (5 if side == 0 else -5 for side in corner)
    assert pixels[row, column, 0] > 200
    assert pixels[row, column, 1] < 60
    assert pixels[-row, -column, 0] < 120


def test_pixels_that_are_not_square(clip):
    path = clip("wide.mkv", pixel_aspect=Fraction(2, 1), seconds=0.2)
    assert (probe(path).width, probe(path).height) == (128, 48)
    assert next(iter(decode(path))).pixels.shape == (48, 128, 3)


def test_large_pictures_are_scaled_down(clip):
    path = clip("large.mkv", size=(1280, 960), seconds=0.2)
    assert next(iter(decode(path))).pixels.shape == (480, 640, 3)
    assert next(iter(decode(path, long_side=None))).pixels.shape == (960, 1280, 3)
    assert next(iter(decode(clip("small.mkv", seconds=0.2)))).pixels.shape == (48, 64, 3)


def test_variable_frame_rate_keeps_its_times(clip):
    times = [0, 40, 80, 500, 510, 520, 1500, 1540, 2900]
    pictures = [np.full((48, 64, 3), 20 * i, dtype=np.uint8) for i in range(len(times))]
    path = clip("varied.mkv", pictures=pictures, times=times)
    frames, _ = _split(decode(path))
    assert [frame.time for frame in frames] == pytest.approx([t / 1000 for t in times], abs=0.002)
    few, _ = _split(decode(path, fps=10))
    assert [frame.time for frame in few] == pytest.approx([0, 0.5, 1.5, 2.9], abs=0.002)


def test_decimation_takes_the_first_of_each_slot(clip):
    frames, _ = _split(decode(clip("even.mkv", seconds=2.0, rate=25), fps=12.5))
    assert [frame.time for frame in frames] == pytest.approx([0.08 * i for i in range(25)], abs=0.002)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_sound_alone(clip, rate):
    path = clip("sound.m4a", pictures=False, sound=tone(1.5, rate), sound_rate=rate)
    info = probe(path)
    assert (info.has_video, info.has_audio, info.width) == (False, True, 0)
    frames, blocks = _split(decode(path))
    assert not frames
    samples = _sound(blocks)
    assert samples.dtype == np.float32
    assert samples.size / 16000 == pytest.approx(1.5, abs=0.15)
    spectrum = np.abs(np.fft.rfft(samples[4000:20000]))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2)
    assert 0.3 < np.abs(samples[4000:20000]).max() < 0.7
    for before, after in itertools.pairwise(blocks):
        assert after.time == pytest.approx(before.time + before.samples.size / 16000, abs=1e-6)


def test_what_is_not_asked_for_is_not_decoded(clip, caplog):
    path = clip("spoilt.mkv", sound=tone(2.0), spoil_sound=True)
    with caplog.at_level(logging.WARNING):
        frames, blocks = _split(decode(path, audio=False))
        assert len(frames) == 50
        assert not blocks
        assert not caplog.records
        list(decode(path))
        assert "damaged" in caplog.text


def test_no_picture_is_converted_for_sound_alone(clip):
    frames, blocks = _split(decode(clip("both.mkv", sound=tone(1.0)), video=False))
    assert not frames
    assert blocks


@pytest.mark.parametrize(("name", "kept"), [("cut.mkv", 0.5), ("cut.avi", 0.5), ("cut.ts", 0.5)])
def test_truncated_file_gives_what_it_has(clip, name, kept):
    path = clip(name, seconds=8.0, sound=tone(8.0))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    found = []
    if name.endswith(".ts"):
        # a transport stream announces no length: half of it is a whole
        found.extend(decode(path))
    else:
        with pytest.raises(WorkError, match=r"cut off|cannot be read beyond"):
            found.extend(decode(path))
    frames, blocks = _split(found)
    assert 2 < frames[-1].time < 6
    assert 2 < blocks[-1].time < 6


def test_whole_files_are_not_taken_for_cut_off(clip):
    for name in ("whole.mp4", "whole.mkv", "whole.avi"):
        # sound that ends long before the picture, and the other way round
        list(decode(clip(name, seconds=6.0, sound=tone(1.0))))
        list(decode(clip(name, seconds=1.0, sound=tone(6.0))))
        list(decode(clip(name, seconds=1.0, sound=tone(6.0)), audio=False))


def test_mp4_without_its_index(clip):
    path = clip("cut.mp4", seconds=4.0)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(WorkError, match=r"cut\.mp4 is no video that can be read, or is cut off"):
        probe(path)


@pytest.mark.parametrize("name", ["note.mp4", "note.mkv", "note.txt", "note.avi"])
def test_text_is_no_video(tmp_path, name):
    path = tmp_path / name
    path.write_text("this is a note, not a film\n" * 40)
    with pytest.raises(WorkError, match=r"note") as caught:
        probe(path)
    assert caught.value.hint


def test_empty_missing_and_folder(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(WorkError, match=r"empty\.mp4 is empty"):
        probe(tmp_path / "empty.mp4")
    with pytest.raises(UsageError, match=r"no file .*nothing\.mp4"):
        probe(tmp_path / "nothing.mp4")
    with pytest.raises(UsageError, match="is a folder"):
        probe(tmp_path)


def test_names_that_mean_something_to_ffmpeg(clip):
    assert probe(clip("concat:a%02d|b.mkv", seconds=0.2)).has_video


@pytest.mark.parametrize("source", ["gopher://x/y", "webcam:front", "webcam:"])
def test_unknown_sources(source):
    with pytest.raises(UsageError) as caught:
        Media(source)
    assert caught.value.hint


def test_absent_camera():
    with pytest.raises(WorkError, match="webcam:97"):
        Media("webcam:97")


@pytest.mark.parametrize(
    ("name", "codec", "speaker"),
    [("words.mkv", "subrip", ""), ("words.mkv", "ass", "ROSS"), ("words.mp4", "mov_text", "")],
)
def test_embedded_subtitles(clip, name, codec, speaker):
    cues = [(500, 1200, "0,0,Default,ROSS,0,0,0,,Hi there"), (1300, 1900, "1,0,Default,ROSS,0,0,0,,How are you?")]
    path = clip(name, sound=tone(2.0), subtitles=cues, subtitle_codec=codec)
    (stream,) = probe(path).subtitles
    found = list(read_subtitles(path, stream.index))
    assert [t for cue in found for t in (cue.start, cue.end)] == pytest.approx([0.5, 1.2, 1.3, 1.9], abs=0.01)
    fields = found[0].ass.split(",", 8)
    assert fields[3] == speaker
    assert "Hi there" in fields[8]


def test_joined_recordings_whose_clock_starts_anew(clip, tmp_path):
    first = clip("a.ts", seconds=3.0, sound=tone(3.0)).read_bytes()
    second = clip("b.ts", seconds=3.0, sound=tone(3.0, 44100), sound_rate=44100).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(first + second)
    frames, blocks = _split(decode(path))
    times = [frame.time for frame in frames]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(6.0, abs=0.6)
    assert blocks[-1].time == pytest.approx(6.0, abs=0.6)


def test_standard_input(clip):
    path = clip("piped.mkv", sound=tone(2.0))
    code = (
        "from emoje_edge.perception.media import decode, VideoFrame\n"
        "print(sum(isinstance(item, VideoFrame) for item in decode('-')))"
    )
    with path.open("rb") as stream:
        done = subprocess.run([sys.executable, "-c", code], stdin=stream, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "50", done.stderr


def test_a_playlist_on_the_disk_reaches_no_network(tmp_path):
    """HLS and concat lists may name addresses; a file must not make FFmpeg call them."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)

        def listen():
            try:
                server.accept()[0].close()
                calls.append(1)
            except OSError:
                pass

        thread = threading.Thread(target=listen)
        thread.start()
        path = tmp_path / "list.m3u8"
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}\n#EXT-X-ENDLIST\n")
        with pytest.raises(WorkError):
            list(decode(path))
        thread.join()
    assert not calls


def test_a_frame_rate_must_be_positive(clip):
    with pytest.raises(UsageError, match="0 frames a second"):
        list(decode(clip("a.mkv", seconds=0.2), fps=0))
