"""Two devices: anchored where each begins, their drift taken out."""

import numpy as np

from emoje_edge.perception.live.clock import TOLERANCE, Clock


def test_a_late_device_that_runs_fast_stays_within_a_tenth_of_a_second() -> None:
    # 5 minutes, timestamps 0.5 % fast, arriving .3 s after the other device began, with jitter
    generator, clock = np.random.default_rng(0), Clock()
    apart = []
    for second in np.arange(0.3, 300, 0.02):
        timestamp = 1.005 * (second - 0.3) + 7.0
        at = clock.at(float(timestamp), float(second + abs(generator.normal(0, 0.01))))
        apart.append(abs(at - second))
    assert max(apart) < 1.6 * TOLERANCE
    assert apart[-1] < 1.6 * TOLERANCE


def test_jitter_alone_never_moves_the_clock() -> None:
    generator, clock = np.random.default_rng(0), Clock()
    clock.at(0.0, 0.0)
    shifts = set()
    for second in np.arange(0.02, 60, 0.02):
        clock.at(float(second), float(second + abs(generator.normal(0, 0.05))))
        shifts.add(clock.shift)
    assert shifts == {0.0}
