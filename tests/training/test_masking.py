"""Masks: always a subset, never empty where something was there, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from emoje_edge.modality import Mask
from emoje_edge.training.masking import drop_at_rate, restrict, sample_masks

PRESENT = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=20).map(torch.tensor)


@settings(max_examples=50, deadline=None)
@given(PRESENT, st.integers(0, 9), st.floats(0, 1))
def test_subset_and_never_empty(present: torch.Tensor, seed: int, rate: float) -> None:
    for kept in (
        sample_masks(present, np.random.default_rng(seed), full_share=rate),
        drop_at_rate(present, rate, seed),
    ):
        assert not (kept & ~present).any()
        assert torch.equal(kept.any(1), present.any(1))
    assert torch.equal(drop_at_rate(present, rate, seed), drop_at_rate(present, rate, seed))


def test_all_seven_masks_are_sampled_and_full_most_often() -> None:
    kept = sample_masks(torch.ones(4000, 3, dtype=torch.bool), np.random.default_rng(0), full_share=0.5)
    bits = (kept * torch.tensor([1, 2, 4])).sum(1)
    share = torch.bincount(bits, minlength=8) / 4000
    assert share[0] == 0
    assert (share[1:7] > 0.05).all()
    assert 0.53 < share[7] < 0.62


def test_rate_is_kept() -> None:
    present = torch.ones(5000, 3, dtype=torch.bool)
    for rate in (0.1, 0.4):
        dropped = 1 - drop_at_rate(present, rate, 0).float().mean().item()
        # the modality that an utterance keeps in any case takes rate³ / 3 off
        assert abs(dropped - (rate - rate**3 / 3)) < 0.01


def test_restrict() -> None:
    present = torch.tensor([[True, True, False]])
    assert restrict(present, Mask.parse("audio,pose")).tolist() == [[False, True, False]]
