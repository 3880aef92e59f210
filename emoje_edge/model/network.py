"""AM2-EmoJE (arXiv 2402.10921) put together: encoders, cross-attention, fusion, dialogue state, head.

Shape letters: B batch, U utterances of a dialogue, L tokens, D width, M modalities (3), C classes, S state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask, Modality
from emoje_edge.model.config import LandmarkEncoder, LogMelEncoder, ModelConfig, TextEncoder, VectorEncoder
from emoje_edge.model.cross_attention import CrossAttentionLayer, Tokens
from emoje_edge.model.dialogue import Dialogue
from emoje_edge.model.encoders import build_encoder
from emoje_edge.model.fusion import Fusion

Inputs = dict[Modality, tuple[Tensor, Tensor]]  # modality -> (features [B, ...], length [B])


@dataclass(frozen=True)
class NetworkOutput:
    """What one step yields.

    Attributes:
        logits: [B, C].
        weights: [B, M], sum 1 over the present modalities, 0 elsewhere.
        state: [B, S], to be given to the dialogue's next utterance.
        fused: [B, D], the utterance before dialogue context.
        descriptors: [B, M, D], each modality after cross-attention; zeros where absent.
        joint: [B, M, E], descriptors in the joint embedding, unit length; zeros where absent.
    """

    logits: Tensor
    weights: Tensor
    state: Tensor
    fused: Tensor
    descriptors: Tensor
    joint: Tensor


class AmEmoje(nn.Module):
    """The network.  Any subset of its modalities may be given, in any raggedness, even with no token at all."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        c, mask = config, config.mask
        self.encoders = nn.ModuleDict({m.value: build_encoder(c.encoder(m), c.width, c.dropout) for m in mask})  # type: ignore[arg-type]
        self.cross = nn.ModuleList(
            CrossAttentionLayer(mask, c.width, c.heads, c.dropout) for _ in range(c.cross_layers)
        )
        self.fusion = Fusion(mask, c.width, c.heads, c.fusion)
        self.joint = nn.ModuleDict({m.value: nn.Linear(c.width, c.joint_width) for m in mask})
        self.dialogue = Dialogue(c.width, c.state_width, c.dropout) if c.state_width else None
        self.drop = nn.Dropout(c.dropout)
        self.head = nn.Linear(c.width, len(c.classes))

    def initial_state(self, batch: int) -> Tensor:
        """The state before a dialogue's first utterance: zeros [B, S]."""
        return torch.zeros(batch, self.config.state_width, device=self.head.weight.device)

    def encode(self, inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
        """Utterances on their own: (fused [B, D], weights [B, M], descriptors [B, M, D]).

        Raises:
            UsageError: no modality, or one that the model has no branch for.
        """
        given = [m for m in Modality if m in inputs]
        if not given or not Mask.of(given).issubset(self.config.mask):
            raise UsageError(
                f"inputs {[m.value for m in inputs]} for a model of {self.config.mask}",
                "give a subset of its modalities",
            )
        tokens: Tokens = {m: self.encoders[m.value](*inputs[m]) for m in given}
        for layer in self.cross:
            tokens = layer(tokens)
        return self.fusion(tokens)

    def decide(self, fused: Tensor, speaker: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One utterance in its dialogue: [B, D], [B, 1], [B, S] -> logits [B, C], next state [B, S]."""
        if self.dialogue is not None:
            fused, state = self.dialogue(fused, speaker, state)
        return self.head(self.drop(fused)), state

    def forward(self, inputs: Inputs, speaker: Tensor | None = None, state: Tensor | None = None) -> NetworkOutput:
        fused, weights, descriptors = self.encode(inputs)
        b = fused.shape[0]
        speaker = fused.new_full((b, 1), 0.5) if speaker is None else speaker
        logits, state = self.decide(fused, speaker, self.initial_state(b) if state is None else state)
        return NetworkOutput(logits, weights, state, fused, descriptors, self.embed(descriptors))

    def embed(self, descriptors: Tensor) -> Tensor:
        """Descriptors [B, M, D] in the joint embedding [B, M, E]; absent ones stay zero."""
        there = descriptors.abs().amax(-1, keepdim=True) > 0
        rows = []
        for i, m in enumerate(Modality):
            d = descriptors[:, i]
            rows.append(
                self.joint[m.value](d) if m.value in self.joint else d.new_zeros(d.shape[0], self.config.joint_width)
            )
        return nn.functional.normalize(torch.stack(rows, 1), dim=-1) * there


class MaskedNetwork(nn.Module):
    """The network specialised to one mask: what an engine holds, and nothing else.

    Takes and returns plain tensors in a fixed order (`input_names`, `output_names`), as exporters want them.
    """

    output_names = ("logits", "weights", "next_state")

    def __init__(self, network: AmEmoje, mask: Mask) -> None:
        super().__init__()
        if not mask.issubset(network.config.mask):
            raise UsageError(f"mask {mask} for a model of {network.config.mask}", "build a subset of its modalities")
        absent: dict[str, Any] = {m.value: None for m in Modality if m not in mask}
        config = replace(network.config, **absent)
        self.network = AmEmoje(config).to(network.head.weight.device)
        wanted = self.network.state_dict()
        self.network.load_state_dict({k: v for k, v in network.state_dict().items() if k in wanted})
        self.mask = mask
        self.eval()

    @property
    def input_names(self) -> tuple[str, ...]:
        per_modality = [name for m in self.mask for name in (m.value, f"{m.value}_length")]
        return (*per_modality, "speaker", "state")

    def forward(self, *tensors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inputs = {m: (tensors[2 * i], tensors[2 * i + 1]) for i, m in enumerate(self.mask)}
        fused, weights, _ = self.network.encode(inputs)
        logits, state = self.network.decide(fused, tensors[-2], tensors[-1])
        return logits, weights, state

    def example_inputs(self, batch: int = 1, seed: int = 0) -> tuple[Tensor, ...]:
        """Random inputs of the right shapes, full length but for one frame."""
        generator = torch.Generator().manual_seed(seed)
        tensors: list[Tensor] = []
        for m in self.mask:
            shape, encoder = input_shape(self.network.config, m), self.network.config.encoder(m)
            if isinstance(encoder, TextEncoder):
                tensors.append(torch.randint(1, encoder.vocabulary, (batch, *shape), generator=generator))  # type: ignore[union-attr]
            else:
                tensors.append(torch.randn(batch, *shape, generator=generator))
            tensors.append(torch.full((batch,), max(shape[0] - 1, 1), dtype=torch.int32))
        speaker = torch.full((batch, 1), 0.5)
        return (*tensors, speaker, torch.randn(batch, self.network.config.state_width, generator=generator) * 0.1)


def input_shape(config: ModelConfig, modality: Modality) -> tuple[int, ...]:
    """Shape of one utterance's features, without the batch: (tokens,), (frames, bands), (frames, joints, 3) …"""
    match config.encoder(modality):
        case TextEncoder(tokens=tokens):
            return (tokens,)
        case LogMelEncoder(frames=frames, bands=bands):
            return (frames, bands)
        case LandmarkEncoder(frames=frames, joints=joints):
            return (frames, joints, 3)
        case VectorEncoder(tokens=tokens, features=features):
            return (tokens, features)
    raise UsageError(f"the model has no {modality} branch", f"it has {config.mask}")
