"""Build: a trained model, specialised to a mask, becomes a verified engine folder for a backend and a device.

Specialise, emit every candidate precision into a temporary folder, open it as `infer` would, compare it with eager
torch on the calibration set, measure it, choose, write the manifest, rename into place.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoje_edge.engine.backends import backend
from emoje_edge.engine.interface import Backend, BuildRequest, Built
from emoje_edge.engine.key import engine_key, source_sha256
from emoje_edge.engine.manifest import (
    BATCH,
    FILE_NAME,
    TOKENIZER_FILE,
    FileEntry,
    Manifest,
    Parity,
    TensorSpec,
    read_files,
    read_manifest,
)
from emoje_edge.engine.store import building, engine_folder
from emoje_edge.engine.weights import entry_of, store
from emoje_edge.errors import EmojeError, UsageError, WorkError
from emoje_edge.modality import Mask, Modality
from emoje_edge.shipped import TOKENIZER

if TYPE_CHECKING:
    from emoje_calibration.spec import Spec

    from emoje_edge.engine.calibration_set import CalibrationSet
    from emoje_edge.engine.interface import Session
    from emoje_edge.engine.measure import References
    from emoje_edge.model import AmEmoje

AUTO = "auto"
# largest difference of logits that still passes for rounding, against eager of the same precision
FLOATING_ERROR = {"fp32": 1e-3, "fp16": 0.1}
THREADS = min(2, os.cpu_count() or 1)  # of CPU backends, as their sessions take by default
ALIGNED_ERROR = 1e-4  # INT8 against the quantized reference, see `engine.aligned`
BUDGET = 0.99


@dataclass(frozen=True)
class Plan:
    """What is to be built, for every mask alike.

    Attributes:
        network, model: the trained network in eval mode, and its name.
        data: the calibration set, for parity and latency.
        spec: for INT8; None leaves floating point alone.
        precision: `int8`, `fp16`, `fp32` or `auto`.
        out: engine folder.
        temperatures: of the masks, for the manifests; see `engine.temperatures`.
        tokenizer: file that the model's words are read with; None for the one that ships.
    """

    network: AmEmoje
    model: str
    data: CalibrationSet
    spec: Spec | None
    backend: str
    precision: str
    target: str | None
    out: Path
    temperatures: Mapping[Mask, float] = field(default_factory=dict)
    tokenizer: Path | None = None


@dataclass(frozen=True)
class Result:
    """One finished engine: its folder, its manifest, and whether it was there before."""

    folder: Path
    manifest: Manifest
    reused: bool


@dataclass
class _Candidate:
    precision: str
    built: Built
    folder: Path
    manifest: Manifest
    session: Session | None = None
    problem: str = ""
    notes: list[str] = field(default_factory=list)


def precisions(plan: Plan, module: Backend) -> tuple[str, ...]:
    """Candidates, INT8 first.

    Raises:
        UsageError: a precision that the backend does not have, or INT8 without a spec.
    """
    if plan.precision == AUTO:
        return tuple(p for p in module.PRECISIONS if p != "int8" or plan.spec is not None)
    if plan.precision not in module.PRECISIONS:
        raise UsageError(
            f"precision {plan.precision!r} with {plan.backend}", f"allowed: {AUTO} | {' | '.join(module.PRECISIONS)}"
        )
    if plan.precision == "int8" and plan.spec is None:
        raise UsageError("INT8 without a spec", "make one: emoje-edge calibrate --model RUN --data DIR --out SPEC")
    return (plan.precision,)


def key_of(plan: Plan, mask: Mask, target: Mapping[str, Any]) -> str:
    """The engine's key; see `engine.key`."""
    import torch
    from emoje_calibration.hashes import weights_sha256

    return engine_key(
        {
            "mask": str(mask),
            "backend": plan.backend,
            "precision": plan.precision,
            "target": dict(target),
            "weights": weights_sha256(plan.network),
            "config": plan.network.config.to_dict(),
            "spec": spec_sha256(plan.spec),
            "data": plan.data.sha256,
            "temperature": plan.temperatures.get(mask),
            "tokenizer": tokenizer_sha256(plan, mask),
            "source": source_sha256(),
            "torch": torch.__version__,
        }
    )


def spec_sha256(spec: Spec | None) -> str | None:
    return None if spec is None else hashlib.sha256(spec.to_json().encode()).hexdigest()


