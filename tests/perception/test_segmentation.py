import numpy as np
import pytest

from emoje_edge.errors import UsageError
from emoje_edge.perception.segmentation import Cues, Utterance, Windows


def _windows(times, end, **sizes):
    windows = Windows(**sizes)
    found = []
    for time in times:
        found += windows.advance(float(time))
    return [(u.start, u.end) for u in found + windows.finish(end)]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 9, [(0, 3), (1.5, 4.5), (3, 6), (4.5, 7.5), (6, 9)]),
        (0, 10, [(0, 3), (1.5, 4.5), (3, 6), (4.5, 7.5), (6, 9), (7.5, 10)]),
        (0, 9.2, [(0, 3), (1.5, 4.5), (3, 6), (4.5, 7.5), (6, 9)]),
        (0.8, 4, [(0.8, 3.8)]),
        (0, 2, [(0, 2)]),
        (0, 0.1, [(0, 0.1)]),
    ],
)
def test_windows(start, end, expected):
    found = _windows(np.arange(start, end, 0.08), end)
    assert len(found) == len(expected)
    assert np.array(found) == pytest.approx(np.array(expected))


def test_windows_of_nothing():
    assert _windows([], 0.0) == []


@pytest.mark.parametrize("sizes", [{"window": 0.1}, {"window": 8.0}, {"hop": 0}, {"hop": -1}, {"window": 2, "hop": 3}])
def test_windows_that_do_not_fit(sizes):
    with pytest.raises(UsageError):
        Windows(**sizes)


def test_cues_come_when_they_begin():
    cues = [Utterance(4, 5), Utterance(1, 9), Utterance(2, 3), Utterance(20, 21)]
    segmenter = Cues(cues)
    assert segmenter.horizon == 1
    assert segmenter.advance(2.5) == [Utterance(1, 9), Utterance(2, 3)]
    assert segmenter.horizon == 4
    assert segmenter.finish(10) == [Utterance(4, 5)]
