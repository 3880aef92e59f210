"""What the guard times, one tree's side of it: a process that runs works of its own tree when it is told to.

    python benchmarks/guard_works.py       answers lines of JSON on standard input with lines of JSON

    -> {"works": ["engine text", ...]}                   once, at the start
    <- {"work": "engine text", "calls": 4}
    -> {"ms": [2.1, 2.0, 2.0, 2.1]}                      or {"error": "why it cannot be run here"}

Each commit brings this file with it, so that its works follow its own names.  The protocol and the names of the works
are what two commits have in common: keep them, or accept the change (`guard.py accept`).
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TextIO

import numpy as np

Work = Callable[[], object]


def engine(mask_name: str) -> Work:
    """The shipped engine of a mask, batch 1, one thread, on inputs of its own manifest in rotation."""
    from emoje_edge import Mask
    from emoje_edge.bench.time_engines import example_inputs
    from emoje_edge.engine.session import open_engine

    session = open_engine(Mask.parse(mask_name), threads=1)
    inputs = itertools.cycle(example_inputs(session.manifest))
    return lambda: session.run(next(inputs))


def log_mel_of_8_s() -> Work:
    from emoje_edge.perception.audio import log_mel

    sounds = itertools.cycle(np.random.default_rng(0).standard_normal((4, 8 * 16_000), dtype=np.float32))
    return lambda: log_mel(next(sounds))


def utterance_of_8_s() -> Work:
    """All that is made of an utterance's sound: the feature and how good it is, levelled once."""
    from emoje_edge.perception.features import level_utterance, log_mel_feature
    from emoje_edge.perception.quality import sound_quality

    sounds = itertools.cycle(0.1 * np.random.default_rng(0).standard_normal((4, 8 * 16_000), dtype=np.float32))

    def run() -> object:
        sound = level_utterance(next(sounds))
        return log_mel_feature(sound, 64), sound_quality(sound)

    return run


def sentence() -> Work:
    """A sentence through the recogniser: what the pipeline adds to the engine shows here."""
    from emoje_edge.recognizer import Recognizer

    recogniser = Recognizer(mask="text")
    return lambda: recogniser.recognize(text="I cannot believe that you did that, it is wonderful!")


WORKS: dict[str, Callable[[], Work]] = {
    "engine text,audio,pose": lambda: engine("all"),
    "engine audio": lambda: engine("audio"),
    "engine pose": lambda: engine("pose"),
    "engine text": lambda: engine("text"),
    "log-mel of 8 s": log_mel_of_8_s,
    "sound of an utterance of 8 s": utterance_of_8_s,
    "recognise a sentence": sentence,
}


def timed(work: Work, calls: int) -> list[float]:
    """Milliseconds of each of `calls` calls."""
    times = []
    for _ in range(calls):
        begin = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - begin))
    return times


def serve(makers: dict[str, Callable[[], Work]], orders: TextIO, answers: TextIO) -> None:
    """Answer orders until there are none."""

    def answer(message: dict[str, object]) -> None:
        print(json.dumps(message), file=answers, flush=True)

    ready: dict[str, Work] = {}
    answer({"works": list(makers)})
    for line in orders:
        order = json.loads(line)
        name = order["work"]
        try:
            if name not in ready:
                ready[name] = makers[name]()
            answer({"ms": timed(ready[name], order["calls"])})
        except Exception as error:  # told to the guard, which knows whether it matters
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    protocol = sys.stdout
    with redirect_stdout(sys.stderr):  # nothing else may speak on it
        serve(WORKS, sys.stdin, protocol)