def tokenizer_sha256(plan: Plan, mask: Mask) -> str | None:
    """Of the file that the engine's words are read with; None where it reads none."""
    if Modality.TEXT not in mask or not hasattr(plan.network.config.text, "vocabulary"):
        return None
    return _sha256(plan.tokenizer or TOKENIZER)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def find_built(plan: Plan, mask: Mask) -> tuple[Path, Manifest | None]:
    """Folder that this build ends in, and the manifest of the whole, unaltered engine there, if there is one.

    Raises:
        UsageError, WorkError: what `build_engine` would refuse.
    """
    module = backend(plan.backend)
    missing = module.unavailable("build")
    if missing:
        raise WorkError(f"cannot build {plan.backend} engines here: {missing}", "emoje-edge doctor shows what works")
    precisions(plan, module)
    plan.data.require(mask)
    key = key_of(plan, mask, module.target(plan.target))
    folder = engine_folder(plan.out, plan.model, mask, plan.backend, key)
    if not (folder / FILE_NAME).exists():
        return folder, None
    try:
        manifest = read_manifest(folder)
        read_files(folder, manifest)
    except WorkError:
        return folder, None  # damaged: built anew, and replaced in one rename
    return folder, manifest if manifest.key == key else None


def build_engine(plan: Plan, mask: Mask) -> Result:
    """Build, or find unchanged, the engine of one mask.

    Raises:
        UsageError: a mask, backend, precision, spec or calibration set that does not fit.
        WorkError: parity fails, no space, another build of the same engine is running, the backend fails.
    """
    folder, manifest = find_built(plan, mask)
    if manifest is not None:
        (folder / FILE_NAME).touch()  # the newest of several is what `infer` takes
        return Result(folder, manifest, reused=True)
    size = 4 * sum(p.numel() for p in plan.network.parameters())
    with building(folder, 3 * size) as temporary:
        chosen = _choose(plan, mask, temporary)
        store(chosen.built.weights, folder.parents[1])
        for path in chosen.folder.iterdir():
            path.rename(temporary / path.name)
        for path in temporary.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        (temporary / FILE_NAME).write_text(chosen.manifest.to_json(), encoding="utf-8")
    return Result(folder, chosen.manifest, reused=False)


def _choose(plan: Plan, mask: Mask, temporary: Path) -> _Candidate:
    """Build and check every candidate; the fastest that keeps the accuracy."""
    from emoje_edge.engine.measure import References, eager, latency
    from emoje_edge.engine.quantization import quantize_masked, spec_errors
    from emoje_edge.model.network import MaskedNetwork

    module = backend(plan.backend)
    target = module.target(plan.target)
    network = MaskedNetwork(plan.network, mask)
    wanted = precisions(plan, module)
    quantized = None
    if "int8" in wanted and plan.spec is not None:
        from emoje_calibration.hashes import weights_sha256

        with spec_errors():
            plan.spec.check_weights(weights_sha256(plan.network))
        quantized = quantize_masked(network, plan.spec)
    batches = list(plan.data.batches(network))
    inputs = [{n: x.numpy() for n, x in zip(network.input_names, batch, strict=True)} for batch in batches]
    references = References(inputs, eager(network, batches), eager(quantized, batches) if quantized else None)
    shared: dict[str, Any] = {}
    found = []
    for precision in wanted:
        request = BuildRequest(
            mask=mask,
            precision=precision,
            network=quantized if precision == "int8" and quantized is not None else network,
            example=tuple(x[:1] for x in batches[0]),
            input_names=network.input_names,
            output_names=network.output_names,
            folder=temporary / precision,
            target=target,
            floating=network if quantized is not None else None,
            shared=shared,
        )
        request.folder.mkdir()
        found.append(_candidate(plan, module, request, references))
    runnable = [c for c in found if c.session is not None]
    if runnable:
        one = {n: x[:1] for n, x in inputs[0].items()}
        for candidate, measured in zip(runnable, latency([c.session for c in runnable], one, THREADS), strict=True):  # type: ignore[misc]
            candidate.manifest = replace(candidate.manifest, latency=measured)
    return _best(found)


