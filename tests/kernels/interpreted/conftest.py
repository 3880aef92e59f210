"""Tests of the kernels themselves on the CPU, in Triton's interpreter.

The interpreter is chosen when triton is imported, so these run in a process of their own, which
`tests/kernels/test_interpreter.py` starts; an ordinary run does not collect them.
"""

import os

import pytest
import torch

if os.environ.get("TRITON_INTERPRET") != "1":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output buffers start as NaN: an element that a kernel forgets shows."""
    from emoje_kernels import launch

    monkeypatch.setattr(launch, "allocate", lambda *shape, **kind: torch.full(shape, float("nan"), **kind))
