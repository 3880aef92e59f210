"""Query-adaptive fusion: the last cross-attention, pooled, and the modalities weighed per utterance.

The utterance itself is the query: its gate sees each modality's own descriptor, how much that varies within the
utterance, how good it is, what it tells and whether the others tell the same, and scores what each has taken from the
others.  A softmax over the present ones shares the weight, of which "nothing to say" takes its part first.  The core
runs as one fused operator (`emoje_kernels.cross_modal_fuse_packed`); own descriptors and the null stand beside it
(docs/decisions/0006-witnesses.md).  `static`, `mean` and `concat` are the baselines of the evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import combinations

import torch
import torch.nn.functional as F
from emoje_kernels import cross_modal_fuse_packed
from torch import Tensor, nn

from emoje_edge.modality import QUALITIES, Mask, Modality
from emoje_edge.model.cross_attention import Tokens
from emoje_edge.model.layers import masked_mean

HIDDEN = 64  # of the gate
ENOUGH = 0.4  # weight of witnesses by themselves with which what they agree on counts in full
LEAST_VARIANCE = 1e-4  # whose root has a gradient
Reader = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Fused:
    """What comes of the tokens of one batch.

    Attributes:
        own: [B, M, D], each modality by itself; zeros where absent.
        told: [B, M, C], what each tells by itself, as logits; zeros where absent.
        attended: [B, M, D], each with what it takes from the others; zeros where absent.
        together: [B, D], the attended ones by weight.
        weights: [B, M], 0 where absent; sum 1 with the lead, else 1 less what "nothing to say" takes.
        here: [B, M], 1 where present.
        voice: [B, D + 1], the speakers' pasts with these utterances in them; None without an audio branch.
    """

    own: Tensor
    told: Tensor
    attended: Tensor
    together: Tensor
    weights: Tensor
    here: Tensor
    voice: Tensor | None = None

    def of(self, rows: slice) -> Fused:
        """Some of the utterances."""
        parts = (getattr(self, f.name) for f in fields(self))
        return Fused(*(None if x is None else x[rows] for x in parts))  # type: ignore[arg-type]


class Fusion(nn.Module):
    """Tokens of the present modalities -> `Fused`.

    Args:
        mask: modalities the model has a branch for.
        classes: C.
        lead: the modality that is believed by itself: without a witness beside it the null takes nothing.
        width, heads: as in `ModelConfig`.
        kind: adaptive, static, mean or concat.
    """

    def __init__(self, mask: Mask, lead: Modality, classes: int, width: int, heads: int, kind: str) -> None:
        super().__init__()
        self.heads, self.kind, self.width, self.lead = heads, kind, width, lead
        self.witnesses = tuple(m for m in mask if m is not lead)
        self.norm = nn.ModuleDict({m.value: nn.LayerNorm(width) for m in mask})
        # one matmul a modality for query, key and value
        self.project = nn.ModuleDict({m.value: nn.Linear(width, 3 * width) for m in mask})
        if kind == "adaptive" and self.witnesses:
            self.gate = Gate(mask, classes, width)
        elif kind == "static":
            self.score = nn.Parameter(torch.zeros(len(Modality)))
        elif kind == "concat":
            self.join = nn.Linear(width * len(Modality), width)
        self.norm_out = nn.LayerNorm(width)
        self.impl = "auto"  # of the operator: the Triton kernels on CUDA, the reference elsewhere

    def forward(self, tokens: Tokens, quality: Tensor, read: Reader) -> Fused:
        """Weigh the modalities.

        Args:
            quality: [B, M, 2], see `emoje_edge.perception.quality`.
            read: own descriptors [B, M, D] and who is there [B, M] -> what each tells, [B, M, C].
        """
        packed = torch.cat([self.project[m.value](self.norm[m.value](x)) for m, (x, _) in tokens.items()], 1)
        b, s, _ = packed.shape
        capacities = tuple(tokens[m][0].shape[1] if m in tokens else 0 for m in Modality)
        absent = torch.zeros(b, dtype=torch.int32, device=packed.device)
        lengths = torch.stack([tokens[m][1].sum(1).int() if m in tokens else absent for m in Modality], 1)
        here = (lengths > 0).to(packed.dtype)
        own, spread = self._own(packed[..., 2 * self.width :], tokens, capacities)
        told = read(own, here)
        query, null = self._query(own, spread, told, quality.to(packed.dtype), here)
        together, weights, attended = cross_modal_fuse_packed(
            packed.reshape(b, s, 3, self.heads, -1),
            query.reshape(b, self.heads, -1).to(packed.dtype),
            lengths,
            capacities,
            mask=Mask.of(tokens).bits,
            impl=self.impl,
        )
        together, attended = together.flatten(1), attended.flatten(2).to(together.dtype)
        if self.kind in ("static", "concat"):
            together, weights = self._baseline(attended, here)
        return Fused(own, told, attended, together, self._shares(weights * (1 - null), told, here), here)

    def _shares(self, weights: Tensor, told: Tensor, here: Tensor) -> Tensor:
        """What the witnesses leave is the lead's, where it is there: words beside which nothing speaks have it all."""
        if self.kind != "adaptive" or not self.witnesses:
            return weights
        leads = torch.tensor([float(m is self.lead) for m in Modality], device=weights.device, dtype=weights.dtype)
        others = weights * (1 - leads)
        if len(self.witnesses) > 1:
            others = others + self._agreed(others, told, here * (1 - leads))
        return others + leads * here * (1 - others.sum(1, keepdim=True))

    def _agreed(self, others: Tensor, told: Tensor, here: Tensor) -> Tensor:
        """What two witnesses that tell the same take of what they have left, half of it each: [B, M].

        A softmax has them share what one alone would weigh; but two who agree are rarely both wrong, unless they have
        nothing to tell and weigh next to nothing.  Not so in training: branches know its people by heart, one of them
        is enough there, and whatever else weighs the witnesses learns to make up for it.
        """
        if self.training:
            return torch.zeros_like(others)
        first, second = (list(Modality).index(m) for m in self.witnesses)
        belief = told.softmax(-1) * here[..., None]
        same = (belief[:, first] * belief[:, second]).sum(1, keepdim=True)
        weighed = others.sum(1, keepdim=True)
        return here * same * (weighed / ENOUGH).clamp(max=1) * (1 - weighed) / 2

    def _own(self, values: Tensor, tokens: Tokens, capacities: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Mean and deviation over the tokens of each modality's own values, twice [B, M, D].

        The means are descriptors without what they take from the others.
        """
        means, spreads, start = [], [], 0
        for m, capacity in zip(Modality, capacities, strict=True):
            mine = values[:, start : start + capacity]
            start += capacity
            if m not in tokens:
                means.append(torch.zeros_like(values[:, 0]))
                spreads.append(means[-1])
                continue
            there = tokens[m][1]
            means.append(masked_mean(mine, there))
            apart = mine - means[-1][:, None]
            spreads.append((masked_mean(apart * apart, there) + LEAST_VARIANCE).sqrt())
        return torch.stack(means, 1), torch.stack(spreads, 1)

    def _query(self, own: Tensor, spread: Tensor, told: Tensor, quality: Tensor, here: Tensor) -> tuple[Tensor, Tensor]:
        """What the utterance asks for [B, D], and the weight of "nothing to say" [B, 1]."""
        if self.kind != "adaptive" or not self.witnesses:
            return torch.zeros_like(own[:, 0]), torch.zeros_like(own[:, 0, :1])  # equal scores: the plain mean
        query, null = self.gate(own, spread, told, quality, here)
        order = list(Modality)
        heard = torch.stack([here[:, order.index(m)] for m in self.witnesses], 1).amax(1, keepdim=True)
        return query, null * heard

    def _baseline(self, descriptors: Tensor, here: Tensor) -> tuple[Tensor, Tensor]:
        equal = here / here.sum(1, keepdim=True).clamp(min=1)
        if self.kind == "concat":
            return self.join((descriptors * here[..., None]).flatten(1)), equal
        weights = self.score.expand_as(here).exp() * here
        weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-9)
        return torch.einsum("bm,bmd->bd", weights, descriptors), weights


class Gate(nn.Module):
    """What is known of each modality -> the query that scores them, and how much there is to say at all."""

    def __init__(self, mask: Mask, classes: int, width: int) -> None:
        super().__init__()
        self.norm = nn.ModuleDict({m.value: nn.LayerNorm(width) for m in mask})
        self.sees = nn.ModuleDict({m.value: nn.Linear(2 * width + classes + QUALITIES, HIDDEN) for m in mask})
        self.pairs = tuple(combinations(mask, 2))
        self.fits = nn.ModuleDict({f"{a}+{b}": nn.Linear(classes, HIDDEN, bias=False) for a, b in self.pairs})
        self.query, self.null = nn.Linear(HIDDEN, width), nn.Linear(HIDDEN, 1)

    def forward(
        self, own: Tensor, spread: Tensor, told: Tensor, quality: Tensor, here: Tensor
    ) -> tuple[Tensor, Tensor]:
        """[B, M, D] twice, [B, M, C], [B, M, 2], [B, M] -> query [B, D], null [B, 1] in 0..1."""
        # [B, M, C]: where two believe the same, their product is large
        belief = told.softmax(-1) * here[..., None]
        place = {m: i for i, m in enumerate(Modality)}
        seen = torch.zeros_like(own[:, 0, :1])
        for m in (m for m in Modality if m.value in self.sees):
            i = place[m]
            given = torch.cat([self.norm[m.value](own[:, i]), spread[:, i], belief[:, i], quality[:, i]], 1)
            seen = seen + self.sees[m.value](given) * here[:, i : i + 1]
        for a, b in self.pairs:
            seen = seen + self.fits[f"{a}+{b}"](belief[:, place[a]] * belief[:, place[b]])
        hidden = F.gelu(seen)
        return self.query(hidden), torch.sigmoid(self.null(hidden))
