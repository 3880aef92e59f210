"""`emoje-edge models` as a user runs it; what it does is in tests/perception/test_word_models.py."""

from pathlib import Path

from tests.cli.conftest import Run


def test_the_shipped_model_is_listed(emoje: Run) -> None:
    done = emoje("models", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tiny.en")
    assert "ced00dbc6fec4781" in done.stdout


def test_what_is_no_model_is_not_added(emoje: Run, tmp_path: Path) -> None:
    done = emoje("models", "add", tmp_path)
    assert done.returncode == 2
    assert "no model.bin" in done.stderr


def test_the_shipped_model_stays(emoje: Run) -> None:
    done = emoje("models", "remove", "tiny.en")
    assert done.returncode == 2
    assert "stays" in done.stderr
