"""The guard against getting slower: ratios of our time over a reference timed in the same run, never absolute times.

    python benchmarks/guard.py check     compare with benchmarks/guard.json; exit 1 on a loss of more than 30 %
    python benchmarks/guard.py accept    store today's ratios: a change accepted on purpose; commit it with its reason

Both sides of a ratio are timed call by call in turn on the same inputs, so drift of the machine strikes both.  A
ratio that looks lost is measured again, twice at most, and the best counts: noise only ever makes us look slower.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

STORED = Path(__file__).with_name("guard.json")
ALLOWED_LOSS = 0.30
TRIES = 3


def engine_over_eager(mask_name: str) -> float:
    """Our engine's median over eager torch's, batch 1, one thread."""
    from contenders import eager, ours

    from emoje_edge import Mask
    from emoje_edge.bench.engines import example_inputs
    from emoje_edge.bench.measure import in_turns
    from emoje_edge.engine.session import open_engine

    mask = Mask.parse(mask_name)
    inputs = example_inputs(open_engine(mask).manifest)
    timings = in_turns({"ours": ours(mask, 1), "reference": eager(mask, 1)}, inputs, rounds=80)
    return timings["ours"].p50 / timings["reference"].p50


def log_mel_over_fft() -> float:
    """Log-mel of 8 s of sound over the Fourier transforms that it cannot do without."""
    from emoje_edge.bench.measure import in_turns
    from emoje_edge.perception.audio import log_mel

    sounds = list(np.random.default_rng(0).standard_normal((4, 8 * 16_000), dtype=np.float32))
    frames = np.zeros((800, 512), np.float32)
    works = {"ours": log_mel, "reference": lambda _: np.fft.rfft(frames)}
    timings = in_turns(works, sounds, rounds=60)
    return timings["ours"].p50 / timings["reference"].p50


def recogniser_over_engine() -> float:
    """An utterance through `Recognizer.recognize` over the engine call inside it: what the pipeline adds."""
    from emoje_edge import Mask
    from emoje_edge.bench.engines import example_inputs
    from emoje_edge.bench.measure import in_turns
    from emoje_edge.engine.session import open_engine
    from emoje_edge.recognizer import Recognizer

    session = open_engine(Mask.parse("text"))
    arrays = example_inputs(session.manifest)
    sentence = "I cannot believe that you did that, it is wonderful!"
    with Recognizer(mask="text") as recogniser:
        works = {"ours": lambda _: recogniser.recognize(text=sentence), "reference": session.run}
        timings = in_turns(works, arrays, rounds=80)
    return timings["ours"].p50 / timings["reference"].p50


RATIOS: dict[str, Callable[[], float]] = {
    "engine text,audio,pose / eager torch": lambda: engine_over_eager("all"),
    "engine pose / eager torch": lambda: engine_over_eager("pose"),
    "engine text / eager torch": lambda: engine_over_eager("text"),
    "log-mel / its Fourier transforms": log_mel_over_fft,
    "recognise a sentence / its engine call": recogniser_over_engine,
}


def check(ratios: dict[str, Callable[[], float]], stored: dict[str, float]) -> list[str]:
    """Measure, print and compare; return one line a loss."""
    losses = []
    for name, measure in ratios.items():
        limit = stored[name] * (1 + ALLOWED_LOSS)
        best = float("inf")
        for _ in range(TRIES):
            best = min(best, measure())
            if best <= limit:
                break
        print(
            f"{'ok  ' if best <= limit else 'LOST'}  {name}: {best:.3f} (stored {stored[name]:.3f}, limit {limit:.3f})"
        )
        if best > limit:
            losses.append(f"{name} went from {stored[name]:.3f} to {best:.3f}")
    return losses


def accept(ratios: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Today's ratios: the median of three, which is what a later run must not lose to."""
    return {name: round(float(np.median([measure() for _ in range(TRIES)])), 4) for name, measure in ratios.items()}


def main(arguments: list[str]) -> int:
    if arguments == ["accept"]:
        STORED.write_text(json.dumps(accept(RATIOS), indent=2) + "\n")
        print(STORED.read_text(), end="")
        return 0
    if arguments != ["check"]:
        print(__doc__, file=sys.stderr)
        return 2
    losses = check(RATIOS, json.loads(STORED.read_text()))
    for loss in losses:
        print(
            f"Slower: {loss}.  Meant?  python benchmarks/guard.py accept, and commit it with the reason.",
            file=sys.stderr,
        )
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
