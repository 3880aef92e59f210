"""The joint embedding used at inference: three ways of asking it about an utterance that lacks something.

The network stays as it was trained; what is found in the shared space is added to its logits with some strength.

| way | what is added |
|---|---|
| read | the class: likeness of the present modalities' embeddings to each class's mean embedding |
| recall | what the absent modality would tell: its descriptors of the training utterances that are alike, averaged |
| predict | the same from a descriptor that a ridge regression reads from the present modalities' embeddings |

What an absent witness would tell is its evidence; an absent lead's, what the head reads less the prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from emoje_edge.modality import Modality
from emoje_edge.model import AmEmoje, NetworkOutput

WAYS = ("read", "recall", "predict")
STRENGTHS = (0.1, 0.25, 0.5, 1.0)
TEMPERATURE = 0.1  # as in training
RIDGE = 1.0  # against embeddings of unit length, of which there are about a thousand


@dataclass(frozen=True, eq=False)
class Memory:
    """What is known of the training utterances.

    Attributes:
        joint: [N, M, E], unit length.  descriptors: [N, M, D].  present: [N, M] booleans.
        classes: [C, E], each class's mean embedding over utterances and modalities, at unit length.
    """

    joint: Tensor
    descriptors: Tensor
    present: Tensor
    classes: Tensor

    @classmethod
    def of(cls, outs: list[NetworkOutput], present: Tensor, labels: Tensor, count: int) -> Memory:
        """From the outputs on the training utterances with all that they have; labels [N, M], −1 for none."""
        joint = torch.cat([out.joint for out in outs])
        rows = []
        for c in range(count):
            mine = joint[(labels == c) & present]
            rows.append(mine.mean(0) if len(mine) else joint.new_zeros(joint.shape[-1]))
        return cls(joint, torch.cat([out.descriptors for out in outs]), present, F.normalize(torch.stack(rows), dim=-1))

    def ask(self, way: str, network: AmEmoje, out: NetworkOutput, present: Tensor) -> Tensor:
        """What one of `WAYS` adds to the logits at strength 1, [B, C]."""
        asked = out.joint.sum(1) / present.sum(1, keepdim=True).clamp(min=1)  # [B, E], absent ones are zeros
        if way == "read":
            return (asked @ self.classes.T / TEMPERATURE).log_softmax(1)
        added = torch.zeros_like(out.logits)
        for i, m in enumerate(Modality):
            if m in network.config.mask:
                found = self.recall(i, asked) if way == "recall" else self.predict(i, asked, present)
                added = added + self._told(network, m, found, out) * (~present[:, i : i + 1])
        return added

    def recall(self, absent: int, asked: Tensor) -> Tensor:
        """The absent modality's descriptors [B, D] of whoever is alike in its embedding."""
        known = self.present[:, absent]
        near = (asked @ self.joint[known, absent].T / TEMPERATURE).softmax(1)
        return near @ self.descriptors[known, absent]

    def predict(self, absent: int, asked: Tensor, present: Tensor) -> Tensor:
        """The absent modality's descriptors [B, D] by one ridge regression a set of present modalities."""
        found = asked.new_zeros(len(asked), self.descriptors.shape[-1])
        for given in present.unique(dim=0):
            rows = (present == given).all(1)
            if given[absent] or not given.any():
                continue
            known = self.present[:, absent] & self.present[:, given].all(1)
            x = self.joint[known][:, given].mean(1)
            y = self.descriptors[known, absent]
            centre, mean = x.mean(0), y.mean(0)
            x = x - centre
            weights = torch.linalg.solve(x.T @ x + RIDGE * torch.eye(x.shape[1]), x.T @ (y - mean))
            found[rows] = (asked[rows] - centre) @ weights + mean
        return found

    @staticmethod
    def _told(network: AmEmoje, m: Modality, descriptor: Tensor, out: NetworkOutput) -> Tensor:
        if m in network.fusion.witnesses:
            return network.evidence[m.value](descriptor)
        if not network.fusion.witnesses:
            return torch.zeros_like(out.logits)
        # without the lead the state stayed as it was before
        return network.head(network.fusion.norm_out(descriptor)) - network.prior(out.state)
