"""Half precision behind a float32 face: the inputs and outputs of an engine do not depend on its precision."""

from __future__ import annotations

from torch import Tensor, nn


class HalfPrecision(nn.Module):
    """A network turned to half precision, behind the same float32 inputs and outputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.half()

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network(*(x.half() if x.is_floating_point() else x for x in tensors))
        return tuple(x.float() for x in outputs)
