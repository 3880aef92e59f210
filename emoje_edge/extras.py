"""Commands that install this package with more: it is on no index, so they name the checkout."""

from __future__ import annotations

from pathlib import Path


def checkout() -> Path | None:
    """The folder of the repository that this package runs from, None where it was installed from a wheel."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() and (root / "setup.py").is_file() else None


def target(extras: str = "") -> str:
    """What to give `pip install` for this package with these extras, such as `build,gpu`."""
    wanted = f"[{extras}]" if extras else ""
    root = checkout()
    return f"-e '{root}{wanted}'" if root else f"'.{wanted}'"


def install(extras: str = "") -> str:
    """The command that installs this package with these extras, runnable as it stands from a checkout."""
    command = f"pip install {target(extras)}"
    return command if checkout() else f"{command} in a checkout of emoje-edge"
