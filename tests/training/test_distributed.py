"""`torchrun` on two processes of this machine: the figures of one process, and a kill that costs nothing but time."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emoje_edge.emotion import EMOTIONS

HOUSE = Path(__file__).parents[2]
SAID = {
    "anger": "I hate this, it makes me furious",
    "disgust": "this is gross and disgusting",
    "fear": "I am scared and afraid of it",
    "joy": "this is wonderful, I am so happy",
    "neutral": "the meeting is on monday",
    "sadness": "I am so sad and I miss her",
    "surprise": "wow, I did not expect that at all",
}
ENDINGS = ("today", "again", "you know", "I think", "my friend", "and that is all")


@pytest.fixture(scope="module")
def comments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus in GoEmotions' layout whose lines say their label."""
    folder = tmp_path_factory.mktemp("goemotions")
    (folder / "labels.txt").write_text("\n".join(EMOTIONS) + "\n")
    for split, endings in (("train", ENDINGS[:4]), ("dev", ENDINGS[4:])):
        lines = [
            f"{text} {ending}\t{EMOTIONS.index(label)}\t{split}-{label}-{number}"
            for number, ending in enumerate(endings * 3)
            for label, text in SAID.items()
        ]
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    return folder


def command(comments: Path, out: Path, *, processes: int, epochs: int, resume: bool = False) -> list[str]:
    """The batch over all processes is the same, however many they are."""
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    settings = {"epochs": epochs, "batch_utterances": 12 // processes, "learning_rate": 2e-3, "patience": 0}
    train = ["train", "--dataset", "goemotions", "--root", str(comments), "--out", str(out), "--device", "cpu"]
    given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return [sys.executable, *launch, "-m", "emoje_edge", *train, *given, "--quiet", *(["--resume"] if resume else [])]


def run(arguments: list[str]) -> None:
    done = subprocess.run(arguments, cwd=HOUSE, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def rows(out: Path) -> list[dict]:
    path = out / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def test_two_processes_reach_the_figures_of_one(comments: Path, tmp_path: Path) -> None:
    found = {}
    for processes in (1, 2):
        run(command(comments, tmp_path / str(processes), processes=processes, epochs=8))
        found[processes] = [row["dev_weighted_f1"] for row in rows(tmp_path / str(processes))]
    assert found[1][-1] > 0.9
    assert found[2][-1] == pytest.approx(found[1][-1], abs=0.08)


def test_a_killed_pair_goes_on(comments: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = command(comments, out, processes=2, epochs=4)
    running = subprocess.Popen(
        arguments, cwd=HOUSE, env=environment(), stderr=subprocess.DEVNULL, start_new_session=True
    )
    while not rows(out) and running.poll() is None:
        os.sched_yield()
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    before = rows(out)
    assert 0 < len(before) < 4
    run(command(comments, out, processes=2, epochs=4, resume=True))
    after = rows(out)
    assert [row["epoch"] for row in after] == [row["epoch"] for row in before] + list(
        range(before[-1]["epoch"] + 1, before[0]["epoch"] + 4)
    )
    assert after[: len(before)] == before
