"""The registered operators with the kernels behind them: schemas, fakes, tracing; and the whole network on them."""

import copy

import emoje_kernels as ek
import pytest
import torch

from emoje_edge.modality import Mask, Modality
from emoje_edge.model.config import ModelConfig, VectorEncoder
from emoje_edge.model.network import AmEmoje
from tests.kernels.cases import ragged


def test_opcheck() -> None:
    case = ragged((9, 20, 5), 1, 16)
    q, k, v, gate = (x.detach() for x in case.inputs())
    fused, weights, desc = torch.ops.emoje.fuse(q, k, v, gate, case.lengths, None, [9, 20, 5], 7)
    torch.library.opcheck(torch.ops.emoje.fuse, (q, k, v, gate, case.lengths, None, [9, 20, 5], 7))
    saved = (q, k, v, gate, case.lengths, weights, desc, torch.randn_like(fused), None, torch.randn_like(desc))
    torch.library.opcheck(torch.ops.emoje.fuse_backward, (*saved, [9, 20, 5], 7))
    torch.library.opcheck(torch.ops.emoje.weigh, (desc, gate, case.lengths, 7))
    dweights = torch.randn_like(weights)
    torch.library.opcheck(
        torch.ops.emoje.weigh_backward, (desc, gate, case.lengths, weights, torch.randn_like(fused), dweights, 7)
    )


def test_full_graph_with_gradients() -> None:
    case = ragged((9, 20, 5), 1, 16)

    def loss(q, k, v, gate):  # type: ignore[no-untyped-def]
        fused, weights, desc = ek.cross_modal_fuse(q, k, v, gate, case.lengths, case.capacities, mask=7, impl="triton")
        return fused.square().sum() + weights.square().sum() + desc.square().sum()

    inputs, again = case.inputs(), case.inputs()
    eager = torch.autograd.grad(loss(*inputs), inputs)
    traced = torch.autograd.grad(torch.compile(loss, fullgraph=True, backend="aot_eager")(*again), again)
    for a, b in zip(eager, traced, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("mask", [Mask(7), Mask(3), Mask(4)], ids=str)
def test_network_trains_and_infers_alike(mask: Mask) -> None:
    """The network's logits, weights and every parameter's gradient, reference against kernels."""
    torch.manual_seed(0)
    encoders = {m.value: VectorEncoder(features=6, tokens=t, width=32) if m in mask else None
                for m, t in zip(Modality, (5, 7, 3), strict=True)}  # fmt: skip
    config = ModelConfig(**encoders, width=32, heads=2, joint_width=16, state_width=16, dropout=0.0)
    made = AmEmoje(config)
    inputs = {m: (torch.randn(2, *_shape(config, m)), torch.tensor([3, 0], dtype=torch.int32)) for m in mask}
    results = []
    for impl in ("reference", "triton"):
        network = copy.deepcopy(made)  # the usual voice follows what training hears: each begins anew
        network.fusion.impl = impl
        out = network(inputs)
        (torch.nn.functional.cross_entropy(out.logits, torch.tensor([1, 2])) + out.joint.sum()).backward()
        gradients = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
        results.append((out.logits, out.weights, gradients))
    (logits, weights, gradients), (logits2, weights2, gradients2) = results
    torch.testing.assert_close(logits, logits2, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weights, weights2, atol=1e-5, rtol=1e-5)
    assert gradients.keys() == gradients2.keys()
    assert gradients[f"fusion.project.{next(iter(mask))}.weight"].any()
    for name, gradient in gradients.items():
        torch.testing.assert_close(
            gradients2[name], gradient, atol=1e-5, rtol=1e-4, msg=lambda m, name=name: f"{name}: {m}"
        )


def _shape(config: ModelConfig, modality: Modality) -> tuple[int, int]:
    encoder = config.encoder(modality)
    assert isinstance(encoder, VectorEncoder)
    return encoder.tokens, encoder.features
