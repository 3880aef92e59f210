"""A source into the hub: what a page would be told of a clip."""

import json
from pathlib import Path

from emoje_edge.recognizer import Recognizer
from emoje_edge.serve.feed import Feed
from emoje_edge.serve.hub import Hub, Message


def told(recognizer: Recognizer, source: str) -> tuple[Hub, list[Message]]:
    """The hub after the source has ended, and all that a page has got which was there from the beginning."""
    hub, found = Hub(), []
    listener = hub.listen()
    assert listener is not None
    with Feed(recognizer, hub, source) as feed:
        while not feed.over.is_set() or listener._waiting:
            if (message := listener.take(0.1)) is not None:
                found.append(message)
    return hub, found


def test_a_clip_is_told_as_rows_and_moving_joints(shared_data: Path) -> None:
    clip = str(shared_data / "video" / "intel_asl" / "again.mkv")
    with Recognizer("pose") as recognizer:
        hub, messages = told(recognizer, clip)
        expected = [event.emotion for event in recognizer.stream(clip)]
    assert [row["emotion"] for row in hub.rows()] == expected
    poses = [json.loads(m.data) for m in messages if m.kind == "pose"]
    assert len(poses) > 10
    joints = poses[-1]["people"][0]
    assert len(joints) == 13
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y, seen in joints if seen > 0.5)
    assert hub.states() == [{"source": clip, "state": "over"}]


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with Recognizer("pose") as recognizer:
        hub, _ = told(recognizer, str(tmp_path / "gone.mp4"))
    (state,) = hub.states()
    assert state["state"] == "lost"
    assert "no file" in state["note"]
