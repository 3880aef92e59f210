"""Models by name: those that ship, `small` and `medium`, and what was built on this machine.

A name stands for the engines of one model, so that an answer never rests on two.
"""

from __future__ import annotations

import os
from pathlib import Path

from emoje_edge import shipped
from emoje_edge.engine.manifest import FILE_NAME
from emoje_edge.errors import UsageError, nearest


def engine_home() -> Path:
    """Where `build` puts engines and `open_engine` looks first: $EMOJE_ENGINES, else the user's data folder."""
    from platformdirs import user_data_path

    return (
        Path(os.environ["EMOJE_ENGINES"])
        if os.environ.get("EMOJE_ENGINES")
        else user_data_path("emoje-edge", False) / "engines"
    )


def family() -> tuple[str, ...]:
    """Names of the models that came with the package, the default first."""
    found = {folder.parent.parent.name for folder in shipped.ENGINES.glob(f"*/*/{FILE_NAME}")}
    return tuple(sorted(found, key=lambda name: (name != shipped.DEFAULT, name)))


def built_here() -> tuple[str, ...]:
    """Names of the models that engines were built of on this machine; none where their folder cannot be read."""
    try:
        found = {path.parents[2].name for path in engine_home().glob(f"*/*/*/{FILE_NAME}")}
    except OSError:
        return ()
    return tuple(sorted(found))


def is_name(given: str | Path) -> bool:
    """Whether this is the name of a model with engines, not a path; `./small` is a path."""
    return str(given) in (*family(), *built_here())


def choose(model: str | None, engine_dir: str | Path | None = None) -> str | None:
    """The model that was named, else the default one; None where a folder of engines says which.

    Raises:
        UsageError: an unknown name, or a name and a folder.
    """
    if engine_dir is not None:
        if model is not None:
            raise UsageError(
                f"the model {model!r} and the engines of {engine_dir}",
                "give one of both: the folder holds its own model",
            )
        return None
    if model in (None, shipped.DEFAULT, *family()):
        return model or shipped.DEFAULT
    assert model is not None
    own = built_here()
    if model not in own:
        known = f"allowed: {', '.join(family())}" + (f"; built here: {', '.join(own)}" if own else "")
        raise UsageError(f"unknown model {model!r}", nearest(model, (*family(), *own)) + known)
    return model
