"""The training objective: the losses of `TrainConfig` summed by weight, and the teacher's targets by utterance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emoje_edge.errors import UsageError
from emoje_edge.model import NetworkOutput
from emoje_edge.training import losses
from emoje_edge.training.batching import Batch
from emoje_edge.training.train_config import TrainConfig


@dataclass(frozen=True, eq=False)
class Targets:
    """What a teacher says of each utterance.

    Attributes:
        rows: `Sample.uid` -> row.  Utterances without a row are trained on their label only.
        logits: [rows, C].
        descriptors: [rows, D'] or None; D' may differ from the student's width.
    """

    rows: Mapping[str, int]
    logits: Tensor
    descriptors: Tensor | None = None

    def find(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(positions in the batch, rows of the targets) of the utterances that the teacher has seen."""
        found = [(i, self.rows[s.uid]) for i, s in enumerate(batch.samples) if s.uid in self.rows]
        pairs = torch.tensor(found, dtype=torch.long).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]


class Objective(nn.Module):
    """Sum of the losses that are on.

    Args:
        config: weights and settings.
        counts: [C] labelled samples a class, for the imbalance weights.
        targets: a teacher's; needed where `soft` or `descriptor` is on.
        width: of the student's fused descriptor.
    """

    def __init__(self, config: TrainConfig, counts: Tensor, targets: Targets | None, width: int) -> None:
        super().__init__()
        self.config, self.targets = config, targets
        if (config.soft or config.descriptor) and targets is None:
            raise UsageError("distillation losses without a teacher", "set soft and descriptor to 0, or use `distill`")
        weights = losses.class_weights(counts, power=config.imbalance) if config.imbalance else None
        self.class_weights: Tensor | None
        self.register_buffer("class_weights", weights, persistent=False)
        self.adapter: nn.Linear | None = None
        if config.descriptor and targets is not None and targets.descriptors is not None:
            # into the teacher's width; thrown away after training
            self.adapter = nn.Linear(width, targets.descriptors.shape[1])

    def forward(self, out: NetworkOutput, batch: Batch, full: NetworkOutput | None = None) -> dict[str, Tensor]:
        """Each loss, unweighted, and their weighted sum as `loss`.

        Args:
            out: of the batch as masked.  full: of the unmasked batch, for the `partial` loss.
        """
        c, parts = self.config, {}
        if c.focal:
            parts["focal"] = losses.focal(
                out.logits.float(), batch.labels, gamma=c.focal_gamma, weight=self.class_weights, smoothing=c.smoothing
            )
        if c.nce:
            parts["nce"] = losses.guided_nce(out.fused, batch.labels, temperature=c.temperature)
        if c.joint:
            parts["joint"] = losses.joint_embedding(out.joint, batch.present, batch.labels, temperature=c.temperature)
        if c.partial and full is not None:
            parts["partial"] = losses.soft_targets(out.logits, full.logits, temperature=c.soft_temperature)
        parts.update(self._distill(out, batch))
        total = sum((getattr(c, name) * value for name, value in parts.items()), out.logits.sum() * 0.0)
        return {"loss": total, **parts}

    def _distill(self, out: NetworkOutput, batch: Batch) -> dict[str, Tensor]:
        c, t, parts = self.config, self.targets, {}
        if t is None or not (c.soft or c.descriptor):
            return {}
        here, rows = t.find(batch)
        if c.soft:
            teacher = t.logits[rows].to(out.logits.device)
            parts["soft"] = losses.soft_targets(out.logits[here], teacher, temperature=c.soft_temperature)
        if self.adapter is not None and t.descriptors is not None:
            teacher = t.descriptors[rows].to(out.fused.device)
            parts["descriptor"] = losses.descriptor(self.adapter(out.fused[here]), teacher, kind=c.descriptor_kind)
        return parts
