"""What a text branch makes of words as people write, say and deny them.

    python -m research.evidence.wording DATA [RECOGNISED.jsonl …] -- MODEL …

MODEL is a run folder or a folder of engines, `shipped` for the engines of the package.  MELD's development split as it
is written, without marks, with `!` made `.`, without context, and as a recogniser wrote it down (RECOGNISED: JSON lines
with dialogue, utterance and text, made of synthetic speech by `research.words.recognise_meld`); then sentences,
negations and requests of our own (`evidence.lines`).  Prints one column a model.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from emoje_edge.emotion import EMOTIONS
from emoje_edge.evaluation.evaluate import open_model
from emoje_edge.metrics import score
from emoje_edge.modality import Mask
from emoje_edge.training.datasets import Corpus, Sample, open_dataset
from emoje_edge.training.predict import Missing, Predictor
from research.augmentation.rewording import without_marks
from research.evidence.lines import NEGATED, PLAIN, REQUESTS

WORDS_ALONE = Missing(mask=Mask.parse("text"))
OUT_OF_CONTEXT = replace(WORDS_ALONE, context=False)


def reworded(corpus: Corpus, change: Callable[[str], str]) -> Corpus:
    return replace(corpus, samples=tuple(replace(s, text=change(s.text or "") or None) for s in corpus.samples))


def recognised(corpus: Corpus, path: Path) -> Corpus:
    """The corpus in the words of a recogniser; a line that it did not hear has none."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    heard = {f"dev{row['dialogue']}#{row['utterance']}": row["text"].strip() or None for row in rows}
    return replace(corpus, samples=tuple(replace(s, text=heard[s.uid]) for s in corpus.samples))


def sentences() -> Corpus:
    """The plain sentences, each a dialogue of its own."""
    lines = [(name, line) for name, group in PLAIN.items() for line in group]
    samples = (Sample(f"line{i}", 0, EMOTIONS.index(name), text=line) for i, (name, line) in enumerate(lines))
    return Corpus("plain sentences", EMOTIONS, tuple(samples))


def negations() -> Corpus:
    return Corpus("negations", EMOTIONS, tuple(Sample(f"not{i}", 0, text=line) for i, line in enumerate(NEGATED)))


def requests() -> Corpus:
    return Corpus("requests", EMOTIONS, tuple(Sample(f"please{i}", 0, text=line) for i, line in enumerate(REQUESTS)))


def figures(model: Predictor, dev: Corpus, heard: Sequence[Path]) -> dict[str, float]:
    """Every figure of one model: weighted F1 on MELD, macro F1 on sentences, the share of negations understood."""

    def weighted(corpus: Corpus, missing: Missing = WORDS_ALONE) -> float:
        found = model.predict(corpus, missing).labelled()
        return score(found.labels, found.probabilities, EMOTIONS).weighted_f1

    found = {
        "MELD dev": weighted(dev),
        "without marks": weighted(reworded(dev, without_marks)),
        "`!` made `.`": weighted(reworded(dev, lambda text: text.replace("!", "."))),
        "without context": weighted(dev, OUT_OF_CONTEXT),
    }
    found |= {f"recognised ({path.stem.rpartition('_')[2]})": weighted(recognised(dev, path)) for path in heard}
    plain = model.predict(sentences(), OUT_OF_CONTEXT)
    found["plain sentences, macro F1"] = score(plain.labels, plain.probabilities, EMOTIONS).macro_f1
    said = model.predict(negations(), OUT_OF_CONTEXT).probabilities.argmax(1)
    right = [EMOTIONS[c] in ("neutral", *also.split()) for c, also in zip(said, NEGATED.values(), strict=True)]
    found["negations, right or neutral"] = float(np.mean(right))
    asked = model.predict(requests(), OUT_OF_CONTEXT).probabilities.argmax(1)
    found["requests, neutral"] = float(np.mean(asked == EMOTIONS.index("neutral")))
    return found


def main(root: Path, heard: Sequence[Path], models: Sequence[str]) -> None:
    dev = open_dataset("meld", root / "meld").split("dev")
    columns = {name: figures(open_model(None if name == "shipped" else Path(name)), dev, heard) for name in models}
    print(f"| what | {' | '.join(Path(name).name for name in models)} |\n|---|{'---|' * len(models)}")
    for what in next(iter(columns.values())):
        print(f"| {what} | {' | '.join(f'{column[what]:.3f}' for column in columns.values())} |")


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    cut = sys.argv.index("--")
    main(Path(sys.argv[1]), [Path(p) for p in sys.argv[2:cut]], sys.argv[cut + 1 :])
