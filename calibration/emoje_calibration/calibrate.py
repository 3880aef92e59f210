"""From a network and a calibration set to a spec: ranges mask by mask, and layers that hurt left out.

For each mask: one pass in fp32 fills a histogram an input; each observer's ranges are tried on the whole network and
the one that moves the logits least is taken; if the labels still differ more than the budget allows, layers take their
input in floating point, the one with the largest measured effect a byte first, until they do not.  Weights leave INT8
last: all masks share those of an encoder, and one mask's own would be stored once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from emoje_calibration.errors import BudgetError
from emoje_calibration.hashes import weights_sha256
from emoje_calibration.observers import METHODS, Histogram
from emoje_calibration.quantize import fold_batch_norms, quantizable, quantize, weight_amax, with_network
from emoje_calibration.spec import LayerSpec, MaskSpec, Range, Spec, in_encoder

AUTO = "auto"
BUDGET = 0.99  # smallest share of labels equal to fp32's
RANKED_ON = 0.25  # of the samples, where layers are only ranked
TRIED = ("max", "percentile-99.99", "mse", "entropy")
Batches = list[tuple[Tensor, ...]]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Change:
    """What quantization changes: the share of equal labels, and the mean absolute change of the logits."""

    agreement: float
    error: float


@dataclass(frozen=True, eq=False)
class Case:
    """One mask to calibrate.

    Attributes:
        mask: its name, such as `text,pose`.
        network: specialised to it, around a module called `network` whose layers the spec names; returns the logits
            first.
        batches: its inputs on the calibration set.
    """

    mask: str
    network: nn.Module
    batches: Batches


@dataclass(frozen=True)
class Source:
    """The calibration set: its name, the hash of its content, and how many utterances it has."""

    name: str
    sha256: str
    samples: int


def calibrate(
    network: nn.Module,
    cases: Iterable[Case],
    source: Source,
    *,
    model: str,
    method: str = AUTO,
    budget: float = BUDGET,
    weights_only: bool = False,
    progress: Progress = lambda step: None,
) -> Spec:
    """Calibrate `network` for each of the cases.

    Args:
        network: with all its modalities.
        model: its name, for the spec.
        method: an observer of `METHODS`, or `auto` for the best one of `TRIED` a mask.
        budget: smallest agreement of labels with fp32, 0 to 1.
        weights_only: the layers of encoders take their inputs in floating point from the beginning.
        progress: called after each finished step with its name.

    Raises:
        ValueError: an unknown method, or a budget outside 0 to 1.
        BudgetError: no set of layers keeps the budget.
    """
    if method != AUTO and method.split("-")[0] not in {m.split("-")[0] for m in METHODS}:
        raise ValueError(f"unknown observer {method!r}: must be {AUTO} or one of {', '.join(METHODS)}")
    if not 0 < budget <= 1:
        raise ValueError(f"budget {budget}: the smallest agreement of labels with fp32, above 0 and at most 1")
    found = {case.mask: _calibrate_mask(case, method, budget, weights_only, progress) for case in cases}
    kinds = {name: (kind_of(m), weight_range(m)) for name, m in quantizable(fold_batch_norms(network))}
    used = {name for spec in found.values() for name in (*spec.inputs, *spec.excluded)}
    weights = {n: w for n, w in kinds.items() if n in used or w[0] != "linear" or n.startswith("encoders.")}
    return Spec(model, weights_sha256(network), source.name, source.sha256, source.samples, budget, weights, found)


def steps(masks: int) -> int:
    """How often `calibrate` calls `progress`, at least."""
    return masks * (1 + len(TRIED))


def inner(specialised: nn.Module) -> nn.Module:
    """The module whose layers the spec names."""
    network = specialised.network
    assert isinstance(network, nn.Module)
    return network


def kind_of(module: nn.Module) -> str:
    return "linear" if isinstance(module, nn.Linear) else "embedding" if isinstance(module, nn.Embedding) else "conv"


def weight_range(module: nn.Module) -> Range:
    return Range("max", "channel", tuple(float(f"{x:.7g}") for x in weight_amax(module).flatten().tolist()))


def observe(network: nn.Module, batches: Batches) -> dict[str, Histogram]:
    """A histogram of every linear's and convolution's input; layers that the mask does not use are left out."""
    histograms: dict[str, Histogram] = {}
    hooks = []
    for name, module in quantizable(inner(network)):
        if not isinstance(module, nn.Embedding):
            hooks.append(
                module.register_forward_pre_hook(
                    lambda _module, args, name=name: histograms.setdefault(name, Histogram()).add(args[0])
                )
            )
    with torch.no_grad():
        for inputs in batches:
            network(*inputs)
    for hook in hooks:
        hook.remove()
    return histograms


def logits(network: nn.Module, batches: Batches) -> Tensor:
    """[N, C] over all batches."""
    with torch.no_grad():
        return torch.cat([network(*inputs)[0] for inputs in batches])


def compare(reference: Tensor, other: Tensor) -> Change:
    return Change(
        float((reference.argmax(1) == other.argmax(1)).float().mean()), float((reference - other).abs().mean())
    )


class _Trial:
    """One mask's network, tried with different layers in INT8."""

    def __init__(self, case: Case, weights_only: bool) -> None:
        self.weights_only = weights_only
        self.mask, self.network, self.batches = case.mask, case.network, case.batches
        self.folded = fold_batch_norms(inner(case.network))
        self.modules = dict(quantizable(self.folded))
        self.reference = logits(case.network, case.batches)

    def layers(self, inputs: dict[str, Range]) -> dict[str, LayerSpec]:
        """Specs of the layers with an input range, and of the embeddings."""
        layers = {}
        for name, module in self.modules.items():
            kind = kind_of(module)
            if kind == "embedding" or name in inputs:
                # a convolution's input stays in floating point: no CPU kernel gains by it, and its error is largest
                floats = kind != "linear" or (self.weights_only and in_encoder(name, self.mask))
                given = None if floats else inputs.get(name)
                layers[name] = LayerSpec(kind, weight_range(module), given)
        return layers

    def change(self, layers: dict[str, LayerSpec], share: float = 1.0) -> Change:
        """Against the network in floating point, on a share of the batches."""
        batches = self.batches[: max(1, round(share * len(self.batches)))]
        found = logits(with_network(self.network, quantize(self.folded, layers)), batches)
        return compare(self.reference[: len(found)], found)


