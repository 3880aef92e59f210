"""Packages live in folders whose names must not become import names.

`kernels` is Hugging Face's package (transformers imports it) and `calibration` is as common a word, so the
folders hold the packages `emoje_kernels` and `emoje_calibration`, mapped here.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

root = Path(__file__).parent
version = re.search(r'__version__ = "([^"]+)"', (root / "emoje_edge" / "version.py").read_text()).group(1)

setup(
    version=version,
    packages=[
        *find_packages(include=["emoje_edge*"]),
        *find_packages("kernels", include=["emoje_kernels*"]),
        *find_packages("calibration", include=["emoje_calibration*"]),
    ],
    package_dir={
        "emoje_edge": "emoje_edge",
        "emoje_kernels": "kernels/emoje_kernels",
        "emoje_calibration": "calibration/emoje_calibration",
    },
    include_package_data=False,  # what lies in assets is data, not packages without an __init__
    package_data={
        "emoje_edge": ["py.typed", "assets/**/*"],
        "emoje_kernels": ["py.typed"],
        "emoje_calibration": ["py.typed"],
    },
)
