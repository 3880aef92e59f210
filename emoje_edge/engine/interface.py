"""What a backend offers (`Backend`), what it builds from (`BuildRequest`) and what an open engine does (`Session`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from emoje_edge.engine.manifest import BATCH, Manifest
from emoje_edge.errors import UsageError
from emoje_edge.modality import Mask

if TYPE_CHECKING:
    from torch import Tensor, nn

Arrays = Mapping[str, np.ndarray]


class Session(Protocol):
    """An open engine.  Any number of threads may run it at once; each gets the answer to its own inputs."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def mask(self) -> Mask: ...

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """One batch through the engine.

        Args:
            inputs: the arrays of docs/decisions/0001-engine-inputs.md that the mask has, all of one batch size.

        Returns:
            `logits` [B, C], `weights` [B, 3], `next_state` [B, S], float32, the caller's own.

        Raises:
            UsageError: a missing or unknown input, a wrong shape or dtype.
        """
        ...


class CheckedSession(ABC):
    """What the sessions of all backends share: the manifest, and inputs held against it before anything runs."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._names = [tensor.name for tensor in manifest.outputs]

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def mask(self) -> Mask:
        return self._manifest.mask

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """As `Session.run`."""
        batch = check_inputs(self._manifest, inputs)
        return dict(zip(self._names, self._compute(inputs, batch), strict=True))

    @abstractmethod
    def _compute(self, inputs: Arrays, batch: int) -> Sequence[np.ndarray]:
        """The outputs in the manifest's order, the caller's own; `inputs` fit the manifest."""


@dataclass(frozen=True)
class BuildRequest:
    """What a backend builds from.

    Attributes:
        mask: the modalities.
        precision: `int8`, `fp16` or `fp32`.
        network: `MaskedNetwork` in fp32, eval mode; or, for `int8`, the quantized eager reference, a module of the
            same inputs and outputs whose linears and convolutions hold `emoje_edge::qdq(x, amax)`
            (`emoje_calibration.quantize`).
        example: inputs of `network`, in the order of `input_names`, batch 1.
        input_names, output_names: of docs/decisions/0001-engine-inputs.md.
        folder: an empty folder for the files.
        target: what `Backend.target` returned.
        floating: the same network in fp32, where `network` is quantized.
        shared: the backend's own, kept from one precision of a mask to the next (`int8` comes first).
    """

    mask: Mask
    precision: str
    network: nn.Module
    example: tuple[Tensor, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    folder: Path
    target: Mapping[str, str | int]
    floating: nn.Module | None = None
    shared: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """What `build` left in the folder.

    Attributes:
        entry: the file that `open` starts from; all files in the folder belong to the engine.
        weights: file name -> content of what engines of other masks share (`engine.weights`).
        versions: of the libraries that wrote it.
        dynamic_batch: the batch may vary at run time; else it is that of the example.
        runnable: this machine can open the engine (False where it was compiled for a device that is not here; then
            parity and latency stay unmeasured and the manifest says so).
    """

    entry: str
    versions: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, bytes] = field(default_factory=dict)
    dynamic_batch: bool = False
    runnable: bool = True


class Backend(Protocol):
    """The names that a backend module has."""

    PRECISIONS: tuple[str, ...]

    def unavailable(self, purpose: str) -> str | None: ...

    def target(self, name: str | None) -> dict[str, str | int]: ...

    def build(self, request: BuildRequest) -> Built: ...

    def open(self, manifest: Manifest, files: Mapping[str, bytes], *, threads: int | None = None) -> Session: ...


def check_inputs(manifest: Manifest, inputs: Arrays) -> int:
    """The batch size of inputs that fit the manifest.

    Raises:
        UsageError: they do not; the message names the input, what it is and what it should be.
    """
    wanted = [tensor.name for tensor in manifest.inputs]
    if len(inputs) != len(wanted) or any(name not in inputs for name in wanted):
        raise UsageError(
            f"inputs {', '.join(inputs) or 'none'} for the engine of {manifest.mask}", f"it takes {', '.join(wanted)}"
        )
    batch = len(inputs[wanted[0]])
    for tensor in manifest.inputs:
        array = inputs[tensor.name]
        shape = tuple(batch if n == BATCH else n for n in tensor.shape)
        if array.shape != shape or array.dtype != tensor.dtype or not batch:
            raise UsageError(
                f"{tensor.name}: {array.dtype} {list(array.shape)}",
                f"the engine of {manifest.mask} takes {tensor.dtype} {list(tensor.shape)}, at least one utterance",
            )
    return batch
