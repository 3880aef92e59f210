"""The picture of the README: one frame of the skeleton video beside the timeline, both as `infer` makes them.

    python -m research.pictures [OUT.png]

The clip is the one of `emoje-edge demo`: a still portrait in motion, a buzz and subtitles.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import av
from PIL import Image

from emoje_edge.demo import make_clip
from emoje_edge.recognizer import Recognizer
from emoje_edge.report.skeleton_video import SkeletonVideo
from emoje_edge.report.timeline import draw_timeline

OUT = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "demo.png"
MOMENT = 4.0  # s, of the frame that is shown
HEIGHT, GAP = 480, 16  # px


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clip, video, timeline = (Path(folder) / name for name in ("demo.mp4", "skeleton.mp4", "timeline.png"))
        make_clip(clip, clip.with_suffix(".srt"))
        events = []
        with Recognizer() as recognizer, SkeletonVideo(video) as skeleton:
            for seen, event in recognizer.follow(clip):
                events.append(event)
                skeleton.add(event, seen.skeleton_times, {1: seen.skeleton}, seen.aspect)
        draw_timeline(events, timeline, title="a conversation")
        parts = [_frame(video), Image.open(timeline).convert("RGB")]
    beside = [part.resize((round(part.width * HEIGHT / part.height), HEIGHT)) for part in parts]
    sheet = Image.new("RGB", (sum(part.width for part in beside) + GAP, HEIGHT), "white")
    left = 0
    for part in beside:
        sheet.paste(part, (left, 0))
        left += part.width + GAP
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, optimize=True)


def _frame(video: Path) -> Image.Image:
    with av.open(str(video)) as container:
        frame = next(f for f in container.decode(video=0) if f.time is not None and f.time >= MOMENT)
        return frame.to_image()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
