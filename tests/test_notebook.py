"""The notebook's cells run one after the other, and it ends in a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs" / "notebooks" / "first-steps.ipynb"


def test_the_notebook_runs_and_ends_in_a_picture(capsys: Any) -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] for cell in cells)  # nothing of somebody's machine is kept
    names: dict[str, Any] = {}
    for cell in cells:
        exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), names)
    assert isinstance(names["picture"], Image.Image)
    assert names["picture"].width > 500
    assert len(capsys.readouterr().out.splitlines()) == 6
