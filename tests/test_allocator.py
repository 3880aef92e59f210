"""The heap that all threads share."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

# threads that all hold something at the same time; glibc then tells its heaps
COUNT = """
import ctypes, os, sys, threading
if sys.argv[1] == "one":
    from emoje_edge.allocator import share_one_heap
    share_one_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
ready = threading.Barrier(9)
def hold():
    kept = [libc.malloc(2000) for _ in range(1000)]
    ready.wait()
    ready.wait()
threads = [threading.Thread(target=hold) for _ in range(8)]
for thread in threads: thread.start()
ready.wait()
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
ready.wait()
print(open(sys.argv[2]).read().count("<heap "))
"""


def heaps(how: str, path: str, **environment: str) -> int:
    given = {k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"} | environment
    command = [sys.executable, "-c", COUNT, how, path]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, env=given).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_threads_share_one_heap(tmp_path: Path) -> None:
    path = f"{tmp_path}/info.xml"
    assert heaps("one", path) == 1
    assert heaps("many", path) > 1
    assert heaps("one", path, MALLOC_ARENA_MAX="3") == 3  # what a user sets goes first
