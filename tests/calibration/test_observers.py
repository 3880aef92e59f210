"""Observers: each one's range on distributions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from emoje_calibration.observers import FLOOR, METHODS, Histogram
from hypothesis import given, settings
from hypothesis import strategies as st


def histogram(*tensors: torch.Tensor) -> Histogram:
    found = Histogram()
    for x in tensors:
        found.add(x)
    return found


def test_max_is_the_largest_magnitude() -> None:
    found = histogram(torch.tensor([0.5, -3.25]), torch.tensor([[2.0], [1.0]]))
    assert found.amax("max") == 3.25


def test_percentile_leaves_outliers_out() -> None:
    x = torch.linspace(0, 1, 100_000)
    found = histogram(torch.cat([x, torch.tensor([50.0])]))
    assert found.amax("max") == 50
    assert found.amax("percentile-99.9") == pytest.approx(1, abs=50 / 2048)


def test_mse_clips_a_lone_outlier_but_not_a_uniform() -> None:
    g = torch.Generator().manual_seed(0)
    uniform = torch.rand(50_000, generator=g)
    assert histogram(uniform).amax("mse") == pytest.approx(1, abs=0.03)
    normal = torch.randn(500_000, generator=g)
    assert histogram(torch.cat([normal, torch.tensor([40.0])])).amax("mse") < 30


def test_mse_is_never_worse_than_max() -> None:
    x = torch.distributions.StudentT(3).sample((20_000,))

    def error(amax: float) -> float:
        step = amax / 127
        return float(((torch.clamp(torch.round(x / step), -128, 127) * step - x) ** 2).mean())

    found = histogram(x)
    assert error(found.amax("mse")) <= error(found.amax("max"))


def test_entropy_keeps_a_uniform_whole() -> None:
    x = torch.rand(100_000, generator=torch.Generator().manual_seed(0))
    assert histogram(x).amax("entropy") > 0.9


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.floats(-1e4, 1e4, width=32), max_size=30), min_size=1, max_size=5), st.sampled_from(METHODS)
)
def test_every_method_stays_between_the_floor_and_the_largest(batches: list[list[float]], method: str) -> None:
    tensors = [torch.tensor(batch) for batch in batches]
    largest = max((abs(v) for batch in batches for v in batch), default=0.0)
    amax = histogram(*tensors).amax(method)
    assert 0 < amax <= max(np.float32(largest), FLOOR)


def test_unknown_methods_are_refused() -> None:
    found = histogram(torch.ones(3))
    for method in ("median", "percentile-x", "percentile-20"):
        with pytest.raises(ValueError, match="observer"):
            found.amax(method)
