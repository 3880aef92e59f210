"""The encoders: what is padding leaves no trace, in training neither."""

from __future__ import annotations

import torch

from emoje_edge.model import LogMelEncoder
from emoje_edge.model.encoders import _FrameNorm, build_encoder


def test_batch_statistics_are_of_frames_that_are_there() -> None:
    """Padding and emptied rows change neither what a voice gives in training nor what is remembered of it."""
    torch.manual_seed(0)
    x, length = torch.randn(3, 32, 16), torch.tensor([32, 20, 9])
    longer = torch.cat([torch.cat([x, torch.full((3, 32, 16), 7.0)], 1), torch.randn(2, 64, 16)])
    found, remembered = [], []
    for features, lengths in ((x, length), (longer, torch.tensor([32, 20, 9, 0, 0]))):
        torch.manual_seed(1)
        encoder = build_encoder(LogMelEncoder(frames=64, bands=16, width=32), 32, 0.0).train()
        tokens, there = encoder(features, lengths)
        found.append((tokens[:3, :2] * there[:3, :2, None]).detach())
        remembered.append([b.clone() for b in encoder.buffers()])
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(remembered[0], remembered[1])


def test_batch_statistics_are_those_of_torch_where_all_is_there() -> None:
    torch.manual_seed(0)
    ours, theirs, x = _FrameNorm(4), torch.nn.BatchNorm2d(4), torch.randn(3, 4, 8, 5)
    torch.testing.assert_close(ours(x, torch.tensor([8, 8, 8])), theirs(x))
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
