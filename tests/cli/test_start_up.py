"""What an import and `--help` bring in, and that every command of the table is there."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from emoje_edge.cli.main import COMMANDS, cli

HEAVY = ("torch", "mediapipe", "onnxruntime", "transformers", "matplotlib", "cv2", "av", "numpy", "onnx", "rich")


def loaded_after(code: str) -> set[str]:
    """Which heavy libraries a new interpreter has imported after running `code`."""
    report = f"import sys\n{code}\nprint(*(x for x in {HEAVY!r} if x in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=120, check=True)
    return set(done.stderr.split())


def test_the_package_brings_nothing_heavy_in() -> None:
    assert loaded_after("import emoje_edge") == set()


def test_help_brings_nothing_heavy_in() -> None:
    assert loaded_after("from emoje_edge.cli.main import cli\ncli.main(['--help'], standalone_mode=False)") == set()


def test_the_recogniser_needs_no_torch() -> None:
    assert not loaded_after("from emoje_edge import Recognizer") & {"torch", "mediapipe", "transformers", "onnx"}


def test_help_of_infer_needs_neither_detector_nor_torch() -> None:
    help_of_infer = "from emoje_edge.cli.main import cli\ncli.main(['infer', '--help'], standalone_mode=False)"
    assert not loaded_after(help_of_infer) & {"torch", "mediapipe", "onnxruntime", "matplotlib", "cv2"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    done = CliRunner().invoke(cli, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage:" in done.output
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    assert all(p.help for p in command.params if isinstance(p, click.Option))  # type: ignore[attr-defined]
