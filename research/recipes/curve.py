"""What size and time buy: bytes, milliseconds and accuracy of counted words, small, medium and the teacher.

    python -m research.recipes.curve DATA [--teacher TARGETS --encoder ENCODER] [--seeds small=RUN,RUN …]
                                          [--folds small=OUT …]

Weighted F1 on MELD's development part, with its 95 % interval over dialogues; milliseconds from a line's words to its
probabilities, one line after the other on one thread; bytes of what a device keeps for words.  TARGETS holds the
teachers of `recipes.teacher`.  RUNs are text branches of other seeds (`recipes.minilm`): their mean and deviation.  OUT
holds folds of RAVDESS (`recipes.audio`, `recipes.ears_branch`): recall with 0 and 8 past clips of the speaker, eight
classes.  What is not given is not in the table.  Writes docs/evidence/curve.md (the block `curve`) and
docs/pictures/curve.svg and .png.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emoje_edge.dialogue import DialogueState
from emoje_edge.engine.family import family
from emoje_edge.engine.manifest import read_manifest
from emoje_edge.evaluation.evaluate import evaluate, open_model
from emoje_edge.metrics import bootstrap, weighted_f1
from emoje_edge.modality import Mask
from emoje_edge.recognizer import Recognizer
from emoje_edge.shipped import TOKENIZER, engines_of
from emoje_edge.training.datasets import Corpus, open_dataset
from research.evidence.tables import markdown, replace_block
from research.recipes.pages import HOUSE

TEXT = Mask.parse("text")
TIMED = 300  # lines, after WARM_UP others
WARM_UP = 20
TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500)  # of MB and ms
PASTS = (0, 8)  # clips of the speaker heard before


@dataclass(frozen=True)
class Point:
    """One system.

    Attributes:
        name: as the table shows it.
        size: bytes on the device.
        ms: median of a line.
        f1, interval: on MELD's development part, and 95 % over its dialogues.
        seeds: weighted F1 of runs with other seeds.
        recall: of RAVDESS' folds, by the number of past clips; empty where nothing is heard.
    """

    name: str
    size: int
    ms: float
    f1: float
    interval: tuple[float, float] | None
    seeds: tuple[float, ...] = ()
    recall: tuple[tuple[float, ...], ...] = ()


def milliseconds(answer: Callable[[str], object], lines: Sequence[str]) -> float:
    """Median time of an answer to one line after the other."""
    times = []
    for number, line in enumerate(lines[: WARM_UP + TIMED]):
        begin = time.perf_counter()
        answer(line)
        if number >= WARM_UP:
            times.append((time.perf_counter() - begin) * 1e3)
    return float(np.median(times))


def lines_of(corpus: Corpus) -> list[str]:
    return [s.text or "" for s in corpus.samples]


def scored(corpus: Corpus, labels: NDArray[np.int64]) -> tuple[float, tuple[float, float]]:
    """Weighted F1 and its interval of one label a sample."""
    found = weighted_f1(corpus.labels(), labels)
    return found, bootstrap(corpus.labels(), labels, [s.block for s in corpus.samples])


def counted_words(train: Corpus, dev: Corpus) -> Point:
    """Words and runs of letters, counted and weighed (TF-IDF), and a logistic regression: no context, no network."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    counts = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, max_features=50_000),
    )
    model = make_pipeline(counts, LogisticRegression(C=3.0, class_weight="balanced", max_iter=400))
    model.fit(lines_of(train), train.labels())
    f1, interval = scored(dev, model.predict(lines_of(dev)))
    model[-1].coef_ = model[-1].coef_.astype(np.float32)  # as small as it can be kept
    ms = milliseconds(lambda line: model.predict_proba([line]), lines_of(dev))
    return Point("counted words", len(pickle.dumps(model)), ms, f1, interval)


def engine(name: str, dev: Corpus) -> Point:
    """A model of the family: its engine for words, with the dialogue."""
    manifest = read_manifest(engines_of(name) / TEXT.folder)
    row = evaluate(open_model(engines_of(name), threads=1), dev, TEXT)
    state = DialogueState()
    with Recognizer(TEXT, engine_dir=engines_of(name), threads=1, words="off") as recognizer:
        ms = milliseconds(lambda line: recognizer.recognize(text=line, state=state), lines_of(dev))
    return Point(name, manifest.size + TOKENIZER.stat().st_size, ms, row.scores.weighted_f1, row.interval)


