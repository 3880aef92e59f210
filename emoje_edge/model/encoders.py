"""One encoder a modality: raw features -> tokens of the network's width, with padding marked.

Every encoder maps (features [B, ...], length [B]) to (tokens [B, L, D], there [B, L]); L is its capacity.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emoje_edge.model import config as cfg
from emoje_edge.model.bones import Bones
from emoje_edge.model.layers import TransformerLayer, masked_mean, token_mask
from emoje_edge.model.whisper import WhisperLayers


class TextEncoder(nn.Module):
    """Token embedding, learned positions, transformer layers."""

    def __init__(self, c: cfg.TextEncoder, width: int, dropout: float) -> None:
        super().__init__()
        narrow = c.embedding or c.width
        self.embedding = nn.Embedding(c.vocabulary, narrow)
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.lift = nn.Linear(narrow, c.width) if narrow != c.width else None
        self.position = nn.Parameter(torch.randn(c.tokens, c.width) * 0.02)
        self.norm_in = nn.LayerNorm(c.width)
        self.layers = nn.ModuleList(
            TransformerLayer(c.width, c.heads, dropout, ratio=c.ratio, post_norm=c.post_norm) for _ in range(c.layers)
        )
        # layers that normalise last need no norm after them
        self.norm = None if c.post_norm else nn.LayerNorm(c.width)
        self.out = nn.Linear(c.width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, ids: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        there = token_mask(length, ids.shape[1])
        x = self.embedding(ids)
        x = x if self.lift is None else self.lift(x)
        x = self.drop(self.norm_in(x + self.position[: ids.shape[1]]))
        for layer in self.layers:
            x = layer(x, there)
        return self.out(x if self.norm is None else self.norm(x)), there


class _Convolution(nn.Module):
    """Strided 1-D convolution over time, normalised per frame.  Padding stays zero, so it cannot leak in."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)
        self.norm = nn.LayerNorm(outputs)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        # [B, T, C] -> [B, T / stride, C']
        y = self.conv(x.transpose(1, 2)).transpose(1, 2)
        y = y[:, : x.shape[1] // self.stride]
        length = (length + (self.stride - 1)) // self.stride
        y = self.drop(F.gelu(self.norm(y)))
        return y * token_mask(length, y.shape[1]).to(y.dtype)[..., None], length


class _Whole(nn.Linear):
    """Every token takes in the mean and the deviation of all (statistics pooling, Snyder et al. 2018).

    How much a voice or a body moves tells more of its emotion than any moment of it, and a thousand clips are too few
    to learn that by attention.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(2 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:  # type: ignore[override]
        """[B, L, D], [B, L] -> [B, L, D]."""
        mean = masked_mean(tokens, there)
        deviation = (masked_mean((tokens - mean[:, None]) ** 2, there) + 1e-5).sqrt()
        return tokens + super().forward(self.drop(torch.cat([mean, deviation], 1)))[:, None]


class _ConvolutionalEncoder(nn.Module):
    """Strided convolutions, what the whole moves like, then transformer layers."""

    def __init__(
        self, inputs: int, width: int, out: int, *, strides: tuple[int, ...], layers: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        sizes = [inputs] + [width] * len(strides)
        self.convolutions = nn.ModuleList(
            # the first looks at single frames: what a posture is, before how it changes
            _Convolution(a, b, 5 if i else 1, stride, dropout)
            for i, (a, b, stride) in enumerate(zip(sizes, sizes[1:], strides, strict=False))
        )
        self.whole = _Whole(width, dropout)
        self.layers = nn.ModuleList(TransformerLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, out)

    def forward(self, x: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        x = x * token_mask(length, x.shape[1]).to(x.dtype)[..., None]
        for convolution in self.convolutions:
            x, length = convolution(x, length)
        there = token_mask(length, x.shape[1])
        x = self.whole(x, there)
        for layer in self.layers:
            x = layer(x, there)
        return self.out(self.norm(x)), there


class _SpectralConvolution(nn.Module):
    """Strided convolution over time and frequency."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, strides: tuple[int, int]) -> None:
        super().__init__()
        self.stride = strides[0]
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=strides, padding=kernel // 2, bias=False)
        # batch, not layer normalisation: it folds into the convolution at export and costs nothing there
        self.norm = _FrameNorm(outputs)

    def forward(self, x: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        # [B, C, T, F] -> [B, C', T / stride, F / stride]; frames past the length are left to the caller
        x, length = self.conv(x), (length + (self.stride - 1)) // self.stride
        # folded into the convolution where the network is not trained any more, it takes no length
        return F.relu(self.norm(x, length) if self.training else self.norm(x)), length


class _FrameNorm(nn.BatchNorm2d):
    """Batch normalisation over frames that are there: how a batch is padded must not show in what is learnt."""

    def forward(self, x: Tensor, length: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """[B, C, T, F] and, in training, [B] frames of each."""
        if not self.training or length is None:
            return super().forward(x)
        there = token_mask(length, x.shape[2]).to(x.dtype)[:, None, :, None]
        count = (there.sum() * x.shape[3]).clamp(min=2)  # without any sound: mean 0, and nothing of it is read
        mean = (x * there).sum((0, 2, 3)) / count
        variance = ((x - mean[:, None, None]).square() * there).sum((0, 2, 3)) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)  # type: ignore[union-attr, arg-type]
            self.running_var.lerp_((variance * count / (count - 1)).to(self.running_var.dtype), self.momentum)  # type: ignore[union-attr, arg-type]
            self.num_batches_tracked += 1  # type: ignore[operator, assignment]
        scale = self.weight * (variance + self.eps).rsqrt()
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# time and frequency strides: the first layer, where a frame is dearest, takes most of the time axis
_SPECTRAL = ((5, (4, 2)), (3, (2, 2)), (3, (2, 2)), (3, (1, 2)))


class LogMelEncoder(nn.Module):
    """Log-mel and its change over time as a picture: four strided convolutions, then what the whole sounds like."""

    def __init__(self, c: cfg.LogMelEncoder, width: int, dropout: float) -> None:
        super().__init__()
        sizes = [2, c.width // 8, c.width // 4, c.width // 2, c.width]
        self.convolutions = nn.ModuleList(
            _SpectralConvolution(a, b, kernel=kernel, strides=strides)
            for (a, b), (kernel, strides) in zip(pairwise(sizes), _SPECTRAL, strict=True)
        )
        self.flat = nn.Linear(c.width * -(-c.bands // 16), c.width)
        self.drop = nn.Dropout(dropout)
        self.whole = _Whole(c.width, dropout)
        self.layers = nn.ModuleList(TransformerLayer(c.width, c.heads, dropout) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        self.out = nn.Linear(c.width, width)

    def forward(self, x: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        there = token_mask(length, x.shape[1]).to(x.dtype)
        x = x * there[..., None]
        # the change over 40 ms, where both frames are there; picture: [B, 2, T, bands]
        change = (x[:, 4:] - x[:, :-4]) * there[:, 4:, None]
        picture = torch.stack([x, F.pad(change, (0, 0, 2, 2))], 1)
        if self.training:  # half as fast again on a CPU; an exported graph chooses its own layout
            picture = picture.contiguous(memory_format=torch.channels_last)
        for i, convolution in enumerate(self.convolutions):
            if i:  # frames past the length are zero before every convolution, so padding cannot leak in
                picture = picture * token_mask(length, picture.shape[2]).to(x.dtype)[:, None, :, None]
            picture, length = convolution(picture, length)
        # [B, C, L, bands / 16] -> [B, L, C * bands / 16], masked in the layout in which that is fast
        tokens = picture.transpose(1, 2).flatten(2)
        there = token_mask(length, tokens.shape[1])
        tokens = F.relu(self.flat(self.drop(tokens * there.to(x.dtype)[..., None])))
        tokens = self.whole(tokens, there)
        for layer in self.layers:
            tokens = layer(tokens, there)
        return self.out(self.norm(tokens)), there


class LandmarkEncoder(_ConvolutionalEncoder):
    """Limbs, visibility and motion: differences between joints and between frames are computed in the graph."""

    def __init__(self, c: cfg.LandmarkEncoder, width: int, dropout: float) -> None:
        super().__init__(
            Bones.FEATURES, c.width, width, strides=(1, 2, 2), layers=c.layers, heads=c.heads, dropout=dropout
        )
        self.bones = Bones(c.joints)

    def forward(self, x: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(self.bones(x), length)


class VectorEncoder(nn.Module):
    """A small multilayer perceptron over features computed elsewhere, each brought to mean 0 and deviation 1.

    `mean` and `scale` (1 / deviation) belong to the weights; training sets them from its corpus (`fit_features`).
    Outliers are clipped: few utterances have them, so nothing could be learnt of them.
    """

    CLIP = 4.0  # deviations
    mean: Tensor
    scale: Tensor

    def __init__(self, c: cfg.VectorEncoder, width: int, dropout: float) -> None:
        super().__init__()
        self.noise = c.noise
        self.register_buffer("mean", torch.zeros(c.features))
        self.register_buffer("scale", torch.ones(c.features))
        # no norm over the vector: how much of everything there is tells something too
        self.up, self.out = nn.Linear(c.features, c.width), nn.Linear(c.width, width)
        self.drop = nn.Dropout(dropout)

    @torch.no_grad()
    def fit_features(self, rows: Tensor) -> None:
        """Take mean and deviation of each feature from `rows` [N, F]; a feature that never changes is switched off."""
        deviation = rows.std(0, unbiased=False)
        self.mean.copy_(rows.mean(0))
        self.scale.copy_(torch.where(deviation > 1e-6, 1 / deviation.clamp(min=1e-6), torch.zeros_like(deviation)))

    def forward(self, x: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        there = token_mask(length, x.shape[1])
        x = ((x - self.mean) * self.scale).clamp(-self.CLIP, self.CLIP)
        if self.training and self.noise:
            # the deviation stays 1, as it will be without noise
            x = (x + self.noise * torch.randn_like(x)) * (1 + self.noise**2) ** -0.5
        return self.out(self.drop(F.gelu(self.up(self.drop(x))))), there


class WhisperEncoder(nn.Module):
    """A frozen pretrained encoder's statistics, then the perceptron that is trained: one token."""

    def __init__(self, c: cfg.WhisperEncoder, width: int, dropout: float) -> None:
        super().__init__()
        self.front = WhisperLayers(c)
        features = 2 * c.layers * c.hidden
        self.head = VectorEncoder(cfg.VectorEncoder(features=features, width=c.width, noise=c.noise), width, dropout)

    @torch.no_grad()
    def fit_features(self, sounds: Iterable[np.ndarray]) -> None:
        """Take mean and deviation of each statistic from `sounds`, [F, bands] each."""
        limit = self.front.position.shape[0] * 2
        cut = [torch.from_numpy(x[:limit]) for x in sounds if len(x) > 1]
        rows = [self.front(x[None, : len(x) // 2 * 2], torch.tensor([len(x) // 2 * 2])) for x in cut]
        self.head.fit_features(torch.cat(rows))

    def forward(self, x: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.front(x, length)[:, None], (length > 0).to(length.dtype))


def build_encoder(c: cfg.Encoder, width: int, dropout: float) -> nn.Module:
    """The encoder that this configuration describes, with `width` outputs."""
    kinds = {
        "text": TextEncoder,
        "logmel": LogMelEncoder,
        "landmarks": LandmarkEncoder,
        "vector": VectorEncoder,
        "whisper": WhisperEncoder,
    }
    return kinds[c.kind](c, width, dropout)  # type: ignore[arg-type]
