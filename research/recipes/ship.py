"""From a trained run to what ships: eight-bit weights, quantization spec, seven INT8 engines, and their figures.

    python -m research.recipes.ship DATA RUN [--model small|medium] [--speech SPEECH]

Writes emoje_edge/assets (models/NAME with weights, spec, temperatures and accuracy.json, engines/NAME, the tokenizer,
the tables of the model card) and the tables of docs/evidence/student.md and stress.md.  Calibrated and checked on
utterances of the training parts, put together at random.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from emoje_calibration.spec import Spec

from emoje_edge.engine.build import Plan, build_engine
from emoje_edge.engine.calibration_set import CalibrationSet, pad_rows
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.engine.quantization import calibrate
from emoje_edge.engine.store import engines as engines_in
from emoje_edge.engine.weights import copy, unused
from emoje_edge.evaluation.evaluate import bands, evaluate, open_model
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import ModelConfig
from emoje_edge.model.compact import compact
from emoje_edge.model.lent import KEY, lend
from emoje_edge.shipped import DEFAULT, ENGINE_WEIGHTS, ENGINES, TOKENIZER, accuracy_of, engines_of, model_folder
from emoje_edge.training.batching import Collator
from emoje_edge.training.checkpoint import Run, load_run
from emoje_edge.training.predict import Predictor, TorchPredictor
from emoje_edge.training.tokens import tokenizer_of
from research.evidence.tables import replace_block
from research.recipes import confidence, report, stress
from research.recipes.default import Parts, read_parts
from research.recipes.pages import HOUSE, arguments_of, put_in_card, put_in_page

# utterances of the calibration set: with fewer, one more label that flips can cost a layer its INT8; medium takes long
SAMPLES = {"small": 384, "medium": 192}
FIGURES = {  # what `bench` and `info` show of each modality
    Modality.TEXT: ("weighted_f1", "weighted F1", "MELD dev"),
    Modality.AUDIO: ("uar", "UA", "RAVDESS actors 17-20"),
    Modality.POSE: ("uar", "UA", "Bandai, held-out contents"),
}


def calibration_set(parts: Parts, config: ModelConfig, samples: int, tokenizer: Path | None = None) -> CalibrationSet:
    """Lines, clips and motions of the training parts, drawn with a fixed seed; they need not belong together."""
    collate, g = Collator(config, tokenizer_of(config, tokenizer)), np.random.default_rng(0)
    rows: dict[Modality, list[np.ndarray]] = {}
    quality: dict[Modality, list[np.ndarray]] = {}
    for m, (corpus, _) in zip(Modality, (parts.text, parts.audio, parts.pose), strict=True):
        drawn = (corpus.samples[i] for i in g.permutation(len(corpus)))
        found = ((array, collate.quality(s, m)) for s in drawn if (array := collate.array(s, m)) is not None)
        rows[m], quality[m] = (list(x) for x in zip(*islice(found, samples), strict=True))
    return pad_rows(rows, config, samples, "meld+ravdess+bandai", quality=quality)


def save_student(run: Run, folder: Path) -> Run:
    """Weights in 8 bits, with their configuration; what is read back is what engines are made of."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(save(compact(run.network.state_dict())))
    shutil.copyfile(run.path / "config.json", folder / "config.json")
    return load_run(folder)


def leave_to_engines(model: str) -> None:
    """Take out of a model's file what its engines hold: they are stored once in the package."""
    from safetensors.torch import load_file, save

    path = model_folder(model) / "model.safetensors"
    # of its own engines only: what both models hold goes from the other's when that is made anew
    entries = (entry for folder in engines_in(engines_of(model)) for entry in read_manifest(folder).weights)
    files = {entry.name: (ENGINE_WEIGHTS / entry.name).read_bytes() for entry in entries}
    rest, places = lend(load_file(str(path)), files)
    path.write_bytes(save(rest, metadata={KEY: json.dumps(places)} if places else None))


def build_all(student: Run, model: str, data: CalibrationSet, spec: Spec, root: Path) -> None:
    """One INT8 ONNX engine a mask, in ROOT/MODEL/MASK, with each branch's weights once in ROOT/weights."""
    with tempfile.TemporaryDirectory() as built:
        folders = []
        plan = Plan(student.network, model, data, spec, "onnx", "int8", None, Path(built))
        for mask in Mask.all():
            result = build_engine(plan, mask)
            folders.append(result.folder)
            m = result.manifest
            print(f"{mask}: {m.size / 1e6:.2f} MB, labels as fp32 {m.parity.agreement:.2%}", flush=True)
        shutil.rmtree(root / model, ignore_errors=True)
        copy(folders, root / model, weights=root)
    for path in unused(root, map(read_manifest, engines_in(root))):
        path.unlink()


def accuracy(model: Predictor, parts: Parts) -> dict[str, dict[str, object]]:
    """Each modality's figure on its held-out part."""
    found = {}
    for m, (_, held_out) in zip(Modality, (parts.text, parts.audio, parts.pose), strict=True):
        field, metric, data = FIGURES[m]
        value = getattr(evaluate(model, held_out, Mask.of([m])).scores, field)
        found[m.value] = {"value": round(value, 3), "metric": metric, "data": data}
    return found


def ship(root: Path, path: Path, model: str) -> None:
    """Everything for one model: from the run in `path`."""
    run = load_run(path)
    parts = read_parts(root, path.parent / "features", bands(run.config))
    assert run.tokenizer is not None, f"{path} has no tokenizer.json"
    shutil.copyfile(run.tokenizer, TOKENIZER)
    student = save_student(run, model_folder(model))
    data = calibration_set(parts, student.config, SAMPLES[model], TOKENIZER)
    # between medium's layers go outliers that one range a tensor cannot hold; its weights are 8 bits anyway
    told = partial(print, flush=True)  # it takes minutes
    spec = calibrate(student.network, data, model=model, weights_only=model != DEFAULT, progress=told)
    (model_folder(model) / "spec.json").write_text(spec.to_json(), encoding="utf-8")
    build_all(student, model, data, spec, ENGINES)
    leave_to_engines(model)
    engines = open_model(engines_of(model))
    figures = accuracy(engines, parts)
    accuracy_of(model).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    replace_block(HOUSE / "README.md", "figures", report.readme_table(report.read_accuracy()))
    # the run itself, not what was stored of it: so that the tables tell what storing costs, too
    floating = TorchPredictor(run.network, Collator(run.config, tokenizer_of(run.config, TOKENIZER)))
    for name, text in report.compare(floating, engines, parts).items():
        put_in_card(model, name, text)
        put_in_page("student", model, name, text)


def main(root: Path, run: Path, model: str = DEFAULT, speech: Path | None = None) -> None:
    torch.set_num_threads(2)
    ship(root, run, model)
    confidence.main(root, model)
    stress.main(root, model, speech)


if __name__ == "__main__":
    given = arguments_of(__doc__, "--speech", run=True)
    main(given.data, given.run, given.model, given.speech)
