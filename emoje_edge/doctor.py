"""What there is on this device, which backends really work, and the command that mends each of the others.

Nothing is taken on trust: a backend works when one of its engines was opened, verified and run here.  No network is
used, and torch is imported only where an engine needs it.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from emoje_edge.engine.backends import BACKENDS, backend
from emoje_edge.engine.gpu import driver_release, first_gpu, jetpack, l4t_release
from emoje_edge.engine.install import command, this_target
from emoje_edge.errors import EmojeError
from emoje_edge.modality import Mask
from emoje_edge.version import __version__

DEFAULT_BACKEND = "onnx"
PACKAGES = (
    "numpy",
    "onnxruntime",
    "av",
    "ctranslate2",
    "regex",
    "torch",
    "triton",
    "torch-tensorrt",
    "tensorrt",
    "cuda-bindings",
    "onnx",
)
MIN_FREE = 1 << 30  # an `all` build writes a few hundred MB
MIN_MEMORY = 6 << 30  # below it TensorRT builds were killed on small boards without swap


@dataclass(frozen=True)
class BackendState:
    """One backend here.

    Attributes:
        name: `onnx`, `tensorrt` or `aot`; `words` for what recognises them.
        state: `works` (an engine ran), `ready` (all is installed, no engine is built), `missing` (not installed or no
            such device) or `broken` (an engine is there and does not run).
        detail: what ran, or what is wrong.
        command: what to run next; empty where it works.
    """

    name: str
    state: str
    detail: str
    command: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Everything that `doctor` prints, in the order in which it prints it."""

    target: dict[str, Any]
    system: dict[str, Any]
    packages: dict[str, str | None]
    gpu: dict[str, Any] | None
    jetson: dict[str, Any] | None
    cameras: list[dict[str, Any]]
    backends: list[BackendState]
    words: BackendState
    models: list[str]
    advice: list[str]

    @property
    def sound(self) -> bool:
        """The default backend runs."""
        return any(b.name == DEFAULT_BACKEND and b.state == "works" for b in self.backends)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"sound": self.sound}


def diagnose() -> Diagnosis:
    """Look at this device; takes a second or two, most of it the trial runs."""
    target, gpu, seen = this_target(), first_gpu(), cameras()
    described = None if gpu is None else asdict(gpu) | {"architecture": gpu.architecture, "driver": driver_release()}
    about = system()
    return Diagnosis(
        target={"name": target.name, "tested": target.tested},
        system=about,
        packages={"emoje-edge": __version__, **{name: _version(name) for name in PACKAGES}},
        gpu=described,
        jetson=jetson(),
        cameras=seen,
        backends=[try_backend(name) for name in reversed(BACKENDS)],
        words=try_words(),
        models=models(),
        advice=advise(about, seen),
    )


def models() -> list[str]:
    """Names of the models that there are engines of: those that ship, then those built here."""
    from emoje_edge.engine.family import built_here, family

    return list(dict.fromkeys((*family(), *built_here())))


def try_backend(name: str) -> BackendState:
    """Open an engine of this backend and run one utterance of zeros."""
    from emoje_edge.engine.session import find_engine, open_engine

    problem = backend(name).unavailable("open")
    if problem:
        return BackendState(name, "missing", problem.split(":")[0], command(name, "open"))
    built = [mask for mask in Mask.all() if find_engine(mask, name)]
    if not built:
        cannot = backend(name).unavailable("build")
        run = f"emoje-edge build --mask all --backend {name}"
        return BackendState(
            name, "ready", "no engine built yet", f"{command(name, 'build')} && {run}" if cannot else run
        )
    try:
        session = open_engine(built[-1], backend=name)
        session.run(_zeros(session.manifest.inputs))
    except EmojeError as error:
        return BackendState(name, "broken", error.message, error.hint)
    precision = session.manifest.precision
    return BackendState(
        name, "works", f"ran one utterance of {session.mask} in {precision}; engines: {len(built)} of 7"
    )


