"""The losses, each with its formula and its source; `TrainConfig` switches each by its weight.

Shape letters: N utterances, C classes, D width, M modalities, E joint width.
"""

from __future__ import annotations

from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor

# Finite stand-in for minus infinity, so that a row without any pair gives no NaN gradient.
EXCLUDED = -1e4


def focal(
    logits: Tensor, labels: Tensor, *, gamma: float = 1.0, weight: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """mean_n w[y_n] (1 − p_n[y_n])^γ CE(p_n, y_n) / mean_n w[y_n].

    Lin et al., arXiv 1708.02002; γ = 1 as in AMuSE (arXiv 2401.15164).  Rows of label −1 do not count.

    Args:
        logits: [N, C].  labels: [N], −1 where there is none.  weight: [C], class weights.
        smoothing: label smoothing of the cross-entropy.
    """
    there = labels >= 0
    if not there.any():
        return logits.sum() * 0.0
    logits, labels = logits[there], labels[there]
    entropy = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    if gamma:
        p = logits.detach().softmax(1) if smoothing else logits.softmax(1)
        entropy = (1 - p.gather(1, labels[:, None])[:, 0]).clamp(min=1e-6) ** gamma * entropy
    if weight is None:
        return entropy.mean()
    w = weight[labels]
    return (w * entropy).sum() / w.sum().clamp(min=1e-9)


def guided_nce(fused: Tensor, labels: Tensor, *, temperature: float = 0.07) -> Tensor:
    """−mean over anchors i of mean over positives p of log softmax_{j ≠ i}(z_i·z_j / τ)[p].

    The "guided" noise-contrastive loss of AM2-EmoJE (arXiv 2402.10921): labels say which utterances are positives
    (Khosla et al., arXiv 2004.11362).  z is the fused descriptor at unit length.

    Args:
        fused: [N, D].  labels: [N]; unlabelled utterances are neither anchors nor negatives.
    """
    there = labels >= 0
    z, labels = F.normalize(fused[there].float(), dim=1), labels[there]
    if len(z) < 2:
        return fused.sum() * 0.0
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    positive = (labels[:, None] == labels[None]) & ~itself
    log_p = (z @ z.T / temperature).masked_fill(itself, EXCLUDED).log_softmax(1)
    count = positive.sum(1)
    per_anchor = (log_p * positive).sum(1) / count.clamp(min=1)
    return -per_anchor.sum() / (count > 0).sum().clamp(min=1)


def joint_embedding(joint: Tensor, present: Tensor, labels: Tensor, *, temperature: float = 0.07) -> Tensor:
    """Mean over ordered pairs of modalities (a, b) of −mean_n mean_{k: y_k = y_n} log softmax_k(a_n·b_k / τ)[k].

    CLIP's loss (arXiv 2103.00020) guided by labels as in AM2-EmoJE (arXiv 2402.10921): what has one label attracts each
    other, whoever it comes from (Khosla et al., arXiv 2004.11362).  The embeddings are of each modality's *own*
    descriptor: one that had taken in its partner would find it by that.

    Args:
        joint: [N, M, E], unit length.  present: [N, M] booleans.
        labels: [N], or [N, M] where the modalities of an utterance may tell different things; −1 where there is none.
    """
    if labels.dim() == 1:
        labels = labels[:, None].expand_as(present)
    parts = []
    for a, b in permutations(range(joint.shape[1]), 2):
        mine, theirs = (present[:, m] & (labels[:, m] >= 0) for m in (a, b))
        same = labels[mine, a][:, None] == labels[theirs, b][None]
        partners = same.sum(1)
        if not partners.any() or same.all():
            continue  # nothing to tell apart
        log_p = (joint[mine, a].float() @ joint[theirs, b].float().T / temperature).log_softmax(1)
        parts.append(-((log_p * same).sum(1) / partners.clamp(min=1)).sum() / (partners > 0).sum())
    return torch.stack(parts).mean() if parts else joint.sum() * 0.0


def soft_targets(logits: Tensor, teacher: Tensor, *, temperature: float = 2.0) -> Tensor:
    """τ² mean_n KL(softmax(t_n / τ) ‖ softmax(s_n / τ)).  Hinton et al., arXiv 1503.02531.

    Args:
        logits, teacher: [N, C].  The teacher gets no gradient.
    """
    if not len(logits):
        return logits.sum() * 0.0
    student = (logits.float() / temperature).log_softmax(1)
    target = (teacher.detach().float() / temperature).log_softmax(1)
    return F.kl_div(student, target, log_target=True, reduction="batchmean") * temperature**2


def descriptor(fused: Tensor, teacher: Tensor, *, kind: str = "cosine") -> Tensor:
    """Pull the student's descriptor to the teacher's: mean_n (1 − cos) or mean squared error over unit vectors × D.

    Args:
        fused, teacher: [N, D].  kind: cosine or mse.
    """
    if not len(fused):
        return fused.sum() * 0.0
    teacher = teacher.detach().float()
    if kind == "cosine":
        return (1 - F.cosine_similarity(fused.float(), teacher, dim=1)).mean()
    return F.mse_loss(F.layer_norm(fused.float(), fused.shape[1:]), F.layer_norm(teacher, teacher.shape[1:]))


def class_weights(counts: Tensor, *, power: float) -> Tensor:
    """Weights against class imbalance: count^−power, mean 1 over the classes that occur; [C] -> [C].

    power 0 switches them off, 1 is the inverse frequency, 0.5 lies between.  Classes that never occur weigh 0.
    """
    there = counts > 0
    raw = torch.where(there, counts.clamp(min=1).float() ** -power, torch.zeros_like(counts, dtype=torch.float32))
    return raw * there.sum() / raw.sum().clamp(min=1e-9)
