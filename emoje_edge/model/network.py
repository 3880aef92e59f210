"""AM2-EmoJE (arXiv 2402.10921) put together: encoders, cross-attention, fusion, dialogue state, head.

    logits = lead + sum over witnesses m of w[m] evidence[m](own[m]) + bounded correction(together)

The leading modality (text, where the model has it) speaks for itself: its own descriptor moves the dialogue, and the
head reads it there.  The others are witnesses: each gives evidence against what the conversation leads to expect, and
the gate's weight decides how much of it counts.  What only the combination tells is a bounded correction.  Without the
lead the prior, read from the state, stands in its place.  docs/decisions/0006-witnesses.md has the reasons.

Shape letters: B batch, U utterances of a dialogue, L tokens, D width, M modalities (3), C classes, S state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emoje_edge.errors import UsageError
from emoje_edge.modality import QUALITIES, Mask, Modality
from emoje_edge.model.config import (
    LandmarkEncoder,
    LogMelEncoder,
    ModelConfig,
    TextEncoder,
    VectorEncoder,
    WhisperEncoder,
)
from emoje_edge.model.cross_attention import CrossAttentionLayer, Tokens
from emoje_edge.model.dialogue import Dialogue
from emoje_edge.model.encoders import build_encoder
from emoje_edge.model.fusion import Fused, Fusion
from emoje_edge.model.voice import Baseline

Inputs = dict[Modality, tuple[Tensor, Tensor]]  # modality -> (features [B, ...], length [B])
LARGEST_CORRECTION = 1.0  # of a logit, by what the modalities only tell together


@dataclass(frozen=True)
class NetworkOutput:
    """What one step yields.

    Attributes:
        logits: [B, C].
        weights: [B, M], 0 where absent; their sum is 1 less what "nothing to say" takes.
        state: [B, S], to be given to the dialogue's next utterance.
        fused: [B, D], the utterance before dialogue context: the lead's descriptor, or without it all by weight.
        descriptors: [B, M, D], each modality's own; zeros where absent.
        joint: [B, M, E], descriptors in the joint embedding, unit length; zeros where absent.
        voice: [B, D + 1], to be given to the speaker's next utterance; None without an audio branch.
    """

    logits: Tensor
    weights: Tensor
    state: Tensor
    fused: Tensor
    descriptors: Tensor
    joint: Tensor
    voice: Tensor | None = None


class AmEmoje(nn.Module):
    """The network.  Any subset of its modalities may be given, in any raggedness, even with no token at all."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        c, mask = config, config.mask
        classes = len(c.classes)
        self.encoders = nn.ModuleDict({m.value: build_encoder(c.encoder(m), c.width, c.dropout) for m in mask})  # type: ignore[arg-type]
        if Modality.AUDIO in mask:
            self.baseline = Baseline(c.width)
        self.cross = nn.ModuleList(
            CrossAttentionLayer(mask, c.width, c.heads, c.dropout) for _ in range(c.cross_layers)
        )
        self.fusion = Fusion(mask, c.leader, classes, c.width, c.heads, c.fusion)
        self.joint = nn.ModuleDict({m.value: nn.Linear(c.width, c.joint_width) for m in mask})
        self.drop = nn.Dropout(c.dropout)
        self.leads = c.leader in mask
        if self.leads:
            self.dialogue = Dialogue(c.width, c.state_width, c.dropout) if c.state_width else None
            self.head = nn.Linear(c.width, classes)
        if self.fusion.witnesses:
            self.evidence = nn.ModuleDict(
                {m.value: Evidence(c.width, classes, c.dropout) for m in self.fusion.witnesses}
            )
            self.prior = Prior(c.state_width, classes)
        if len(mask) > 1:
            self.correction = Correction(c.width, classes, c.dropout)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def initial_state(self, batch: int) -> Tensor:
        """The state before a dialogue's first utterance: zeros [B, S]."""
        return torch.zeros(batch, self.config.state_width, device=self.device)

    def initial_voice(self, batch: int) -> Tensor:
        """A speaker before the first utterance: zeros [B, D + 1]."""
        return torch.zeros(batch, self.config.width + 1, device=self.device)

    def encode(
        self,
        inputs: Inputs,
        quality: Tensor | None = None,
        voice: Tensor | None = None,
        past: Tensor | None = None,
    ) -> Fused:
        """Utterances on their own, but for what is known of a voice.

        Args:
            quality: [B, M, 2], see `emoje_edge.perception.quality`; all good where not given.
            voice, past: as for `Baseline`; speakers that nobody has heard before where not given.

        Raises:
            UsageError: no modality, or one that the model has no branch for.
        """
        given = [m for m in Modality if m in inputs]
        if not given or not Mask.of(given).issubset(self.config.mask):
            raise UsageError(
                f"inputs {[m.value for m in inputs]} for a model of {self.config.mask}",
                "give a subset of its modalities",
            )
        return self.fuse({m: self.encoders[m.value](*inputs[m]) for m in given}, quality, voice, past)

    def fuse(
        self,
        tokens: Tokens,
        quality: Tensor | None = None,
        voice: Tensor | None = None,
        past: Tensor | None = None,
    ) -> Fused:
        """What `encode` does with the encoders' tokens."""
        if Modality.AUDIO in self.config.mask and voice is None:
            voice = self.initial_voice(len(next(iter(tokens.values()))[0]))
        if Modality.AUDIO in tokens:
            assert voice is not None
            heard, there = tokens[Modality.AUDIO]
            heard, voice = self.baseline(heard, there, voice, past)
            tokens = {**tokens, Modality.AUDIO: (heard, there)}
        for layer in self.cross:
            tokens = layer(tokens)
        if quality is None:
            any_tokens = next(iter(tokens.values()))[0]
            quality = any_tokens.new_ones(len(any_tokens), len(Modality), QUALITIES)
        return replace(self.fusion(tokens, quality, self.read), voice=voice)

    def read(self, own: Tensor, here: Tensor) -> Tensor:
        """What each modality tells by itself, [B, M, C]: the lead by the head, a witness by its evidence."""
        parts = []
        for i, m in enumerate(Modality):
            if m in self.fusion.witnesses:
                parts.append(self.evidence[m.value](own[:, i]) * here[:, i : i + 1])
            elif self.leads and m is self.config.leader and self.fusion.witnesses:
                parts.append(self.head(self.fusion.norm_out(own[:, i])) * here[:, i : i + 1])
            else:
                parts.append(own.new_zeros(len(own), len(self.config.classes)))
        return torch.stack(parts, 1)

    def decide(self, found: Fused, speaker: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One utterance in its dialogue: B rows, [B, 1], [B, S] -> logits [B, C], next state [B, S]."""
        logits, state = self.expect(found, speaker, state)
        return logits + self.testimony(found), state

    def expect(self, found: Fused, speaker: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """What the lead says in its dialogue, or the prior where it says nothing; and the next state."""
        if not self.leads:
            return self.prior(state), state
        said = self.fusion.norm_out(self._of(found.own))
        following = state
        if self.dialogue is not None:
            said, following = self.dialogue(said, speaker, state)
        logits = self.head(self.drop(said))
        if not self.fusion.witnesses:
            return logits, following
        # sound and body leave the state alone: hearing the same again is no new evidence
        there = self._of(found.here)[:, None]
        return there * logits + (1 - there) * self.prior(state), there * following + (1 - there) * state

    def testimony(self, found: Fused) -> Tensor:
        """What the witnesses add to the logits, [B, C], in proportion to their weight: it says what they did."""
        added = torch.zeros_like(found.told[:, 0])
        share = torch.zeros_like(added[:, :1])
        for i, m in enumerate(Modality):
            if m in self.fusion.witnesses:
                added = added + found.weights[:, i : i + 1] * found.told[:, i]
                share = share + found.weights[:, i : i + 1]
        if len(self.config.mask) == 1:
            return added
        several = (found.here.sum(1, keepdim=True) > 1).to(added.dtype)
        return added + several * share * self.correction(found.together)

    def _of(self, x: Tensor) -> Tensor:
        """The lead's part of [B, M, ...]."""
        return x[:, list(Modality).index(self.config.leader)]

    def forward(
        self,
        inputs: Inputs,
        speaker: Tensor | None = None,
        state: Tensor | None = None,
        quality: Tensor | None = None,
        voice: Tensor | None = None,
    ) -> NetworkOutput:
        found = self.encode(inputs, quality, voice)
        b = found.here.shape[0]
        speaker = found.own.new_full((b, 1), 0.5) if speaker is None else speaker
        logits, state = self.decide(found, speaker, self.initial_state(b) if state is None else state)
        return self.output(logits, state, found)

    def output(self, logits: Tensor, state: Tensor, found: Fused) -> NetworkOutput:
        """All that is known of these utterances."""
        fused = found.together
        if self.leads:
            there = self._of(found.here)[:, None]
            fused = there * self._of(found.own) + (1 - there) * fused
        fused = self.fusion.norm_out(fused)
        return NetworkOutput(logits, found.weights, state, fused, found.own, self.embed(found.own), found.voice)

    def embed(self, descriptors: Tensor) -> Tensor:
        """Own descriptors [B, M, D] in the joint embedding [B, M, E]; absent ones stay zero."""
        there = descriptors.abs().amax(-1, keepdim=True) > 0
        rows = []
        for i, m in enumerate(Modality):
            d = descriptors[:, i]
            rows.append(
                self.joint[m.value](d) if m.value in self.joint else d.new_zeros(d.shape[0], self.config.joint_width)
            )
        return F.normalize(torch.stack(rows, 1), dim=-1) * there


class Evidence(nn.Module):
    """A witness' own descriptor -> what it adds to each class's logit, [B, D] -> [B, C]."""

    def __init__(self, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.drop, self.out = nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, classes)

    def forward(self, own: Tensor) -> Tensor:
        return self.out(self.drop(self.norm(own)))


class Prior(nn.Module):
    """What the conversation so far leads to expect, before anything is heard or seen: [B, S] -> [B, C]."""

    def __init__(self, state_width: int, classes: int) -> None:
        super().__init__()
        self.always = nn.Parameter(torch.zeros(classes))
        self.here = nn.Linear(state_width, classes, bias=False) if state_width else None

    def forward(self, state: Tensor) -> Tensor:
        prior = self.always.expand(state.shape[0], -1)
        return prior if self.here is None else prior + self.here(state)


class Correction(nn.Module):
    """What the modalities only tell together, at most `LARGEST_CORRECTION` a logit: [B, D] -> [B, C]."""

    def __init__(self, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)
        self.up, self.out = nn.Linear(width, width // 2), nn.Linear(width // 2, classes)

    def forward(self, together: Tensor) -> Tensor:
        return LARGEST_CORRECTION * torch.tanh(self.out(self.drop(F.gelu(self.up(self.norm(together))))))


class MaskedNetwork(nn.Module):
    """The network specialised to one mask: what an engine holds, and nothing else.

    Takes and returns plain tensors in a fixed order (`input_names`, `output_names`), as exporters want them.
    """

    def __init__(self, network: AmEmoje, mask: Mask) -> None:
        super().__init__()
        if not mask.issubset(network.config.mask):
            raise UsageError(f"mask {mask} for a model of {network.config.mask}", "build a subset of its modalities")
        absent: dict[str, Any] = {m.value: None for m in Modality if m not in mask}
        config = replace(network.config, lead=network.config.leader, **absent)
        self.network = AmEmoje(config).to(network.device)
        wanted = self.network.state_dict()
        self.network.load_state_dict({k: v for k, v in network.state_dict().items() if k in wanted})
        self.mask = mask
        self.eval()

    @property
    def input_names(self) -> tuple[str, ...]:
        parts = ("", "_length", "_quality")[: self._given]
        voice = ("voice",) if self.hears else ()
        return (*(f"{m.value}{part}" for m in self.mask for part in parts), *voice, "speaker", "state")

    @property
    def output_names(self) -> tuple[str, ...]:
        return ("logits", "weights", "next_state", *(("next_voice",) if self.hears else ()))

    @property
    def hears(self) -> bool:
        """Whether there is a voice, and so a past of it."""
        return Modality.AUDIO in self.mask

    @property
    def _given(self) -> int:
        """Tensors a modality: the lead alone has nothing to be weighed against, so nobody asks how good it is."""
        return 3 if self.network.fusion.witnesses else 2

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        given = {m: tensors[self._given * i : self._given * (i + 1)] for i, m in enumerate(self.mask)}
        quality = None
        if self.network.fusion.witnesses:
            unknown = torch.zeros_like(tensors[2])
            quality = torch.stack([given[m][2] if m in given else unknown for m in Modality], 1)
        voice = tensors[-3] if self.hears else None
        found = self.network.encode({m: (x, length) for m, (x, length, *_) in given.items()}, quality, voice)
        logits, state = self.network.decide(found, tensors[-2], tensors[-1])
        return logits, found.weights, state, *(() if found.voice is None else (found.voice,))

    def example_inputs(self, batch: int = 1, seed: int = 0) -> tuple[Tensor, ...]:
        """Random inputs of the right shapes, full length but for one frame."""
        generator = torch.Generator().manual_seed(seed)
        tensors: list[Tensor] = []
        for m in self.mask:
            shape, encoder = input_shape(self.network.config, m), self.network.config.encoder(m)
            if isinstance(encoder, TextEncoder):
                features = torch.randint(1, encoder.vocabulary, (batch, *shape), generator=generator)  # type: ignore[union-attr]
            else:
                features = torch.randn(batch, *shape, generator=generator)
            length = torch.full((batch,), max(shape[0] - 1, 1), dtype=torch.int32)
            tensors += [features, length, torch.rand(batch, QUALITIES, generator=generator)][: self._given]
        if self.hears:  # three clips of somebody
            past = 3 * torch.randn(batch, self.network.config.width, generator=generator)
            tensors.append(torch.cat([past, torch.full((batch, 1), 3.0)], 1))
        speaker = torch.full((batch, 1), 0.5)
        return (*tensors, speaker, torch.randn(batch, self.network.config.state_width, generator=generator) * 0.1)


def input_shape(config: ModelConfig, modality: Modality) -> tuple[int, ...]:
    """Shape of one utterance's features, without the batch: (tokens,), (frames, bands), (frames, joints, 3) …"""
    match config.encoder(modality):
        case TextEncoder(tokens=tokens):
            return (tokens,)
        case LogMelEncoder(frames=frames, bands=bands) | WhisperEncoder(frames=frames, bands=bands):
            return (frames, bands)
        case LandmarkEncoder(frames=frames, joints=joints):
            return (frames, joints, 3)
        case VectorEncoder(tokens=tokens, features=features):
            return (tokens, features)
    raise UsageError(f"the model has no {modality} branch", f"it has {config.mask}")
