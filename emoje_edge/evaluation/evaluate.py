"""Evaluation: one table for a checkpoint or for engines, whole or with modalities taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.engine.family import family, is_name
from emoje_edge.engine.manifest import FILE_NAME
from emoje_edge.errors import UsageError
from emoje_edge.evaluation.temperature import fit_temperature
from emoje_edge.metrics import Scores, bootstrap, score
from emoje_edge.modality import Mask, Modality
from emoje_edge.model.config import ModelConfig, VectorEncoder
from emoje_edge.model.network import input_shape
from emoje_edge.shapes import BANDS, WHISPER_BANDS
from emoje_edge.training import text_teacher
from emoje_edge.training.batching import Collator
from emoje_edge.training.checkpoint import load_run
from emoje_edge.training.datasets.base import Corpus
from emoje_edge.training.labels import fit_classes
from emoje_edge.training.masking import MISSING_RATES
from emoje_edge.training.predict import Missing, Predictor, TorchPredictor
from emoje_edge.training.tokens import tokenizer_of

SEEDS = (0, 1, 2)


def bands(config: ModelConfig) -> int:
    """Of the sound feature that a model takes: 80 where it hears by a Whisper encoder, else 64."""
    shape = input_shape(config, Modality.AUDIO) if config.audio else ()
    return shape[-1] if shape and shape[-1] == WHISPER_BANDS else BANDS


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        mask: what may be used.
        scores: mean over seeds where modalities go missing at random.
        interval: 95 % interval of the weighted F1, resampling groups; None for random missing rates.
        missing_rate, deviation: share dropped at random, and the weighted F1's deviation over seeds.
        weights: mean share of text, audio, pose in the decision.
    """

    mask: Mask
    scores: Scores
    interval: tuple[float, float] | None
    weights: tuple[float, ...]
    missing_rate: float = 0.0
    deviation: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        row: dict[str, Any] = {"mask": str(self.mask), **self.scores.to_dict()}
        row["utterances"] = sum(self.scores.support.values())
        row["weights"] = {m.value: round(w, 4) for m, w in zip(Modality, self.weights, strict=True) if m in self.mask}
        if self.interval:
            row["weighted_f1_95"] = list(self.interval)
        if self.missing_rate:
            row |= {"missing_rate": self.missing_rate, "seeds": list(SEEDS), "weighted_f1_deviation": self.deviation}
        return row


def open_model(path: Path | str | None, *, backend: str = "onnx", threads: int | None = None) -> Predictor:
    """The engines of a model by its name (None: `small`), a folder of engines, a run folder or a text teacher.

    Raises:
        UsageError: neither.
        WorkError: damaged.
    """
    from emoje_edge.evaluation.engine_predictor import EnginePredictor

    if path is None or is_name(path):
        return EnginePredictor(model=None if path is None else str(path), backend=backend, threads=threads)
    folder = Path(path)
    if (folder / text_teacher.FILE).is_file():
        return text_teacher.load_teacher(folder)
    if (folder / "config.json").is_file():
        run = load_run(folder)
        return TorchPredictor(run.network, Collator(run.config, tokenizer_of(run.config, run.tokenizer)))
    if folder.is_dir() and next(folder.rglob(FILE_NAME), None):
        return EnginePredictor(folder, backend=backend, threads=threads)
    raise UsageError(
        f"{folder} holds neither a run (config.json) nor engines ({FILE_NAME})",
        f"give what `emoje-edge train --out` or `build --out` wrote, or a model: {', '.join(family())}",
    )


def usable_mask(corpus: Corpus, model: Predictor) -> Mask:
    """The modalities that the corpus has for this model.

    Raises:
        UsageError: none.
    """
    usable = {m for s in corpus.samples for m in s.modalities if m in model.mask and _fits(s.features, m, model)}
    if not usable:
        have = sorted({m.value for s in corpus.samples for m in s.modalities})
        raise UsageError(
            f"{corpus.name} brings {', '.join(have) or 'nothing'}; the model takes {model.mask}",
            "evaluate a model that was trained on such features (--model RUN)",
        )
    return Mask.of(usable)


