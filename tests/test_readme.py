"""Every command and code block of the README is run, or it is said here where else, and in what reduced form."""

import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emoje_edge.demo import make_clip
from emoje_edge.shipped import ASSETS, DEFAULT
from research.recipes.report import read_accuracy, readme_table

README = Path(__file__).resolve().parents[1] / "README.md"

# what is not run here, and where it is instead
ELSEWHERE = {
    "pip install .": "installing is the first step of .ci/run, with the test extra and -e",
    "pip install -e '.[test]'": "the first step of .ci/run",
    "pytest": "this very run",
    "emoje-edge infer rtsp://camera.local/stream": "tests/perception/live/test_stream.py has a server of its own",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = [line.split("  #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader stands: the files that the README names.  Reduced: the videos are ten seconds long."""
    here = tmp_path_factory.mktemp("readme")
    make_clip(here / "talk.mp4", here / "talk.srt")
    shutil.copy(here / "talk.srt", here / "words.srt")
    (here / "clips").mkdir()
    shutil.copy(here / "talk.mp4", here / "clips")
    shutil.copy(here / "talk.srt", here / "clips")
    return here


@pytest.mark.parametrize("line", commands())
def test_command(line: str, folder: Path) -> None:
    if line in ELSEWHERE:
        pytest.skip(ELSEWHERE[line])
    program, *arguments = shlex.split(line)
    assert program == "emoje-edge", f"{line}: run it here, or say in ELSEWHERE where it is run"
    done = subprocess.run(
        [sys.executable, "-m", "emoje_edge", *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for option, name in itertools.pairwise(arguments):
        if option in ("--out", "--render", "--timeline"):
            assert (folder / name).stat().st_size > 0


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 6


def test_the_sample_row_is_one_that_the_engine_gives(folder: Path) -> None:
    (shown,) = (json.loads(block) for block in blocks("json"))
    command = [sys.executable, "-m", "emoje_edge", "infer", "talk.mp4", "--format", "jsonl"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    row = next(r for r in rows if r["start"] == shown["start"])
    for name, value in shown.items():
        about = pytest.approx(value, abs=0.02) if isinstance(value, dict | float) else value
        assert row[name] == about, name


def test_every_command_is_in_the_table() -> None:
    from emoje_edge.cli.main import COMMANDS

    named = set(re.findall(r"`([a-z]+)`", "".join(re.findall(r"^\| `.*$", README.read_text(), re.MULTILINE))))
    assert named == set(COMMANDS)


def test_files_that_are_linked_are_there_and_the_page_is_short() -> None:
    text = README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (README.parent / target).exists(), target
    assert len(text.splitlines()) <= 120


def test_a_figure_stands_in_one_place() -> None:
    """README and model card say what each model's accuracy.json says, whose figures the recipe that ships wrote."""
    accuracy = read_accuracy()
    assert f"<!-- begin figures -->\n{readme_table(accuracy)}\n<!-- end figures -->" in README.read_text(
        encoding="utf-8"
    )
    card = (ASSETS / "model_card.md").read_text(encoding="utf-8")
    for model, of in accuracy.items():
        block = "figures" if model == DEFAULT else f"figures-{model}"
        table = card.partition(f"<!-- begin {block} -->")[2].partition(f"<!-- end {block} -->")[0]
        for mask, figure in of.items():
            corpus = figure["data"].split()[0].strip(",")
            (row,) = [line for line in table.splitlines() if line.startswith(f"| {corpus}") and f"| {mask} |" in line]
            assert f"| {figure['value']:.3f} |" in row
