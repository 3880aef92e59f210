"""Options and fixtures of the benchmarks: `pytest benchmarks`, `pytest benchmarks --threads 1`."""

from pathlib import Path

import pytest

from emoje_edge.bench import machine_facts

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--threads", type=int, default=2, help="processor threads of every contender (default 2)")
    parser.addoption("--video", type=Path, help="a video for the perception and end-to-end groups")


@pytest.fixture(scope="session")
def threads(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--threads")


@pytest.fixture(scope="session")
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video given, else the 640×360 clip of the shared data, else the demonstration's."""
    given = request.config.getoption("--video")
    if given:
        return given
    clip = DATA / "video" / "face_recognition_short_hamilton.mp4"
    if clip.exists():
        return clip
    from emoje_edge.demo import make_clip

    made = tmp_path_factory.mktemp("demo") / "demo.mp4"
    make_clip(made, made.with_suffix(".srt"))
    return made


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict) -> None:
    machine_info["emoje_edge"] = {
        **machine_facts.describe(),
        "threads": config.getoption("--threads"),
        "noise_p95_over_p50": machine_facts.noise(),
    }
