"""Facts about this machine's first GPU, asked of the driver itself: no torch, no CUDA toolkit, no subprocess.

`libcuda` comes with the driver, on a workstation and on a Jetson alike; where it is missing there is no usable GPU.
Source: CUDA Driver API, "Device Management" and "Version Management".
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_MULTIPROCESSOR_COUNT, _MAJOR, _MINOR = 16, 75, 76  # CU_DEVICE_ATTRIBUTE_*
_DRIVER_FILE = Path("/proc/driver/nvidia/version")
_TEGRA_FILE = Path("/etc/nv_tegra_release")


@dataclass(frozen=True)
class Gpu:
    """What decides whether an engine fits.

    Attributes:
        name: as the driver names it, e.g. `Orin` or `NVIDIA GeForce RTX 3060`.
        compute_capability: e.g. `8.7`.
        sm_count: streaming multiprocessors; two modules of one name can differ in it.
        memory: bytes in all (shared with the CPU on a Jetson).
        cuda: newest CUDA version that the driver takes, e.g. `12.6`.
    """

    name: str
    compute_capability: str
    sm_count: int
    memory: int
    cuda: str

    @property
    def architecture(self) -> str:
        """`sm_87` for compute capability 8.7."""
        return "sm_" + self.compute_capability.replace(".", "")


@cache
def first_gpu() -> Gpu | None:
    """The GPU that CUDA calls device 0; None where there is no driver or no device."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    if cuda.cuInit(0) != 0:
        return None
    device, count = ctypes.c_int(), ctypes.c_int()
    if cuda.cuDeviceGetCount(ctypes.byref(count)) != 0 or not count.value:
        return None
    if cuda.cuDeviceGet(ctypes.byref(device), 0) != 0:
        return None

    def attribute(number: int) -> int:
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), number, device)
        return value.value

    name, memory, version = ctypes.create_string_buffer(256), ctypes.c_size_t(), ctypes.c_int()
    cuda.cuDeviceGetName(name, len(name), device)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    cuda.cuDriverGetVersion(ctypes.byref(version))
    return Gpu(
        name=name.value.decode(errors="replace"),
        compute_capability=f"{attribute(_MAJOR)}.{attribute(_MINOR)}",
        sm_count=attribute(_MULTIPROCESSOR_COUNT),
        memory=memory.value,
        cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
    )


def driver_release(file: Path = _DRIVER_FILE) -> str | None:
    """Release of the NVIDIA kernel driver, e.g. `560.35.03`; None where there is none."""
    try:
        found = re.search(r"Kernel Module\b.*?\s(\d+\.\d+(?:\.\d+)?)\s", file.read_text(errors="replace"))
    except OSError:
        return None
    return found.group(1) if found else None


def l4t_release(file: Path = _TEGRA_FILE) -> str | None:
    """Jetson Linux release, e.g. `36.4.3`; None off a Jetson.

    The file's first line reads `# R36 (release), REVISION: 4.3, GCID: …`.
    """
    try:
        found = re.search(r"# R(\d+) \(release\), REVISION: (\d+(?:\.\d+)*)", file.read_text(errors="replace"))
    except OSError:
        return None
    return f"{found.group(1)}.{found.group(2)}" if found else None


# first numbers of the Jetson Linux release -> JetPack
_JETPACKS = {"35": "5", "36.2": "6.0", "36.3": "6.0", "36.4": "6.2", "36.5": "6.2", "38": "7.0", "39": "7.2"}


def jetpack(l4t: str | None) -> str | None:
    """JetPack that a Jetson Linux release belongs to; `unknown` for one that is not in the table."""
    if l4t is None:
        return None
    major, _, rest = l4t.partition(".")
    return _JETPACKS.get(f"{major}.{rest.partition('.')[0]}", _JETPACKS.get(major, "unknown"))


def device_facts() -> dict[str, str | int]:
    """The GPU, driver and JetPack as the flat dict that keys and manifests hold; `{}` without a GPU."""
    gpu = first_gpu()
    if gpu is None:
        return {}
    facts: dict[str, str | int] = {
        "kind": "cuda",
        "name": gpu.name,
        "compute_capability": gpu.compute_capability,
        "sm_count": gpu.sm_count,
        "driver": driver_release() or f"CUDA {gpu.cuda}",
    }
    l4t = l4t_release()
    return facts | ({"jetpack": f"{jetpack(l4t)} (L4T {l4t})"} if l4t else {})
