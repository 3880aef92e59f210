"""One frozen configuration for the whole network, readable as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from emoje_calibration.strict_json import Malformed, read

from emoje_edge.emotion import EMOTIONS
from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask, Modality
from emoje_edge.shapes import FRAMES, POSES, TOKENS


@dataclass(frozen=True)
class TextEncoder:
    """Token ids -> transformer tokens.  Input [B, tokens] int64.

    Args:
        embedding: width of the token table where it is narrower than the layers (ALBERT's factors, arXiv 1909.11942);
            0 for `width`.
        ratio: hidden width of the feed-forwards, in widths.
        post_norm: normalise after each part as BERT does, so that a BERT-shaped encoder's weights can be taken over.
    """

    kind: ClassVar[str] = "text"
    vocabulary: int = 8192
    tokens: int = TOKENS
    width: int = 256
    layers: int = 3
    heads: int = 4
    embedding: int = 0
    ratio: int = 4
    post_norm: bool = False

    @property
    def capacity(self) -> int:
        return self.tokens


@dataclass(frozen=True)
class LogMelEncoder:
    """Log-mel frames (10 ms hop) -> one token every 160 ms.  Input [B, frames, bands] float32."""

    kind: ClassVar[str] = "logmel"
    stride: ClassVar[int] = 16
    frames: int = FRAMES
    bands: int = 64
    width: int = 128
    layers: int = 0
    heads: int = 4

    @property
    def capacity(self) -> int:
        return self.frames // self.stride


@dataclass(frozen=True)
class LandmarkEncoder:
    """Body landmarks (12.5 Hz; x, y, visibility) -> one token every 320 ms.  Input [B, frames, joints, 3] float32."""

    kind: ClassVar[str] = "landmarks"
    stride: ClassVar[int] = 4
    frames: int = POSES
    joints: int = 13
    width: int = 128
    layers: int = 0
    heads: int = 4

    @property
    def capacity(self) -> int:
        return self.frames // self.stride


@dataclass(frozen=True)
class VectorEncoder:
    """Features computed elsewhere -> tokens.  Input [B, tokens, features] float32.

    `noise` is added in training only, in standard deviations of each feature: for features that tell more of what they
    were made from than of anything new.
    """

    kind: ClassVar[str] = "vector"
    features: int = 100
    tokens: int = 1
    width: int = 128
    noise: float = 0.0

    @property
    def capacity(self) -> int:
        return self.tokens


@dataclass(frozen=True)
class WhisperEncoder:
    """Whisper's log-mel (10 ms hop) through its first layers, frozen -> one token of the whole.

    Input [B, frames, bands] float32.  `hidden`, `heads` and `layers` are the pretrained encoder's, `width` and `noise`
    of the perceptron behind it, as in `VectorEncoder`.
    """

    kind: ClassVar[str] = "whisper"
    stride: ClassVar[int] = 2
    frames: int = 768
    bands: int = 80
    hidden: int = 384
    heads: int = 6
    layers: int = 2
    width: int = 128
    noise: float = 0.5

    @property
    def capacity(self) -> int:
        return 1


Encoder = TextEncoder | LogMelEncoder | LandmarkEncoder | VectorEncoder | WhisperEncoder
FUSIONS = ("adaptive", "static", "mean", "concat")


@dataclass(frozen=True)
class ModelConfig:
    """The network's shape.

    Args:
        text, audio, pose: each modality's encoder; None where the model has no such branch.
        width, heads: of the cross-attention (head width must be a power of two, 16 or more).
        cross_layers: full cross-attention layers before the fused one.
        joint_width: of the joint embedding.
        state_width: of the causal dialogue state; 0 switches dialogue context off.
        fusion: `adaptive` is the paper's; the others are the baselines it is compared with.
        classes: labels, in the order of the logits.
        lead: the modality that the dialogue follows, and that speaks for itself where it is there; the others are
            witnesses.  None for the first one that the model has.
    """

    text: Encoder | None = field(default_factory=TextEncoder)
    audio: Encoder | None = field(default_factory=LogMelEncoder)
    pose: Encoder | None = field(default_factory=LandmarkEncoder)
    width: int = 128
    heads: int = 4
    cross_layers: int = 1
    joint_width: int = 64
    state_width: int = 128
    dropout: float = 0.1
    fusion: str = "adaptive"
    classes: tuple[str, ...] = EMOTIONS
    lead: Modality | None = None

    def __post_init__(self) -> None:
        if not any((self.text, self.audio, self.pose)):
            raise UsageError("a model without any modality", "give at least one of text, audio, pose an encoder")
        if self.fusion not in FUSIONS:
            raise UsageError(f"unknown fusion {self.fusion!r}", f"allowed: {', '.join(FUSIONS)}")
        head = self.width // self.heads
        if head * self.heads != self.width or head < 16 or head & (head - 1):
            raise UsageError(
                f"width {self.width} with {self.heads} heads", "width / heads must be a power of two, 16 or more"
            )

    def encoder(self, modality: Modality) -> Encoder | None:
        return getattr(self, modality.value)

    @property
    def mask(self) -> Mask:
        """The modalities that the model has a branch for."""
        return Mask.of(m for m in Modality if self.encoder(m))

    @property
    def leader(self) -> Modality:
        """`lead`, also where a network specialised to a mask has no branch for it."""
        return self.lead or self.mask.modalities[0]

    def capacities(self, mask: Mask | None = None) -> tuple[int, int, int]:
        """Tokens that each modality brings to the cross-attention; 0 where it is outside `mask`."""
        sizes = [0, 0, 0]
        for i, m in enumerate(Modality):
            encoder = self.encoder(m)
            if encoder and (mask is None or m in mask):
                sizes[i] = encoder.capacity
        return sizes[0], sizes[1], sizes[2]

    def to_dict(self) -> dict[str, Any]:
        raw = asdict(self)
        for m in Modality:
            encoder = self.encoder(m)
            if encoder:
                raw[m.value] = {"kind": encoder.kind, **raw[m.value]}
        raw["classes"] = list(self.classes)
        raw["lead"] = self.lead.value if self.lead else None
        return raw

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> ModelConfig:
        """Read what `to_dict` wrote.

        Raises:
            UsageError: unknown keys, encoder kinds or values.
        """
        try:
            return read(cls, raw, "model")
        except Malformed as error:
            raise UsageError(f"not a model configuration: {error}", "compare with ModelConfig().to_dict()") from error

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)