def teacher(targets: Path, encoder: str, dev: Corpus) -> Point:
    """The teachers together: each saw half of MELD, and reads six utterances before."""
    from research.recipes.teacher import Teacher, predict_logits

    teachers = []
    for path in sorted(targets.glob("teacher-*.pt")):
        teachers.append(Teacher(encoder))
        teachers[-1].load_state_dict(torch.load(path, weights_only=True))
        teachers[-1].eval()
    f1, interval = scored(dev, predict_logits(teachers, dev)[0].argmax(1).numpy())
    windows = dict(zip(lines_of(dev), teachers[0].windows(dev), strict=True))

    @torch.no_grad()
    def answer(line: str) -> None:
        for one in teachers:
            one.heads[0](one.describe([windows[line]]))

    size = 4 * sum(p.numel() for one in teachers for p in one.parameters())
    return Point(f"{len(teachers)} teachers", size, milliseconds(answer, lines_of(dev)), f1, interval)


def of_folds(folder: Path) -> tuple[tuple[float, ...], ...]:
    """Recall of each fold in OUT/fold*/held_out.json, by the number of past clips."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("fold*/held_out.json"))]
    return tuple(tuple(row[f"past {n}"] for row in rows) for n in PASTS)


def table(points: Sequence[Point]) -> str:
    """Markdown, a row a system."""
    heard = [f"RAVDESS, {n} past clips" for n in PASTS]
    rows = [["", "MB", "ms a line", "MELD dev", "95 %", "over seeds", *heard]]
    for p in points:
        interval = f"{p.interval[0]:.3f}–{p.interval[1]:.3f}" if p.interval else ""
        seeds = f"{np.mean(p.seeds):.3f} ± {np.std(p.seeds, ddof=1):.3f} ({len(p.seeds)})" if len(p.seeds) > 1 else ""
        recall = [f"{np.mean(x):.3f} ± {np.std(x):.3f}" for x in p.recall] or ["", ""]
        rows.append([p.name, f"{p.size / 1e6:.1f}", f"{p.ms:.2f}", f"{p.f1:.3f}", interval, seeds, *recall])
    return markdown(rows)


def picture(points: Sequence[Point], folder: Path) -> None:
    """curve.svg and curve.png: accuracy over bytes, and over milliseconds."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axis, values, label in zip(
        figure.subplots(1, 2, sharey=True),
        ([p.size / 1e6 for p in points], [p.ms for p in points]),
        ("MB on the device", "ms a line, one thread"),
        strict=True,
    ):
        for p, x in zip(points, values, strict=True):
            low, high = p.interval or (p.f1, p.f1)
            axis.errorbar(x, p.f1, [[p.f1 - low], [high - p.f1]], fmt="o", capsize=3)
            axis.annotate(p.name, (x, p.f1), xytext=(6, 6), textcoords="offset points")
        axis.set(xscale="log", xlabel=label)
        axis.set_xticks(ticks := [t for t in TICKS if min(values) / 2 < t < 2 * max(values)], map(str, ticks))
        axis.minorticks_off()
        axis.margins(x=0.25)
        axis.grid(alpha=0.3)
    figure.axes[0].set_ylabel("weighted F1, MELD dev")
    folder.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.hashsalt": "curve"}):  # the same figures, the same file
        figure.savefig(folder / "curve.svg", metadata={"Date": None})
    figure.savefig(folder / "curve.png", dpi=110)


def measure(given: argparse.Namespace) -> list[Point]:
    """A point a system that there is."""
    meld = open_dataset("meld", given.data / "meld")
    train, dev = meld.split("train"), meld.split("dev")
    points = [counted_words(train, dev)]
    for name in family():
        found = engine(name, dev)
        seeds = tuple(evaluate(open_model(run), dev, TEXT).scores.weighted_f1 for run in given.seeds.get(name, ()))
        recall = of_folds(given.folds[name][0]) if name in given.folds else ()
        points.append(Point(**{**vars(found), "seeds": seeds, "recall": recall}))
    if given.teacher:
        points.append(teacher(given.teacher, given.encoder, dev))
    return points


def _named(text: str) -> tuple[str, list[Path]]:
    name, _, folders = text.partition("=")
    return name, [Path(folder) for folder in folders.split(",")]


def main(arguments: Sequence[str] | None = None, page: Path | None = None, pictures: Path | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--encoder")
    for option in ("--seeds", "--folds"):
        parser.add_argument(option, type=_named, nargs="*", default=[])
    given: Any = parser.parse_args(arguments)
    if bool(given.teacher) != bool(given.encoder):
        parser.error("--teacher and --encoder belong together")
    given.seeds, given.folds = dict(given.seeds), dict(given.folds)
    torch.set_num_threads(1)
    points = measure(given)
    replace_block(page or HOUSE / "docs" / "evidence" / "curve.md", "curve", table(points))
    picture(points, pictures or HOUSE / "docs" / "pictures")
    print(table(points))


if __name__ == "__main__":
    main()
