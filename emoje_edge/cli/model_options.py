"""What build and calibrate share: the model, the calibration data, the tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emoje_edge.cli.model_choice import folder_of
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.extras import install

if TYPE_CHECKING:
    from emoje_edge.engine.calibration_set import CalibrationSet
    from emoje_edge.training.checkpoint import Run


@dataclass(frozen=True)
class Model:
    """A trained run and its name: its folder's."""

    run: Run
    name: str


def load_model(given: str | Path | None) -> Model:
    """The model that `--model` names: of the family, or a run folder.

    Raises:
        UsageError: no run folder.
        WorkError: damaged weights, or torch is not installed.
    """
    folder = folder_of(given)  # a mistyped name shows before torch is loaded
    try:
        import torch

        from emoje_edge.training.checkpoint import load_run
    except ImportError as error:
        raise WorkError(f"{error.name} is not installed", install("build")) from error
    torch.set_num_threads(min(torch.get_num_threads(), 2))
    run = load_run(folder)
    name = run.path.resolve().name
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise UsageError(f"model folder {name!r}", "rename it: letters, digits, - _ and . (engine folders carry it)")
    return Model(run, name)


def load_data(source: str | None, model: Model, samples: int) -> CalibrationSet:
    """The calibration set that `--data` names."""
    from emoje_edge.calibration_data.calibration_inputs import open_set

    return open_set(source, model.run.config, model.run.tokenizer, samples)
