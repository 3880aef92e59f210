"""The temperatures of a model, one a mask: fitted once, kept beside its weights, copied into each engine's manifest."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from emoje_edge.engine.manifest import FILE_NAME, checked_temperature, read_manifest
from emoje_edge.errors import EmojeError, WorkError
from emoje_edge.modality import Mask

TEMPERATURES_FILE = "temperatures.json"


def read_temperatures(model: Path) -> dict[Mask, float]:
    """What MODEL/temperatures.json holds, by mask; nothing where there is no such file.

    Raises:
        WorkError: it is no JSON object of masks and temperatures; the message names it.
    """
    path = model / TEMPERATURES_FILE
    if not path.is_file():
        return {}
    hint = f"fit them again: emoje-edge evaluate --model {model} --fit-temperature, or delete the file"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return {Mask.parse(str(name)): checked_temperature(value) for name, value in dict(raw).items()}
    except (OSError, ValueError, TypeError, EmojeError) as error:
        raise WorkError(f"{path}: {getattr(error, 'message', error)}", hint) from error


def write_temperatures(model: Path, found: Mapping[Mask, float]) -> None:
    """Write MODEL/temperatures.json; masks that are not in `found` keep theirs."""
    both = {**read_temperatures(model), **found}
    plain = {str(mask): round(both[mask], 4) for mask in Mask.all() if mask in both}
    _write(model / TEMPERATURES_FILE, json.dumps(plain, indent=2) + "\n")


def set_temperature(engine: Path, temperature: float | None) -> None:
    """Put a temperature into the manifest of a finished engine."""
    manifest = replace(read_manifest(engine), temperature=temperature)
    _write(engine / FILE_NAME, manifest.to_json())


def _write(path: Path, text: str) -> None:
    """The old file or the new one, never half of one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
