"""The guard on real commits and processes: it lets the same tree pass, and sees a loss whatever processor it is on."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A tree's works, as benchmarks/guard_works.py: sums whose length is the tree's own, and the protocol.
TREE = """
import sys
sys.path.insert(0, {benchmarks!r})
from guard_works import serve

def sums(length):
    return lambda: sum(range(length))

serve({{name: lambda length=length: sums(length) for name, length in {lengths!r}.items()}}, sys.stdin, sys.stdout)
"""
SHORT, LONG = 20_000, 60_000


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def guard() -> ModuleType:
    return load("guard")


class Repository:
    """A checkout with a guard's record and works of known lengths."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "benchmarks").mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.record({})

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout

    def record(self, accepted: Mapping[str, str]) -> None:
        (self.root / "benchmarks" / "guard.json").write_text(json.dumps({"accepted": dict(accepted), "why": ""}))

    def works(self, **lengths: int) -> None:
        text = TREE.format(benchmarks=str(ROOT / "benchmarks"), lengths=lengths)
        (self.root / "benchmarks" / "guard_works.py").write_text(text)

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "checkout")
    made.works(a=SHORT, b=SHORT)
    made.commit()
    return made


def test_the_same_tree_holds(guard: ModuleType, repository: Repository, capsys: pytest.CaptureFixture) -> None:
    repository.commit()
    assert guard.main(["check"], repository.root) == 0
    assert capsys.readouterr().out.count("ok  ") == 2


def test_a_work_that_takes_three_times_as_long_is_lost(
    guard: ModuleType, repository: Repository, capsys: pytest.CaptureFixture
) -> None:
    repository.works(a=SHORT, b=LONG)
    repository.commit()
    assert guard.main(["check"], repository.root) == 1
    told = capsys.readouterr()
    assert "LOST  b: takes" in told.out
    assert "ok    a" in told.out
    assert "accept WORK --why REASON" in told.err


def test_small_losses_do_not_hide_in_later_commits(guard: ModuleType, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD").strip()
    for _ in range(3):
        repository.commit()
    assert guard.find_base(repository.root) == guard.Base(first)


def test_an_accepted_loss_holds_from_its_commit_on(
    guard: ModuleType, repository: Repository, capsys: pytest.CaptureFixture
) -> None:
    first = repository.git("rev-parse", "HEAD").strip()
    repository.works(a=SHORT, b=LONG)
    repository.commit()
    assert guard.main(["accept", "b", "--why", "it does more"], repository.root) == 0
    assert guard.find_base(repository.root) == guard.Base(first, frozenset({"b"})), "before it is committed"
    accepted = repository.commit()
    capsys.readouterr()
    assert guard.main(["check"], repository.root) == 0, "in the commit that accepts it"
    assert "meant b: takes" in capsys.readouterr().out
    repository.commit()
    assert guard.find_base(repository.root) == guard.Base(accepted), "later commits are held to what it costs now"


def test_only_what_is_named_is_accepted(guard: ModuleType, repository: Repository) -> None:
    repository.works(a=LONG, b=LONG)
    assert guard.main(["accept", "b", "--why", "it does more"], repository.root) == 0
    repository.commit()
    assert guard.main(["check"], repository.root) == 1


def test_nothing_is_accepted_that_has_not_lost(
    guard: ModuleType, repository: Repository, capsys: pytest.CaptureFixture
) -> None:
    repository.commit()
    before = (repository.root / guard.RECORD).read_text()
    assert guard.main(["accept", "a", "--why", "just so"], repository.root) == 2
    assert "lost: nothing" in capsys.readouterr().err
    assert (repository.root / guard.RECORD).read_text() == before


def test_a_work_that_is_gone_or_fails_is_lost(
    guard: ModuleType, repository: Repository, capsys: pytest.CaptureFixture
) -> None:
    repository.works(a=SHORT, c=SHORT)
    repository.commit()
    assert guard.main(["check"], repository.root) == 1
    told = capsys.readouterr().out
    assert "LOST  b: cannot be compared (this tree: there is no such work any more)" in told
    assert "new   c" in told
    (repository.root / guard.WORKS).write_text("raise SystemExit(3)")
    assert guard.main(["check"], repository.root) == 1
    assert "ended with exit code 3" in capsys.readouterr().out


def test_a_shallow_clone_compares_with_what_it_has(
    guard: ModuleType, repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    middle, _ = repository.commit(), repository.commit()
    for depth in (1, 2):
        clone = tmp_path / f"depth {depth}"
        subprocess.run(["git", "clone", "-q", f"--depth={depth}", repository.root.as_uri(), str(clone)], check=True)
        assert guard.find_base(clone) == (None if depth == 1 else guard.Base(middle))
    assert guard.main(["check"], tmp_path / "depth 1") == 0
    assert "git fetch --unshallow" in capsys.readouterr().out


class Known:
    """A side whose milliseconds are known: one figure a measurement, the last one from then on."""

    works = ("engine",)

    def __init__(self, name: str, warmup: int, *milliseconds: float) -> None:
        self.name, self.warmup, self.left = name, warmup, list(milliseconds)

    def time(self, work: str, calls: int) -> list[float]:
        if calls == self.warmup:
            self.now = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return [self.now] * calls


@pytest.mark.parametrize("milliseconds", [2.68, 5.29], ids=["Xeon with VNNI", "EPYC"])
def test_the_processor_does_not_matter(guard: ModuleType, milliseconds: float) -> None:
    then = Known("then", guard.WARMUP, milliseconds)
    assert guard.check(Known("now", guard.WARMUP, 1.15 * milliseconds), then) == {}
    assert list(guard.check(Known("now", guard.WARMUP, 1.25 * milliseconds), then)) == ["engine"]


def test_a_noisy_try_is_measured_again(guard: ModuleType) -> None:
    then = Known("then", guard.WARMUP, 1.0)
    assert guard.check(Known("now", guard.WARMUP, 2.0, 1.5, 1.0), then) == {}
    assert list(guard.check(Known("now", guard.WARMUP, 2.0, 1.5, 1.4, 1.0), then)) == ["engine"]


def test_the_works_of_this_tree_run(guard: ModuleType) -> None:
    with guard.Side(ROOT, "this tree") as now:
        assert {"engine text,audio,pose", "recognise a sentence"} <= set(now.works)
        for work in now.works:
            assert min(now.time(work, 1)) > 0


def test_wrong_use_prints_the_manual(guard: ModuleType, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        guard.main([])
    assert stop.value.code == 2
    assert "accept" in capsys.readouterr().err
