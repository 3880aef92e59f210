"""Two devices: anchored where each begins, their drift taken out."""

import numpy as np
import pytest

from emoje_edge.perception.live.clock import TOLERANCE, Clock

Device = tuple[float, float, float]  # s at which it begins, timestamp of its first item, its seconds in ours


def session_times(clocks: list[Clock], devices: list[Device], length: float, stall: float = 0.0) -> np.ndarray:
    """[item, device]: session time of what both saw at the same moment, one each 20 ms, with the network's jitter.

    The network stands still for `stall` s in the middle: what was on its way arrives after it.
    """
    generator, rows = np.random.default_rng(0), []
    for true in np.arange(max(begin for begin, _, _ in devices), length, 0.02):
        arrived = max(true, length / 2 + stall) if length / 2 < true < length / 2 + stall else true
        row = []
        for clock, (begin, first, rate) in zip(clocks, devices, strict=True):
            jitter = abs(float(generator.normal(0, 0.01)))
            row.append(clock.at(first + rate * (true - begin), arrived + jitter))
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("drift", [0.005, -0.005])
@pytest.mark.parametrize("fast", ["camera", "microphone"])
def test_two_devices_that_part_stay_within_a_tenth_of_a_second(drift: float, fast: str) -> None:
    # 5 minutes, one .5 % fast or slow, the camera .3 s after the microphone
    microphone = Clock()
    devices: list[Device] = [
        (0.0, 7.0, 1 + drift * (fast == "microphone")),
        (0.3, 900.0, 1 + drift * (fast == "camera")),
    ]
    times = session_times([microphone, Clock(microphone)], devices, 300.0, stall=2.0)
    apart = np.abs(times[:, 0] - times[:, 1])
    assert apart.max() < 0.1
    assert apart[-1] < 0.05


def test_a_device_alone_stays_near_our_clock() -> None:
    true = np.arange(0.0, 300.0, 0.02)
    times = session_times([Clock()], [(0.0, 7.0, 1.005)], 300.0)[:, 0]
    assert np.abs(times - true).max() < TOLERANCE + 0.06


def test_jitter_and_a_network_that_stands_still_never_move_the_clock() -> None:
    generator, clock = np.random.default_rng(0), Clock()
    clock.at(0.0, 0.0)
    shifts = set()
    for second in np.arange(0.02, 60, 0.02):
        late = 3.0 - (second - 20) if 20 < second < 23 else 0.0
        clock.at(float(second), float(second + late + abs(generator.normal(0, 0.05))))
        shifts.add(clock.shift)
    assert shifts == {0.0}


def test_a_machine_that_falls_behind_is_no_drift() -> None:
    # a minute in which everything is read later and later, to 20 s
    clock = Clock()
    lag = [second * 4 / 3 - clock.at(float(second), float(second * 4 / 3)) for second in np.arange(0.0, 60.0, 0.02)]
    assert lag[-1] > 18.0


def test_a_device_that_is_opened_again_is_anchored_anew() -> None:
    clock = Clock()
    assert clock.at(5.0, 1.0) == 1.0
    clock.restart()
    assert not clock.running
    assert clock.at(900.0, 40.0) == 40.0
