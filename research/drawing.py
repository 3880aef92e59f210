"""What pictures are drawn with, taken from matplotlib's wheel; run once, its results are committed.

    pip install matplotlib==3.11.2
    python -m research.drawing emoje_edge/assets/drawing

A font with more than Latin letters (DejaVu Sans, Bitstream Vera licence), since speakers are not all called in Latin,
and the demonstration's portrait (United States Navy, public domain).
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

# file in the package -> sha256
FILES = {
    "mpl-data/fonts/ttf/DejaVuSans.ttf": "3fdf69cabf06049ea70a00b5919340e2ce1e6d02b0cc3c4b44fb6801bd1e0d22",
    "mpl-data/fonts/ttf/LICENSE_DEJAVU": "d75938dec098f06f0ac3c00853065d94f020be1c3c62ef1dc2975ba15b4d9b0e",
    "mpl-data/sample_data/grace_hopper.jpg": "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
}


def main(folder: Path) -> None:
    """Copy the files into the folder, each checked."""
    package = find_spec("matplotlib")
    if package is None or package.origin is None:
        raise SystemExit("matplotlib is not installed: see the first lines of this file")
    folder.mkdir(parents=True, exist_ok=True)
    for name, digest in FILES.items():
        source = Path(package.origin).parent / name
        if hashlib.sha256(source.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{name} is not the file of matplotlib 3.11.2 (sha256 {digest[:8]}…)")
        shutil.copyfile(source, folder / source.name)
        print(digest, folder / source.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
