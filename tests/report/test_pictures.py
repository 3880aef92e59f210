"""Timeline and skeleton video: they can be opened, and show what they should and no more."""

import xml.dom.minidom
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from emoje_edge import UsageError
from emoje_edge.report.draw_body import PEOPLE
from emoje_edge.report.palette import EMOTION_COLOURS, label_colours, rgb
from emoje_edge.report.skeleton_video import FOOT, SkeletonVideo, draw, draw_foot, field_size
from emoje_edge.report.timeline import draw_timeline
from emoje_edge.report.writers import OutputError
from emoje_edge.utterance_emotion import UtteranceEmotion
from tests.report.events import make_event

PERSON = np.array(
    [
        [0.5, 0.15, 1],
        *([x, y, 1] for y in (0.3, 0.45, 0.55, 0.6, 0.75, 0.9) for x in (0.6, 0.4)),
    ],
    dtype=np.float32,
)


def skeletons(event: UtteranceEmotion, fps: float = 12.5) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    times = np.arange(event.start, event.end, 1 / fps)
    return times, {1: np.repeat(PERSON[None], len(times), 0)}


def frames_of(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_timeline_is_drawn_with_gaps_overlaps_and_odd_names(tmp_path: Path, ending: str) -> None:
    events = [
        make_event(0),
        make_event(1.0, speaker="$\\frac{1$"),
        make_event(4, empty=True),
        make_event(6, speaker=None),
    ]
    path = tmp_path / f"t.{ending}"
    draw_timeline(events, path, title="a $ b_{.mp4")
    assert path.stat().st_size > 5000


def test_a_long_recording_is_drawn_in_strips_that_can_be_read(tmp_path: Path) -> None:
    """An hour of 900 utterances: no strip is wider than a screen, and each bar is as high as the answer is sure."""
    events = [make_event(4 * i, speaker=None) for i in range(900)]
    draw_timeline(events, tmp_path / "hour.png")
    with Image.open(tmp_path / "hour.png") as picture:
        assert picture.width == 1600
        assert picture.height < 3000
        pixels = np.asarray(picture.convert("RGB"))
    joy = (pixels == rgb(EMOTION_COLOURS["joy"])).all(2)
    heights = joy[:, 76:1460].sum(0)
    strips = round(float(np.median(heights[heights > 0])) / (0.7 * 96))  # each of which has a bar of .7 there
    assert 6 <= strips <= 7


def test_timeline_without_a_row_says_so(tmp_path: Path) -> None:
    draw_timeline([], tmp_path / "t.png")
    draw_timeline([make_event(empty=True)], tmp_path / "u.png")


def test_unknown_endings_and_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.png \.svg \.pdf \.html"):
        draw_timeline([], tmp_path / "t.bmp")
    with pytest.raises(OutputError, match="mkdir -p"):
        draw_timeline([], tmp_path / "no" / "t.png")
    with pytest.raises(UsageError, match=r"\.mp4 \.mkv \.mov"):
        SkeletonVideo(tmp_path / "s.gif")


def test_video_plays_at_the_times_of_the_source(tmp_path: Path) -> None:
    first, overlapping, later = make_event(0.5), make_event(1.0), make_event(10.0)
    with SkeletonVideo(tmp_path / "s.mp4") as video:
        for event in (first, overlapping, later):
            video.add(event, *skeletons(event), 16 / 9)
        written = video.frames
    frames = frames_of(tmp_path / "s.mp4")
    times = [time for time, _ in frames]
    assert len(times) == written
    assert times == sorted(set(times))
    assert abs(times[0] - 0.5) < 0.05
    assert abs(times[-1] - 11.46) < 0.05
    # between the utterances one empty picture, that stands until the next one begins
    gap = [picture for time, picture in frames if 2.49 < time < 9.9]
    assert len(gap) == 1
    assert gap[0].max() < 24


def test_the_drawing_is_a_skeleton_on_black() -> None:
    size = (540, 304 + FOOT)
    picture = draw({1: PERSON}, foot=draw_foot(make_event(), 540), size=size)
    field = picture[:304]
    assert (field.max(-1) > 0).mean() < 0.1
    assert field[0].max() == field[:, 0].max() == 0
    # the head is an empty circle: nothing inside it
    y, x = round(0.15 * 304), round(0.5 * 540)
    assert field[y - 8 : y + 8, x - 8 : x + 8].max() == 0
    assert (picture[304:].reshape(-1, 3) == rgb(EMOTION_COLOURS["joy"])).all(-1).any()


def test_the_strip_has_words_and_a_key_where_there_is_room() -> None:
    spoken, silent = make_event(text="That is wonderful! " * 20), make_event()
    line = slice(36, 54)
    assert (draw_foot(spoken, 540)[line] > 100).any()
    assert not (draw_foot(silent, 540)[line] > 100).any()
    assert not (draw_foot(spoken, 540)[line, -10:] > 100).any()  # cut before the edge
    blocks = draw_foot(silent, 540)[83:92].reshape(-1, 3)
    assert all((blocks == rgb(colour)).all(-1).any() for colour in EMOTION_COLOURS.values())
    assert not (draw_foot(silent, 300)[80:96] > 100).any()  # a narrow picture has no room for the key


def test_joints_that_are_not_there_are_not_drawn() -> None:
    hidden = PERSON.copy()
    hidden[:, 2] = 0.1
    broken = np.full_like(PERSON, np.nan)
    for people in ({1: hidden}, {1: broken}, {}):
        assert draw(people, foot=None, size=(300, 300)).max() == 0
    far = PERSON.copy()
    far[:, :2] *= 1e9
    draw({1: far}, foot=None, size=(300, 300))


@pytest.mark.parametrize(("aspect", "size"), [(16 / 9, (540, 304)), (9 / 16, (304, 540)), (0.01, (300, 540))])
def test_sizes_are_even_and_of_the_sources_shape(aspect: float, size: tuple[int, int]) -> None:
    assert field_size(aspect) == size


def test_a_stopped_run_leaves_a_video_that_plays(tmp_path: Path) -> None:
    event = make_event(0.0)

    def stopped_run() -> None:
        with SkeletonVideo(tmp_path / "s.mp4") as video:
            video.add(event, *skeletons(event), 1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_run()
    assert len(frames_of(tmp_path / "s.mp4")) == 19


def test_a_video_without_a_person_is_not_written(tmp_path: Path) -> None:
    with SkeletonVideo(tmp_path / "s.mp4") as video:
        video.add(make_event(), np.zeros(0), {1: np.zeros((0, 13, 3), np.float32)}, 1.0)
    assert not (tmp_path / "s.mp4").exists()


def test_other_models_labels_have_colours() -> None:
    assert set(label_colours(["joy", "peaceful", "mad"])) == {"joy", "peaceful", "mad"}


def test_several_people_have_a_colour_each(tmp_path: Path) -> None:
    beside = PERSON * (0.4, 1, 1)
    picture = draw({1: beside, 2: beside + np.float32([0.5, 0, 0])}, foot=None, size=(540, 304 + FOOT))
    left, right = (half[half.max(-1) > 100] for half in (picture[:304, :270], picture[:304, 270:]))
    assert np.abs(np.median(left, 0) - PEOPLE[0]).max() < 40
    assert np.abs(np.median(right, 0) - PEOPLE[1]).max() < 40


def test_words_of_any_letters_are_in_the_drawing(tmp_path: Path) -> None:
    draw_timeline([make_event(0, speaker="Ольга & <Γεωργία>")], tmp_path / "t.svg", title="\x00talk")
    text = (tmp_path / "t.svg").read_text(encoding="utf-8")
    assert "Ольга &amp; &lt;Γεωργί" in text
    assert xml.dom.minidom.parseString(text).documentElement.tagName == "svg"