def _best(found: Sequence[_Candidate]) -> _Candidate:
    good = [c for c in found if not c.problem]
    if not good:
        raise WorkError("; ".join(f"{c.precision}: {c.problem}" for c in found), "calibrate on data like the device's")
    best = min(good, key=lambda c: c.manifest.latency.p50_ms if c.manifest.latency else 0.0)
    measured = "; ".join(
        f"{c.precision} {c.manifest.latency.p50_ms:.2f} ms, {c.manifest.size / 1e6:.2f} MB"
        if c.manifest.latency
        else f"{c.precision} not measured"
        for c in found
    )
    refused = "".join(f"; {c.precision} refused: {c.problem}" for c in found if c.problem)
    reason = "asked for" if len(found) == 1 else "fastest within the accuracy budget"
    best.manifest = replace(best.manifest, reason=f"{reason}: {measured}{refused}")
    return best


def _candidate(plan: Plan, module: Backend, request: BuildRequest, references: References) -> _Candidate:
    """Build one precision, open what was built from its bytes, and compare."""
    from emoje_edge.engine.measure import parity

    built = module.build(request)
    if plan.tokenizer and tokenizer_sha256(plan, request.mask) not in (None, _sha256(TOKENIZER)):
        shutil.copyfile(plan.tokenizer, request.folder / TOKENIZER_FILE)
    content = {path.name: path.read_bytes() for path in sorted(request.folder.iterdir())}
    files = tuple(entry_of(name, data) for name, data in content.items())
    manifest = _manifest(plan, request, built, files)
    content |= built.weights
    candidate = _Candidate(request.precision, built, request.folder, manifest)
    if not built.runnable:
        return candidate
    candidate.session = module.open(manifest, content, threads=THREADS)
    result = parity(candidate.session, references, plan.data.name, request.precision == "int8")
    if plan.backend == "onnx" and request.precision == "int8":
        from emoje_edge.engine.aligned import aligned_error

        result = replace(result, aligned_error=aligned_error(request, references.inputs))
        if result.aligned_error is not None and result.aligned_error > ALIGNED_ERROR:
            candidate.problem = f"differs from the quantized reference by {result.aligned_error:.2g}"
    candidate.manifest = replace(manifest, parity=result)
    budget = plan.spec.budget if plan.spec else BUDGET
    if result.agreement < budget:
        candidate.problem = f"labels agree with fp32 in {result.agreement:.1%}, the budget is {budget:.1%}"
    elif result.max_error > FLOATING_ERROR.get(request.precision, float("inf")):
        candidate.problem = f"logits differ from eager by {result.max_error:.2g}"
    return candidate


def _manifest(plan: Plan, request: BuildRequest, built: Built, files: tuple[FileEntry, ...]) -> Manifest:
    from emoje_calibration.hashes import weights_sha256

    from emoje_edge.version import __version__

    config = plan.network.config
    batch: int | str = BATCH if built.dynamic_batch else request.example[0].shape[0]

    def spec(name: str, shape: Sequence[int], dtype: str) -> TensorSpec:
        return TensorSpec(name, dtype, (batch, *shape))

    widths = {
        "logits": len(config.classes),
        "weights": 3,
        "next_state": config.state_width,
        "next_voice": config.width + 1,
    }
    return Manifest(
        model=plan.model,
        mask=request.mask,
        backend=plan.backend,
        precision=request.precision,
        reason="asked for",
        key=key_of(plan, request.mask, request.target),
        entry=built.entry,
        files=files,
        inputs=tuple(
            spec(n, x.shape[1:], str(x.numpy().dtype))
            for n, x in zip(request.input_names, request.example, strict=True)
        ),
        outputs=tuple(spec(n, (widths[n],), "float32") for n in request.output_names),
        labels=tuple(config.classes),
        weights_sha256=weights_sha256(plan.network),
        spec_sha256=spec_sha256(plan.spec) if request.precision == "int8" else None,
        parity=Parity(plan.data.name, 0, 0.0, 0.0, None, "not measured"),
        latency=None,
        target=dict(request.target),
        versions={"emoje-edge": __version__, "python": platform.python_version(), **built.versions},
        built=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        temperature=plan.temperatures.get(request.mask),
        weights=tuple(entry_of(name, data) for name, data in built.weights.items()),
        tokenizer=tokenizer_sha256(plan, request.mask),
    )


def pick_backend() -> str:
    """`--backend auto`: the first in the order of speed that can build and run here."""
    from emoje_edge.engine.backends import BACKENDS

    for name in BACKENDS:
        try:
            module = backend(name)
        except (ImportError, EmojeError):
            continue
        if module.unavailable("build") is None and module.unavailable("open") is None and (name != "aot" or _has_gpu()):
            return name
    raise WorkError("no backend can build here", "emoje-edge doctor says what each one needs")


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
