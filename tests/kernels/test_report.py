"""`emoje-edge kernels report`: the table, the JSON and what it says to wrong options."""

import json
import os

import pytest
from click.testing import CliRunner

from emoje_edge.cli.kernels import COLUMNS, command
from emoje_edge.errors import UsageError

pytest.importorskip("triton", reason="compiling needs triton (Linux only)")
pytestmark = pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="the interpreter compiles nothing")
SMALL = ["report", "--arch", "sm_87", "--kernel", "weigh", "--mask", "text"]


def test_json() -> None:
    result = CliRunner().invoke(command, [*SMALL, "--format", "json"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)
    assert (found["kernel"], found["arch"], found["mask"], found["spills"]) == ("weigh", "sm_87", 1, 0)
    assert found["registers"] > 0
    assert not found["fp64"]


def test_table_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = CliRunner().invoke(command, ["report", "--arch", "sm_110", "--kernel", "weigh_backward", "--mask", "text"])
    assert result.exit_code == 0, result.output
    said, *table = result.stdout.splitlines()
    assert said.startswith("mask text, float16; compiled by triton ")
    assert said.endswith("nothing was run")
    head, row = (line.split() for line in table if line.strip("─ "))
    assert head == list(COLUMNS)
    assert row[:2] == ["weigh_backward", "sm_110"]
    assert len(row) == len(head)
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--arch", "sm_1"], "sm_80 or later"),
        (["--kernel", "nonsense"], "fuse_backward"),
        (["--mask", "face"], "no modality"),
        (["--dtype", "int4"], "bfloat16"),
        (["--shape", "24", "48", "30", "8", "24"], "power of two"),
        (["--shape", "500", "48", "30", "8", "32"], "at most 128"),
    ],
)
def test_wrong_options(options: list[str], said: str) -> None:
    result = CliRunner().invoke(command, [*SMALL, *options])
    assert isinstance(result.exception, UsageError)
    assert said in str(result.exception)
