"""The stress evaluation: does a companion that says nothing change the answer, and does one that agrees help?

    report = stress(recognizer, corpus, Modality.TEXT, conditions)

Every utterance goes through the recogniser as a user's would: arrays in, quality and dialogue included.
"""

from __future__ import annotations

import datetime
import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emoje_edge.dialogue import DialogueState
from emoje_edge.emotion import EMOTIONS
from emoje_edge.engine.manifest import FileEntry, read_manifest
from emoje_edge.engine.session import find_engine
from emoje_edge.errors import UsageError, nearest
from emoje_edge.evaluation.stress_conditions import ALONE, EMPTY, OWN, VARYING, Condition, Given, recorded
from emoje_edge.metrics import bootstrap, weighted_f1
from emoje_edge.modality import Mask, Modality
from emoje_edge.perception.audio import SAMPLE_RATE
from emoje_edge.recognizer import Recognizer
from emoje_edge.training.datasets import Corpus, Sample
from emoje_edge.training.labels import to_emotions

SEED = 20240210
NO_ANSWER = len(EMOTIONS)  # counts as a class that is never right


class Remembering(Recognizer):
    """A recogniser that computes features once of what it gets again: voices, motions and sounds recur."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._known: dict[tuple[Modality, bytes], Any] = {}

    def _features(self, modality: Modality, value: Any) -> Any:
        raw = value.encode() if isinstance(value, str) else np.ascontiguousarray(value).tobytes()
        key = modality, hashlib.blake2b(raw, digest_size=16).digest()
        if key not in self._known:
            self._known[key] = super()._features(modality, value)
        return self._known[key]


@dataclass(frozen=True)
class StressRow:
    """What became of the answers under one condition.

    Attributes:
        condition, says, kind: see `Condition`.
        utterances: labelled ones that had the companion; all figures are of them.
        answered: share of them that got an emotion.
        weighted_f1, interval: and its 95 % interval, resampling dialogues (actors, contents).
        uar: unweighted average recall.
        alone: weighted F1 of the same utterances without a companion.
        change, change_interval: weighted F1 against it, resampled in pairs.
        weights: mean share of each modality in the decision.
        follows: Spearman's correlation of the companion's weight with its signal-to-noise ratio, where that varies.
    """

    condition: str
    says: str
    kind: str
    utterances: int
    answered: float
    weighted_f1: float
    interval: tuple[float, float] | None
    uar: float
    alone: float
    change: float
    change_interval: tuple[float, float] | None
    weights: dict[str, float]
    follows: float | None


@dataclass(frozen=True)
class StressReport:
    """The table, and where it comes from.

    Attributes:
        dataset, base: the labelled set, and the modality that its utterances have.
        engines: digest of the engines' files.
        date: UTC.
        rows: one a condition.
        not_measured: condition -> why.
    """

    dataset: str
    base: str
    engines: str
    date: str
    rows: tuple[StressRow, ...]
    not_measured: dict[str, str]

    @property
    def worst(self) -> StressRow | None:
        """The condition that says nothing and costs most."""
        return min((r for r in self.rows if r.kind == EMPTY), key=lambda r: r.change, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        worst = self.worst
        return {**asdict(self), "worst": worst and {"condition": worst.condition, "change": worst.change}}


def choose(conditions: Sequence[Condition], names: str | None) -> tuple[list[Condition], dict[str, str]]:
    """Those that were asked for (by comma) or, without names, all that can be measured; and why others cannot.

    `alone` is always among them: the rest is compared with it.

    Raises:
        UsageError: an unknown name, or one that was asked for and lacks its material.
    """
    known = {c.name: c for c in conditions}
    wanted = [n.strip() for n in names.split(",") if n.strip()] if names is not None else list(known)
    for name in wanted:
        if name not in known:
            raise UsageError(f"unknown condition {name!r}", f"{nearest(name, known)}allowed here: {', '.join(known)}")
        if names is not None and known[name].lacks:
            hint = "give the folder that has it (--companions), or build the engine"
            raise UsageError(f"condition {name}: {known[name].lacks}", hint)
    chosen = [c for c in conditions if c.name in {*wanted, "alone"} and not c.lacks]
    return chosen, {c.name: c.lacks for c in conditions if c.name in wanted and c.lacks}


def with_engines(conditions: Sequence[Condition], base: Modality, recognizer: Recognizer) -> list[Condition]:
    """The conditions; one whose modalities no engine takes in together cannot be measured: it would cost nothing."""
    masks = [Mask.of([base, *c.adds]) for c in conditions]
    covered = {mask: recognizer.covers(mask) for mask in set(masks)}
    return [
        c if covered[mask] else replace(c, lacks=f"no engine of {mask}")
        for c, mask in zip(conditions, masks, strict=True)
    ]


def base_modality(corpus: Corpus, mask: Mask | None) -> Modality:
    """The modality that the utterances have: the one asked for, else the first that the set brings.

    Raises:
        UsageError: several, one that the set lacks, or features that were computed elsewhere.
    """
    brought = [m for m in Modality if any(m in s.modalities for s in corpus.samples)]
    if mask is not None and len(mask) != 1:
        raise UsageError(f"--mask {mask} for the stress table", "give the one modality that is always there")
    chosen = mask.modalities[0] if mask else next(iter(brought), None)
    if chosen not in brought:
        have = ", ".join(brought) or "nothing"
        raise UsageError(f"{corpus.name} brings {have}, not {chosen or 'any modality'}", "choose another --mask or set")
    example = next(recorded(s, chosen) for s in corpus.samples if chosen in s.modalities)
    shape = np.shape(example)
    if (chosen is Modality.AUDIO and len(shape) != 1) or (chosen is Modality.POSE and shape[1:] != (13, 3)):
        raise UsageError(
            f"{corpus.name} has {chosen} features of shape {list(shape)}, computed elsewhere",
            "the stress table needs recordings: sound, or landmarks [frames, 13, 3]",
        )
    return chosen


def stress(
    recognizer: Recognizer,
    corpus: Corpus,
    base: Modality,
    conditions: Sequence[Condition],
    *,
    engines: str,
    not_measured: dict[str, str] | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> StressReport:
    """Run every condition (the first is `alone`) over a corpus.

    Args:
        engines: digest of the engines that the recogniser uses.
        not_measured: conditions that there is no material for, and why; for the report.
        progress: called with each condition's words.

    Raises:
        UsageError: engines of other classes than the seven emotions, or nothing labelled.
    """
    if set(recognizer.labels) != set(EMOTIONS):
        raise UsageError(f"engines of {', '.join(recognizer.labels)}", f"conditions are made for {', '.join(EMOTIONS)}")
    corpus = to_emotions(corpus).keep(lambda s: base in s.modalities)
    if not any(s.label >= 0 for s in corpus.samples):
        raise UsageError(f"{corpus.name}: no labelled utterance with {base}", "the stress table needs labels")
    given = {id(s): recorded(s, base) for s in corpus.samples}
    rows: list[StressRow] = []
    alone: np.ndarray | None = None
    for condition in conditions:
        progress(condition.says)
        found = _Answers(recognizer, corpus, base, given, condition)
        alone = found.predicted if alone is None else alone
        rows.append(found.row(alone))
    kept = tuple(r for r in rows if r.utterances)
    empty = {r.condition: "no utterance has it" for r in rows if not r.utterances and r.kind != OWN}
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    return StressReport(corpus.name, base.value, engines, now, kept, {**(not_measured or {}), **empty})


class _Answers:
    """Every utterance of a corpus under one condition."""

    def __init__(
        self, recognizer: Recognizer, corpus: Corpus, base: Modality, given: dict[int, Any], condition: Condition
    ) -> None:
        self.corpus, self.condition = corpus, condition
        count = len(corpus)
        self.predicted = np.full(count, NO_ANSWER)
        self.weights = np.zeros((count, len(Modality)))
        self.snr = np.full(count, np.nan)
        self.has = np.zeros(count, bool)
        place = {id(s): i for i, s in enumerate(corpus.samples)}
        for dialogue in corpus.dialogues():
            state = DialogueState()
            for s in dialogue:
                i = place[id(s)]
                beside = condition.make(s, np.random.default_rng((SEED, zlib.crc32(condition.name.encode()), i)))
                self._take(i, beside, recognizer.recognize(**arguments(given[id(s)], base, beside, s), state=state))

    def _take(self, i: int, beside: Given, event: Any) -> None:
        self.has[i] = self.condition.kind == ALONE or bool(beside.features)
        if event.emotion is not None:
            self.predicted[i] = EMOTIONS.index(event.emotion)
        self.weights[i] = [event.weights.get(m.value, 0.0) for m in Modality]
        if beside.snr is not None:
            self.snr[i] = beside.snr

    def row(self, alone: np.ndarray) -> StressRow:
        labels = self.corpus.labels()
        rows = np.flatnonzero((labels >= 0) & self.has)
        labels, both = labels[rows], np.stack([self.predicted[rows], alone[rows]], 1)
        groups = [self.corpus.samples[i].block for i in rows]
        many = len(set(groups)) > 1
        c = self.condition
        f1, before = (weighted_f1(labels, both[:, k]) if len(rows) else 0.0 for k in (0, 1))
        return StressRow(
            c.name,
            c.says,
            c.kind,
            len(rows),
            float((both[:, 0] != NO_ANSWER).mean()) if len(rows) else 0.0,
            f1,
            bootstrap(labels, both[:, 0], groups) if many else None,
            _uar(labels, both[:, 0]),
            before,
            f1 - before,
            bootstrap(labels, both, groups, statistic=_difference) if many and c.kind != ALONE else None,
            {
                m.value: float(w)
                for m, w in zip(Modality, self.weights[rows].mean(0) if len(rows) else (), strict=False)
            },
            self._follows(rows) if c.kind == VARYING else None,
        )

    def _follows(self, rows: np.ndarray) -> float | None:
        from scipy.stats import spearmanr

        weight = self.weights[rows, list(Modality).index(self.condition.adds[0])]
        if len(rows) < 3 or not np.ptp(weight):
            return None
        return float(spearmanr(self.snr[rows], weight).statistic)


def arguments(value: Any, base: Modality, beside: Given, s: Sample) -> dict[str, Any]:
    """Keyword arguments of `Recognizer.recognize`."""
    parts = {base: value, **beside.features}
    given: dict[str, Any] = {m.value: x for m, x in parts.items()}
    if "audio" in given:
        given["audio"] = (given["audio"], SAMPLE_RATE)
    return {**given, "speaker": s.speaker or None}


def _difference(labels: np.ndarray, both: np.ndarray) -> float:
    return weighted_f1(labels, both[:, 0]) - weighted_f1(labels, both[:, 1])


def _uar(labels: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.mean([(predicted[labels == c] == c).mean() for c in np.unique(labels)])) if len(labels) else 0.0


def engines_digest(engine_dir: Path | None, backend: str = "onnx", *, model: str | None = None) -> str:
    """Twelve digits that tell one set of engines from another: of the hashes of all their files."""
    folders = [(mask, find_engine(mask, backend, engine_dir, model=model)) for mask in Mask.all()]
    files = [f"{mask} {f.name} {f.sha256}" for mask, at in folders if at for f in _all_files(at)]
    return hashlib.sha256("\n".join(files).encode()).hexdigest()[:12]


def _all_files(engine: Path) -> list[FileEntry]:
    manifest = read_manifest(engine)
    return [*manifest.files, *manifest.weights]


def cells(report: StressReport) -> list[list[str]]:
    """The table as words, its head first."""
    added = [m for m in Modality if any(r.weights[m.value] for r in report.rows)]
    head = ["beside it", "weighted F1", "95 %", "against alone", "95 %", "UA", *(f"{m} weighs" for m in added), "n"]
    return [head, *(_cells(r, added) for r in report.rows)]


def _cells(r: StressRow, added: Sequence[Modality]) -> list[str]:
    change, interval = r.change_interval, r.interval
    return [
        r.says,
        f"{r.weighted_f1:.3f}",
        f"{interval[0]:.3f}–{interval[1]:.3f}" if interval else "–",
        "" if r.kind == ALONE else f"{100 * r.change:+.1f}",
        f"{100 * change[0]:+.1f} to {100 * change[1]:+.1f}" if change else "",
        f"{r.uar:.3f}",
        *(f"{r.weights[m.value]:.2f}" for m in added),
        str(r.utterances),
    ]


def markdown(report: StressReport) -> str:
    """The table for a document, with what it was made of."""
    head, *rows = cells(report)
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    told = f"{report.dataset}, {report.base} given; engines {report.engines}, {report.date[:10]}."
    notes = [
        f"{r.says}: rank correlation of weight and signal-to-noise ratio {r.follows:+.2f}."
        for r in report.rows
        if r.follows is not None
    ]
    notes += [f"Not measured: {name} ({why})." for name, why in report.not_measured.items()]
    return "\n".join([told, "", lines[0], "|" + "---|" * len(head), *lines[1:], *([""] if notes else []), *notes])
