"""From a trained run to what ships: half-precision weights, quantisation spec, seven INT8 engines, and their figures.

    python -m research.recipes.ship DATA RUN

Writes emoje_edge/assets (student, engines, temperatures, accuracy.json, the tables of the model card), the spec that
ships, and the tables of docs/evidence/student.md and stress.md.  Calibrated and checked on utterances of the training
parts, put together at random.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from emoje_calibration.spec import Spec

from emoje_edge.engine.build import Plan, build_engine
from emoje_edge.engine.calibration_set import CalibrationSet, pad_rows
from emoje_edge.engine.quantization import calibrate
from emoje_edge.engine.weights import copy
from emoje_edge.modality import Mask, Modality
from emoje_edge.model import ModelConfig
from emoje_edge.shipped import ACCURACY, ASSETS, ENGINES, STUDENT
from emoje_edge.training.batching import Collator
from emoje_edge.training.checkpoint import Run, load_run
from emoje_edge.training.evaluate import evaluate, open_model
from emoje_edge.training.predict import Predictor, TorchPredictor
from emoje_edge.training.tokens import tokeniser
from research.evidence.tables import replace_block
from research.recipes import confidence, report, stress
from research.recipes.default import Parts, read_parts

HOUSE = Path(__file__).resolve().parents[2]
SPEC = HOUSE / "calibration" / "emoje_calibration" / "specs" / "student.json"
SAMPLES = 192  # utterances of the calibration set
FIGURES = {  # what `bench` and `info` show of each modality
    Modality.TEXT: ("weighted_f1", "weighted F1", "MELD dev"),
    Modality.AUDIO: ("uar", "UA", "RAVDESS actors 17-20"),
    Modality.POSE: ("uar", "UA", "Bandai, held-out contents"),
}


def calibration_set(parts: Parts, config: ModelConfig) -> CalibrationSet:
    """Lines, clips and motions of the training parts, drawn with a fixed seed; they need not belong together."""
    collate, g = Collator(config, tokeniser()), np.random.default_rng(0)
    rows: dict[Modality, list[np.ndarray]] = {}
    quality: dict[Modality, list[np.ndarray]] = {}
    for m, (corpus, _) in zip(Modality, (parts.text, parts.audio, parts.pose), strict=True):
        drawn = (corpus.samples[i] for i in g.permutation(len(corpus)))
        found = ((array, collate.quality(s, m)) for s in drawn if (array := collate.array(s, m)) is not None)
        rows[m], quality[m] = (list(x) for x in zip(*islice(found, SAMPLES), strict=True))
    return pad_rows(rows, config, SAMPLES, "meld+ravdess+bandai", quality=quality)


def save_student(run: Run, folder: Path) -> Run:
    """Weights in half precision, with their configuration; what is read back is what engines are made of."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    halves = {k: v.half() if v.is_floating_point() else v for k, v in run.network.state_dict().items()}
    save_file({k: v.contiguous() for k, v in halves.items()}, str(folder / "model.safetensors"))
    shutil.copyfile(run.path / "config.json", folder / "config.json")
    return load_run(folder)


def build_all(student: Run, data: CalibrationSet, spec: Spec, out: Path) -> None:
    """One INT8 ONNX engine a mask, in OUT/MASK, with each branch's weights once in OUT/weights."""
    with tempfile.TemporaryDirectory() as built:
        folders = []
        plan = Plan(student.network, "student", data, spec, "onnx", "int8", None, Path(built))
        for mask in Mask.all():
            result = build_engine(plan, mask)
            folders.append(result.folder)
            m = result.manifest
            print(f"{mask}: {m.size / 1e6:.2f} MB, labels as fp32 {m.parity.agreement:.2%}", flush=True)
        shutil.rmtree(out, ignore_errors=True)
        copy(folders, out)


def accuracy(model: Predictor, parts: Parts) -> dict[str, dict[str, object]]:
    """Each modality's figure on its held-out part."""
    found = {}
    for m, (_, held_out) in zip(Modality, (parts.text, parts.audio, parts.pose), strict=True):
        field, metric, data = FIGURES[m]
        value = getattr(evaluate(model, held_out, Mask.of([m])).scores, field)
        found[m.value] = {"value": round(value, 3), "metric": metric, "data": data}
    return found


def main(root: Path, run: Path) -> None:
    torch.set_num_threads(2)
    parts = read_parts(root, run / "features")
    student = save_student(load_run(run), STUDENT)
    data = calibration_set(parts, student.config)
    spec = calibrate(student.network, data, model="student")
    SPEC.write_text(spec.to_json(), encoding="utf-8")
    build_all(student, data, spec, ENGINES)
    engines = open_model(ENGINES)
    figures = accuracy(engines, parts)
    ACCURACY.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    replace_block(HOUSE / "README.md", "figures", report.readme_table(figures))
    floating = TorchPredictor(student.network, Collator(student.config, tokeniser()))
    tables = report.compare(floating, engines, parts)
    for name, text in tables.items():
        replace_block(ASSETS / "model_card.md", name, text)
        replace_block(HOUSE / "docs" / "evidence" / "student.md", name, text)
    confidence.main(root)
    stress.main(root)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
