"""The `emoje-edge` command: a group that loads a command's module when it is called, and prints errors for people.

Exit codes: 0 done, 1 the work failed, 2 wrong use, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from emoje_edge.errors import EmojeError, WorkError, nearest
from emoje_edge.extras import install
from emoje_edge.version import __version__

# name -> (module that holds `command`, one line of help); a table, so that `--help` imports none of them
COMMANDS: dict[str, tuple[str, str]] = {
    "infer": ("emoje_edge.cli.infer", "Recognise the emotion of each utterance of a video, a folder or a camera."),
    "serve": ("emoje_edge.cli.serve", "Show cameras, streams and files on a page of this machine, as it happens."),
    "corpus": ("emoje_edge.cli.corpus", "Label a folder of recordings, thousands of them, into one table."),
    "demo": ("emoje_edge.cli.demo", "Make a short clip, run infer on it, leave pictures to look at."),
    "info": ("emoje_edge.cli.info", "Show versions, engines and masks."),
    "doctor": ("emoje_edge.cli.doctor", "Check this device: what works, and the command that mends the rest."),
    "build": ("emoje_edge.cli.build", "Build a verified engine for a mask and this device."),
    "models": ("emoje_edge.cli.models", "List, add and remove models that write down what is said."),
    "engines": ("emoje_edge.cli.engines", "List, verify and prune built engines."),
    "calibrate": ("emoje_edge.cli.calibrate", "Calibrate a trained model for INT8."),
    "train": ("emoje_edge.cli.train", "Train a model."),
    "distill": ("emoje_edge.cli.distill", "Distil a teacher into a small student."),
    "evaluate": ("emoje_edge.cli.evaluate", "Measure a model or the engines on a labelled data set."),
    "bench": ("emoje_edge.cli.bench", "Measure latency, memory and throughput on this device."),
    "kernels": ("emoje_edge.cli.kernels", "Compile the Triton kernels for a GPU that need not be here, and report."),
}

# package -> the extra that brings it
EXTRAS = {
    **dict.fromkeys(("torch", "transformers", "safetensors", "sklearn", "matplotlib"), "train"),
    "onnx": "build",
    "mediapipe": "mediapipe",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when called; a mistyped one gets a suggestion."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return importlib.import_module(COMMANDS[name][0]).command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            hint = nearest(name, COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"No such command '{name}': {hint}".strip(), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader (`| head -1`) has seen enough: silence the interpreter's own flush at exit.  Caught in here,
            # because click itself would make it exit code 1.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(0) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="emoje-edge")
def cli() -> None:
    """Emotion recognition in conversation, on the device: text, audio and body pose, never the face.

    \b
    Start here:
      emoje-edge demo              see it work on a clip that it makes itself
      emoje-edge infer VIDEO       one JSON line an utterance
    """


class Terminated(BaseException):
    """SIGTERM came: unwinds like Ctrl-C, so that files are closed and whole."""


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def run() -> None:
    """Entry point: the group, with errors turned into a message and an exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. Finished rows are kept.", err=True)
        code = 130
    except Terminated:
        click.echo("Terminated. Finished rows are kept.", err=True)
        code = 143
    except EmojeError as error:
        click.echo(f"Error: {error}", err=True)
        code = error.exit_code
    except OSError as error:
        # a place that may not be read or written and that no command looks at itself
        reason = f"{error.filename or 'a file'}: {error.strerror or error}"
        click.echo(f"Error: {WorkError(reason, 'check its rights, and HOME and XDG_* where it lies in one')}", err=True)
        code = 1
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        click.echo(f"Error: {package} is not installed\n  {install(EXTRAS[package])}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
