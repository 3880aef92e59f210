"""INT8 on this product's networks: `emoje_calibration`, mask by mask, with errors that name the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emoje_calibration import calibrate as ground
from emoje_calibration import spec as specs
from emoje_calibration.errors import BudgetError, SpecError
from emoje_calibration.hashes import weights_sha256
from emoje_calibration.quantize import quantize, with_network
from emoje_calibration.spec import Spec

from emoje_edge.engine.calibration_set import CalibrationSet
from emoje_edge.errors import UsageError, WorkError
from emoje_edge.modality import Mask
from emoje_edge.model.network import AmEmoje, MaskedNetwork

CALIBRATE = "make one: emoje-edge calibrate --model RUN --data DIR --out SPEC"


@contextmanager
def spec_errors() -> Iterator[None]:
    """A spec that does not fit, as a `WorkError` with the command that makes one."""
    try:
        yield
    except SpecError as error:
        raise WorkError(str(error), CALIBRATE) from error


def calibrate(
    network: AmEmoje,
    data: CalibrationSet,
    *,
    model: str,
    masks: Sequence[Mask] | None = None,
    method: str = ground.AUTO,
    budget: float = ground.BUDGET,
    weights_only: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Spec:
    """Calibrate `network` on `data`.

    Args:
        model: its name, for the spec.
        masks: which ones; None for every subset of the model's modalities.
        method, budget, weights_only, progress: as `emoje_calibration.calibrate.calibrate`.

    Raises:
        UsageError: an unknown method, a budget outside 0 to 1, a modality that the data lack.
        WorkError: no set of layers keeps the budget.
    """
    chosen = masks or [mask for mask in Mask.all() if mask.issubset(network.config.mask)]
    for mask in chosen:
        data.require(mask)
    source = ground.Source(data.name, data.sha256, data.samples)
    cases = (_case(network, mask, data) for mask in chosen)
    try:
        return ground.calibrate(
            network,
            cases,
            source,
            model=model,
            method=method,
            budget=budget,
            weights_only=weights_only,
            progress=progress,
        )
    except BudgetError as error:
        raise WorkError(str(error), "lower --budget") from error
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(str(error), "see emoje-edge calibrate --help") from error


def _case(network: AmEmoje, mask: Mask, data: CalibrationSet) -> ground.Case:
    specialised = MaskedNetwork(network, mask)
    return ground.Case(str(mask), specialised, list(data.batches(specialised)))


def read_spec(path: Path, network: AmEmoje | None = None) -> Spec:
    """The spec in a file, held against the weights of `network`.

    Raises:
        WorkError: missing, unreadable, malformed, or made for other weights.
    """
    with spec_errors():
        spec = specs.read_spec(path)
        if network is not None:
            spec.check_weights(weights_sha256(network))
        return spec


def quantize_masked(network: MaskedNetwork, spec: Spec) -> MaskedNetwork:
    """The quantized eager reference of one mask: inputs, outputs and mask stay those of `network`.

    Raises:
        WorkError: the spec does not have the mask, or names layers that the network lacks.
    """
    with spec_errors():
        return with_network(network, quantize(network.network, spec.layers(str(network.mask))))