def _calibrate_mask(case: Case, method: str, budget: float, weights_only: bool, progress: Progress) -> MaskSpec:
    trial = _Trial(case, weights_only)
    histograms = observe(case.network, case.batches)
    progress(f"{case.mask}: observed")
    best: tuple[Change, dict[str, LayerSpec]] | None = None
    for name in TRIED if method == AUTO else (method,):
        ranges = {n: Range(name, "tensor", (float(f"{h.amax(name):.7g}"),)) for n, h in histograms.items()}
        layers = trial.layers(ranges)
        change = trial.change(layers)
        progress(f"{case.mask}: {name} agrees {change.agreement:.1%}")
        if best is None or (change.agreement >= budget, -change.error) > (best[0].agreement >= budget, -best[0].error):
            best = change, layers
    assert best is not None
    change, layers = best
    excluded: dict[str, str] = {}
    if change.agreement < budget:
        change, layers, excluded = _give_up(trial, layers, budget, progress)
    inputs = {name: layer.input for name, layer in layers.items() if layer.input}
    return MaskSpec(inputs, excluded, change.agreement)


def sensitivity(trial: _Trial, layers: dict[str, LayerSpec], progress: Progress) -> dict[str, Change]:
    """What each layer alone in INT8 changes, the one with the largest effect a byte first."""
    found = {}
    for name, layer in layers.items():
        found[name] = trial.change({name: layer}, RANKED_ON)
        progress(f"{trial.mask}: {name} alone changes the logits by {found[name].error:.2g}")
    sizes = {name: trial.modules[name].weight.numel() for name in found}  # type: ignore[operator,union-attr]
    return dict(sorted(found.items(), key=lambda item: -item[1].error / sizes[item[0]]))


def _give_up(
    trial: _Trial, layers: dict[str, LayerSpec], budget: float, progress: Progress
) -> tuple[Change, dict[str, LayerSpec], dict[str, str]]:
    """Give up what hurts most a byte, one more each time, until the budget is kept; then take back what was given up in
    vain.

    An encoder's linear takes its input in floating point and keeps its weight; a layer that belongs to no encoder
    leaves INT8; the weights of encoders leave it last.
    """
    left, given = dict(layers), list[tuple[str, LayerSpec]]()
    ranked = sensitivity(trial, layers, progress)
    for weights in (False, True):
        for name in ranked:
            layer = left.get(name)
            shared = in_encoder(name, trial.mask)
            if layer is None or (shared and not weights and layer.input is None):
                continue
            given.append((name, layer))
            if shared and not weights:
                left[name] = replace(layer, input=None)
            else:
                del left[name]
            change = trial.change(left)
            progress(f"{trial.mask}: {name} given up, agrees {change.agreement:.1%}")
            if change.agreement >= budget:
                change, left = _take_back(trial, change, left, given[:-1], budget, progress)
                kept = {n: left[n] for n in layers if n in left}
                return change, kept, {n: _why(ranked[n]) for n in layers if n not in left}
    raise BudgetError(f"mask {trial.mask}: not even without INT8 do the labels agree to {budget:.1%}")


def _take_back(
    trial: _Trial,
    change: Change,
    left: dict[str, LayerSpec],
    given: list[tuple[str, LayerSpec]],
    budget: float,
    progress: Progress,
) -> tuple[Change, dict[str, LayerSpec]]:
    """Layers given up before the one that kept the budget, back in INT8 where it is kept with them, the last first."""
    for name, layer in reversed(given):
        tried = {**left, name: layer}
        again = trial.change(tried)
        if again.agreement >= budget:
            change, left = again, tried
            progress(f"{trial.mask}: {name} taken back, agrees {change.agreement:.1%}")
    return change, left


def _why(alone: Change) -> str:
    return f"alone in INT8 it changes the logits by {alone.error:.3g} and {1 - alone.agreement:.1%} of labels"