def _fits(features: Any, m: Modality, model: Predictor) -> bool:
    """Vectors computed elsewhere do not fit an encoder of words; words do not fit one of vectors."""
    encoder = model.collator.config.encoder(m)
    return m is not Modality.TEXT or not isinstance(encoder, VectorEncoder) or m in features


def evaluate(model: Predictor, corpus: Corpus, mask: Mask | None = None, *, context: bool = True) -> Row:
    """Score a model on a corpus under one mask (default: all that the corpus brings).

    Raises:
        UsageError: nothing in common, foreign classes, or no labelled utterance.
    """
    corpus = fit_classes(corpus, model.classes)
    have = usable_mask(corpus, model)
    used = have if mask is None else have & mask
    if used is None:
        raise UsageError(f"mask {mask}: {corpus.name} brings only {have} here", "choose a mask that overlaps")
    return _row(model, corpus, used, Missing(used, context=context))


def fit(model: Predictor, corpus: Corpus, mask: Mask | None = None, *, context: bool = True) -> dict[Mask, float]:
    """The temperature of a mask, or of all masks that the corpus can fill; the corpus must be one not trained on.

    Raises:
        UsageError: as for `evaluate`.
    """
    corpus = fit_classes(corpus, model.classes)
    have = usable_mask(corpus, model)
    found = {}
    for used in [mask] if mask else [m for m in Mask.all() if m.issubset(have)]:
        p = model.predict(corpus, Missing(used & have, context=context)).labelled()
        found[used] = fit_temperature(p.labels, p.logits)
    return found


def evaluate_all(
    model: Predictor, corpus: Corpus, *, rates: Sequence[float] = MISSING_RATES, context: bool = True
) -> Iterator[Row]:
    """Every mask that the corpus can fill, then random missing rates (mean of fixed seeds)."""
    corpus = fit_classes(corpus, model.classes)
    have = usable_mask(corpus, model)
    for mask in Mask.all():
        if mask.issubset(have):
            yield _row(model, corpus, mask, Missing(mask, context=context))
    for rate in rates if len(have) > 1 else ():
        rows = [_row(model, corpus, have, Missing(have, rate, seed, context), interval=False) for seed in SEEDS]
        yield _mean(rows, rate)


def _row(model: Predictor, corpus: Corpus, mask: Mask, missing: Missing, *, interval: bool = True) -> Row:
    p = model.predict(corpus, missing).labelled()
    scores = score(p.labels, p.probabilities, model.classes)
    groups = [s.block for s in p.samples]
    many = interval and len(set(groups)) > 1
    return Row(
        mask,
        scores,
        bootstrap(p.labels, p.probabilities.argmax(1), groups) if many else None,
        tuple(float(w) for w in p.weights.mean(0)),
    )


def _mean(rows: list[Row], rate: float) -> Row:
    """Mean scores over seeds; the confusion matrix is their sum."""
    all_scores = [r.scores for r in rows]
    plain = ("weighted_f1", "macro_f1", "accuracy", "uar", "ece")
    scores = Scores(
        **{name: float(np.mean([getattr(s, name) for s in all_scores])) for name in plain},  # type: ignore[arg-type]
        per_class_f1={c: float(np.mean([s.per_class_f1[c] for s in all_scores])) for c in all_scores[0].per_class_f1},
        support=all_scores[0].support,
        confusion=np.sum([s.confusion for s in all_scores], 0).tolist(),
    )
    weights = tuple(float(x) for x in np.mean([r.weights for r in rows], 0))
    deviation = float(np.std([s.weighted_f1 for s in all_scores]))
    return Row(rows[0].mask, scores, None, weights, rate, deviation)


def draw_confusion(scores: Scores, path: Path) -> None:
    """A picture of the confusion matrix: shares of each true class, with counts."""
    from matplotlib.figure import Figure

    counts = np.array(scores.confusion)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    names = list(scores.support)
    figure = Figure(figsize=(1.6 + 0.7 * len(names),) * 2, layout="constrained")
    axis = figure.subplots()
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(*counts.shape):
        axis.text(j, i, str(counts[i, j]), ha="center", va="center", color="white" if shares[i, j] > 0.5 else "black")
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="predicted", ylabel="true", title=f"weighted F1 {scores.weighted_f1:.3f}  UAR {scores.uar:.3f}")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
