"""What the figures were measured on: processor, memory, versions, power mode, and how noisy the machine is."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGES = ("emoje-edge", "numpy", "onnxruntime", "mediapipe", "av", "torch", "openvino", "triton", "tensorrt")


def describe() -> dict[str, Any]:
    """The machine in words and numbers, ready for JSON.  Keys that do not apply are left out."""
    facts: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version for name in _PACKAGES if (version := _version(name))},
        "gpu": _gpu(),
        "jetson": _jetson(),
    }
    return {key: value for key, value in facts.items() if value not in (None, "", {})}


def noise(repeats: int = 40) -> float:
    """How far the machine wanders: p95 / p50 of one fixed piece of work (1.0 is perfectly quiet)."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 256, 256), dtype=np.float32)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(8):
            a @ b
        times.append(time.perf_counter() - start)
    p50, p95 = np.percentile(times[repeats // 8 :], [50, 95])
    return float(p95 / p50)


def limits() -> dict[str, float]:
    """The machine's own ceiling, measured: float32 matmul rate (GFLOP/s) and copy bandwidth (GB/s), best of several."""
    rng = np.random.default_rng(0)
    n = 1024
    a, b = rng.standard_normal((2, n, n), dtype=np.float32)
    matmul = min(_seconds(lambda: a @ b) for _ in range(8))
    source = np.ones(64 << 20, np.uint8)
    target = np.empty_like(source)
    copy = min(_seconds(lambda: np.copyto(target, source)) for _ in range(8))
    return {"matmul_gflops": 2 * n**3 / matmul / 1e9, "copy_gb_per_s": 2 * source.nbytes / copy / 1e9}


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", info.read_text(), re.M)
        if found:
            return found.group(1).strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError):
        return None


def _output(*command: str) -> str | None:
    if not shutil.which(command[0]):
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _gpu() -> str | None:
    return _output("nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader")


def _jetson() -> dict[str, str]:
    """Release, power mode and clocks, without which a Jetson's latency means nothing."""
    release = Path("/etc/nv_tegra_release")
    if not release.exists():
        return {}
    facts = {"release": release.read_text().splitlines()[0]}
    for key, command in {"power_mode": ("nvpmodel", "-q"), "clocks": ("jetson_clocks", "--show")}.items():
        if text := _output(*command):
            facts[key] = text
    if power := _tegrastats():
        facts["power"] = power
    return facts


def _tegrastats() -> str | None:
    """One sample of the board's power rails, e.g. `VDD_IN 5024mW`; None where the tool is missing or silent."""
    if not shutil.which("tegrastats"):
        return None
    command = ("timeout", "3", "tegrastats", "--interval", "500")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        process.kill()
    return power_rails(line) or None


def power_rails(line: str) -> str:
    """The rails of a line of tegrastats, `NAME 5024mW/4990mW` as `NAME 5024mW`, joined by commas."""
    return ", ".join(f"{name} {now}mW" for name, now in re.findall(r"\b([A-Z][A-Z0-9_]+) (\d+)mW/\d+mW", line))
