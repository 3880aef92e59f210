"""The onnxruntime module, imported in one place so that it keeps to itself."""

from __future__ import annotations

import os
from typing import Any


def runtime() -> Any:
    """onnxruntime; from 1.29 on it would contact its vendor on import, unless it is told not to before."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime
