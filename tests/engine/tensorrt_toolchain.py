"""A real TensorRT(-RTX) compiler for a machine without a GPU, fetched once by package name into the user's cache.

Three wheels of 0.2 GB: Torch-TensorRT's RTX build, the compiler's Python face, and ONNX Runtime's RTX provider,
which carries the compiler's libraries.  They stay out of the environment: only a child process sees them.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path

TORCH = "2.13.0"
PACKAGES = (
    f"torch-tensorrt-rtx=={TORCH}",
    "tensorrt-rtx-cu13-bindings==1.5.0.114",
    "onnxruntime-ep-nv-tensorrt-rtx-cu13==0.3.0",
    "dllist==2.0.0",
    "psutil",
    "packaging",
)
RTX = "1.5.0"
FETCH_SECONDS = 600


class Unavailable(Exception):
    """Why there is no toolchain here; the tests skip with these words."""


def environment() -> dict[str, str]:
    """Environment of a child process that can import `torch_tensorrt` and `tensorrt_rtx`.

    Raises:
        Unavailable: another platform or torch, or the packages cannot be had.
    """
    folder = _fetched()
    libraries = folder / "onnxruntime_ep_nv_tensorrt_rtx"
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    for name, path in (("PYTHONPATH", folder), ("LD_LIBRARY_PATH", libraries)):
        env[name] = os.pathsep.join(filter(None, (str(path), env.get(name))))
    return env


def _fetched() -> Path:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Unavailable(f"TensorRT-RTX has no packages for {platform.system()} {platform.machine()}")
    if version("torch").split("+")[0] != TORCH:
        raise Unavailable(f"the toolchain is made for torch {TORCH}, here is {version('torch')}")
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    folder = user_cache_path("emoje-edge") / f"tensorrt-rtx-{RTX}-torch-{TORCH}-{python}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fresh = Path(scratch) / "packages"
        _install(fresh)
        _complete(fresh)
        try:
            fresh.rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
    return folder


def _install(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *PACKAGES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"fetching the TensorRT-RTX packages: {error}") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr[-200:]]
        raise Unavailable(f"the TensorRT-RTX packages cannot be had: {lines[0]}")


def _complete(folder: Path) -> None:
    """Make the packages importable without CUDA: the C++ runtime goes, library and package names are completed."""
    package = folder / "torch_tensorrt"
    for unneeded in (package / "lib", package / "bin", *package.glob("_C*.so")):
        shutil.rmtree(unneeded) if unneeded.is_dir() else unneeded.unlink()
    libraries = folder / "onnxruntime_ep_nv_tensorrt_rtx"
    for library in ("libtensorrt_rtx.so", "libtensorrt_onnxparser_rtx.so"):
        (libraries / f"{library}.1").symlink_to(f"{library}.{RTX}")
    # the face that the meta package would bring; it is a source distribution that downloads at build time
    face = folder / "tensorrt_rtx"
    face.mkdir(exist_ok=True)
    (face / "__init__.py").write_text(
        "from tensorrt_rtx_bindings import *\nfrom tensorrt_rtx_bindings import __version__\n"
    )