def try_words() -> BackendState:
    """Open the networks that find speech and write it down, and give them a second of silence."""
    import numpy as np

    from emoje_edge.perception.speech import speech_share
    from emoje_edge.perception.transcribe import NO_WHEEL, Transcriber
    from emoje_edge.perception.word_models import models

    silence = np.zeros(16_000, dtype=np.float32)
    try:
        speech_share(silence)
        if find_spec("ctranslate2") is None:
            return BackendState("words", "missing", "speech is found; ctranslate2 is not installed", NO_WHEEL)
        begin = time.perf_counter()
        Transcriber().transcribe(silence)
        known = ", ".join(model.name for model in models())
    except EmojeError as error:
        return BackendState("words", "broken", error.message, error.hint)
    return BackendState(
        "words", "works", f"Whisper {known}; opened and heard a second in {time.perf_counter() - begin:.1f} s"
    )


def system() -> dict[str, Any]:
    """Machine, Python, memory and disk; bytes where a number stands for a size."""
    from emoje_edge.engine.family import engine_home

    meminfo = _key_values(Path("/proc/meminfo"))
    home = engine_home()
    existing = next(folder for folder in (home, *home.parents) if os.access(folder, os.R_OK))
    return {
        "python": platform.python_version(),
        "os": platform.platform(terse=True),
        "machine": platform.machine(),
        "cpu": _key_values(Path("/proc/cpuinfo")).get("model name", platform.processor() or "unknown"),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "not set; an engine takes one"),
        "memory": _kilobytes(meminfo.get("MemTotal")),
        "swap": _kilobytes(meminfo.get("SwapTotal")),
        "engines": str(home),
        "disk_free": shutil.disk_usage(existing).free,
    }


def jetson() -> dict[str, Any] | None:
    """JetPack, Jetson Linux, power mode; None off a Jetson."""
    release = l4t_release()
    if release is None:
        return None
    return {
        "l4t": release,
        "jetpack": _output("dpkg-query", "-W", "-f=${Version}", "nvidia-jetpack") or jetpack(release),
        "power_mode": (_output("nvpmodel", "-q") or "unknown").splitlines()[0],
    }


def cameras(devices: Path = Path("/dev"), names: Path = Path("/sys/class/video4linux")) -> list[dict[str, Any]]:
    """Video devices, their names, and whether this user may read them."""
    found = []
    for device in sorted(devices.glob("video*")):
        label = names / device.name / "name"
        found.append(
            {
                "device": str(device),
                "name": label.read_text().strip() if label.is_file() else "unknown",
                "readable": os.access(device, os.R_OK),
            }
        )
    return found


def advise(about: dict[str, Any], seen: list[dict[str, Any]]) -> list[str]:
    """Things that work and will hurt later, each with its remedy."""
    advice = []
    if about["disk_free"] < MIN_FREE:
        advice.append(f"less than 1 GB free for {about['engines']}: set EMOJE_ENGINES to a folder with room")
    if about["memory"] and about["memory"] < MIN_MEMORY and not about["swap"]:
        advice.append("little memory and no swap: a TensorRT build may be killed; docs/jetson.md, Memory, adds swap")
    if any(not camera["readable"] for camera in seen):
        advice.append("a camera is there but not readable: sudo usermod -aG video $USER, then log in again")
    return advice


def _zeros(tensors: Any) -> dict[str, Any]:
    import numpy as np

    return {t.name: np.zeros([1 if isinstance(n, str) else n for n in t.shape], t.dtype) for t in tensors}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _key_values(file: Path) -> dict[str, str]:
    """`key : value` lines, the first of each key; empty where there is no such file."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    pairs = [line.partition(":") for line in reversed(lines)]
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def _kilobytes(text: str | None) -> int | None:
    return int(text.split()[0]) * 1024 if text else None


def _output(*arguments: str) -> str | None:
    """What a system tool prints; None where it is missing or fails."""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
