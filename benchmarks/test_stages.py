"""Each stage of perception on its own: decode, pose, log-mel, tokenize."""

from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from emoje_edge.perception.audio import SAMPLE_RATE, log_mel
from emoje_edge.perception.bodies.estimator import BlazePose
from emoje_edge.perception.media import VideoFrame, decode
from emoje_edge.perception.text import Tokenizer
from emoje_edge.shapes import POSE_RATE
from emoje_edge.shipped import TOKENIZER

SENTENCES = (
    "I can't believe you did that!",
    "Well, the train leaves at nine, and we should be there a little earlier.",
    "No.",
    "Oh my God, this is the best day of my life, thank you so much!",
)


@pytest.mark.benchmark(group="perception, per second of video")
def test_decode(benchmark: BenchmarkFixture, video: Path) -> None:
    """Video and sound of the whole clip, frames scaled and thinned out as for pose; time for all of it."""

    def everything() -> float:
        last = 0.0
        for part in decode(video, fps=POSE_RATE):
            last = max(last, part.time)
        return last

    benchmark.extra_info["seconds_of_video"] = benchmark.pedantic(everything, warmup_rounds=1, rounds=3)


@pytest.mark.benchmark(group="perception, a frame")
def test_pose(benchmark: BenchmarkFixture, video: Path) -> None:
    """One frame of the clip, the detector following its person."""
    pictures = (part for part in decode(video, audio=False, fps=POSE_RATE) if isinstance(part, VideoFrame))
    frames = list(islice(pictures, 60))
    times = (i / POSE_RATE for i in range(10**9))
    rotation = cycle(frames)
    with BlazePose() as estimator:
        benchmark.pedantic(lambda: estimator.estimate(next(rotation).pixels, next(times)), warmup_rounds=10, rounds=120)


@pytest.mark.parametrize("seconds", [1, 4, 8])
@pytest.mark.benchmark(group="perception, an utterance")
def test_log_mel(benchmark: BenchmarkFixture, seconds: int) -> None:
    sounds = cycle(np.random.default_rng(0).standard_normal((4, seconds * SAMPLE_RATE), dtype=np.float32))
    benchmark.extra_info["seconds_of_sound"] = seconds
    benchmark.pedantic(lambda: log_mel(next(sounds)), warmup_rounds=5, rounds=50)


@pytest.mark.benchmark(group="perception, an utterance")
def test_tokenize(benchmark: BenchmarkFixture) -> None:
    tokenizer, sentences = Tokenizer(TOKENIZER), cycle(SENTENCES)
    benchmark.pedantic(lambda: tokenizer.encode(next(sentences)), warmup_rounds=5, rounds=500)
