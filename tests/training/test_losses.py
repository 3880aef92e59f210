"""Losses against their formulas, and what they must not do: count padding, punish equal labels, yield NaN."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from emoje_edge.training import losses


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_focal_without_focus_is_cross_entropy() -> None:
    logits, labels = torch.randn(9, 4), torch.randint(4, (9,))
    assert torch.allclose(losses.focal(logits, labels, gamma=0), F.cross_entropy(logits, labels))
    weight = torch.tensor([1.0, 2.0, 0.5, 3.0])
    expected = F.cross_entropy(logits, labels, weight=weight)
    assert torch.allclose(losses.focal(logits, labels, gamma=0, weight=weight), expected)


def test_focal_by_its_formula_and_without_unlabelled_rows() -> None:
    logits, labels = torch.randn(5, 3), torch.tensor([0, 2, -1, 1, 1])
    p = logits.softmax(1)
    rows = [-((1 - p[i, y]) ** 2) * p[i, y].log() for i, y in enumerate(labels.tolist()) if y >= 0]
    assert torch.allclose(losses.focal(logits, labels, gamma=2), torch.stack(rows).mean())


def test_guided_nce_by_its_formula() -> None:
    fused, labels = torch.randn(5, 6), torch.tensor([0, 0, 1, 1, -1])
    z = F.normalize(fused[:4], dim=1)
    s = z @ z.T / 0.07
    per_anchor = []
    for i, p in ((0, 1), (1, 0), (2, 3), (3, 2)):
        others = [j for j in range(4) if j != i]
        per_anchor.append(-(s[i, p] - torch.logsumexp(s[i, others], 0)))
    assert torch.allclose(losses.guided_nce(fused, labels), torch.stack(per_anchor).mean(), atol=1e-5)


def test_joint_embedding_attracts_what_has_one_label() -> None:
    joint = F.normalize(torch.randn(4, 3, 8), dim=-1)
    present = torch.tensor([[1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 0, 0]]).bool()
    labels = torch.tensor([0, 0, 1, 1])
    s = joint[:, 0] @ joint[:3, 1].T / 0.07
    partners = {0: [0, 1], 1: [0, 1], 2: [2], 3: [2]}
    there = [-(s[n, k].mean() - torch.logsumexp(s[n], 0)) for n, k in partners.items()]
    back = [-(s.T[n, k].mean() - torch.logsumexp(s.T[n], 0)) for n, k in {0: [0, 1], 1: [0, 1], 2: [2, 3]}.items()]
    expected = (torch.stack(there).mean() + torch.stack(back).mean()) / 2
    assert torch.allclose(losses.joint_embedding(joint, present, labels), expected, atol=1e-4)


def test_joint_embedding_takes_a_label_a_modality() -> None:
    joint = F.normalize(torch.randn(3, 3, 8), dim=-1)
    present = torch.tensor([[1, 1, 0]] * 3).bool()
    # the voices of the first two belong to each other's words
    crossed = losses.joint_embedding(joint, present, torch.tensor([[0, 1, -1], [1, 0, -1], [2, 2, -1]]))
    swapped = joint.clone()
    swapped[:2, 1] = joint[[1, 0], 1]
    assert torch.allclose(crossed, losses.joint_embedding(swapped, present, torch.arange(3)), atol=1e-5)


def test_nothing_to_compare_gives_zero_and_finite_gradients() -> None:
    x = torch.randn(3, 4, requires_grad=True)
    joint = torch.randn(3, 3, 4, requires_grad=True)
    nobody = torch.full((3,), -1)
    absent = torch.zeros(3, 3, dtype=torch.bool)
    total = (
        losses.focal(x, nobody)
        + losses.guided_nce(x, nobody)
        + losses.joint_embedding(joint, absent, nobody)
        + losses.soft_targets(x[:0], x[:0])
        + losses.descriptor(x[:0], x[:0])
    )
    total.backward()
    assert total.item() == 0
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(joint.grad).all()


def test_one_class_only_has_finite_contrast() -> None:
    """All positives, no negative: legal, and must not blow up."""
    joint = F.normalize(torch.randn(4, 3, 8), dim=-1).requires_grad_()
    loss = losses.joint_embedding(joint, torch.ones(4, 3, dtype=torch.bool), torch.zeros(4, dtype=torch.long))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(joint.grad).all()


def test_soft_targets_are_kl_times_temperature_squared() -> None:
    student, teacher = torch.randn(6, 5), torch.randn(6, 5)
    p, q = (teacher / 3).softmax(1), (student / 3).softmax(1)
    expected = 9 * (p * (p / q).log()).sum(1).mean()
    assert torch.allclose(losses.soft_targets(student, teacher, temperature=3), expected, atol=1e-5)
    assert losses.soft_targets(student, student + 7).item() == pytest.approx(0, abs=1e-5)


def test_descriptor_loss_vanishes_on_itself_only() -> None:
    x, y = torch.randn(4, 8), torch.randn(4, 8)
    for kind in ("cosine", "mse"):
        assert losses.descriptor(x, x * 3, kind=kind).item() == pytest.approx(0, abs=1e-4)
        assert losses.descriptor(x, y, kind=kind).item() > 0.1


def test_class_weights() -> None:
    weights = losses.class_weights(torch.tensor([1, 4, 0]), power=1.0)
    assert weights.tolist() == pytest.approx([1.6, 0.4, 0.0])
    assert math.isclose(losses.class_weights(torch.tensor([9, 9]), power=0.5).sum().item(), 2.0, rel_tol=1e-6)
