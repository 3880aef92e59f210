"""The operator that INT8 is made of, and batch normalisations folded into convolutions."""

import torch
from emoje_calibration.operators import qdq
from emoje_calibration.quantize import fold_batch_norms
from torch import nn


def test_qdq_is_a_proper_operator() -> None:
    torch.library.opcheck(torch.ops.emoje_edge.qdq.default, (torch.randn(3, 4), torch.tensor([2.0])))
    assert torch.Tag.nondeterministic_seeded in torch.ops.emoje_edge.qdq.default.tags


def test_qdq_rounds_half_to_even_and_saturates() -> None:
    x = torch.tensor([0.5, 1.5, 2.5, -0.5, 126.6, 200.0, -200.0])
    assert qdq(x, torch.tensor([127.0])).tolist() == [0, 2, 2, 0, 127, 127, -128]


def test_batch_norms_are_folded_exactly() -> None:
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())
    block(torch.randn(8, 2, 6, 6) * 3)  # running statistics of their own
    block.eval()
    folded = fold_batch_norms(block)
    x = torch.randn(2, 2, 6, 6)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    torch.testing.assert_close(folded(x), block(x))
