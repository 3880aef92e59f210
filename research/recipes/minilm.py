"""Text branches that start from all-MiniLM-L6-v2, small and medium: not shipped yet, figures in docs/evidence/text.md.

    python -m research.recipes.minilm words  SIZE DATA ENCODER TOKENIZER OUT
    python -m research.recipes.minilm says   DATA RUN OUT
    python -m research.recipes.minilm distil DATA WORDS_RUN TARGETS OUT

ENCODER is the folder of the sentence encoder (`recipes.pretrained`), TOKENIZER what `recipes.minilm_tokeniser` wrote.
`words` learns from MELD, comments of GoEmotions and plain sentences (`recipes.plain`); `says` writes down what any text
run makes of all lines; `distil` goes on from a `words` run with that.  Half of all lines are read with other marks or
none, a fifth with words lost or taken for others (`training.wording`).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from emoje_edge.emotion import EMOTIONS
from emoje_edge.model import AmEmoje, ModelConfig, TextEncoder
from emoje_edge.training.checkpoint import Run, load_run
from emoje_edge.training.config import TrainConfig
from emoje_edge.training.datasets import UNLABELLED, Corpus, open_dataset
from emoje_edge.training.evaluate import open_model
from emoje_edge.training.objective import Targets
from emoje_edge.training.plan import begin
from emoje_edge.training.rewrite import rewritten
from emoje_edge.training.tokens import tokeniser_of
from emoje_edge.training.trainer import Materials, train
from emoje_edge.training.wording import as_spoken
from research.recipes import pretrained
from research.recipes.plain import sentences

SMALL = TextEncoder(vocabulary=10752, tokens=40, width=384, layers=1, heads=12, embedding=256, post_norm=True)
MEDIUM = replace(SMALL, layers=6, embedding=0)
ENCODERS = {"small": SMALL, "medium": MEDIUM}
WORDS = TrainConfig(
    epochs=3,
    batch_utterances=64,
    learning_rate=1e-3,
    encoder_rate=0.3,
    weight_decay=0.01,
    focal_gamma=0.0,
    smoothing=0.05,
    nce=0.0,
    joint=0.0,
    soft=0.5,
    imbalance=0.2,
    patience=0,
    precision="native",
    average=0.999,
    threads=1,
)
# six layers come with more, and are moved less; their token table stays
WORDS_MEDIUM = replace(WORDS, encoder_rate=0.12, imbalance=0.0, average=0.997, smoothing=0.07, soft=0.3)
DISTIL = replace(WORDS, epochs=2, imbalance=0.0, average=0.998, smoothing=0.0, focal=0.3, soft=1.0)
TABLE = ("encoders.text.embedding",)


def model(size: str) -> ModelConfig:
    """The text branch as a network of its own."""
    return ModelConfig(text=ENCODERS[size], audio=None, pose=None, cross_layers=0, dropout=0.1)


def corpora(root: Path) -> tuple[Corpus, Corpus, Corpus]:
    """MELD's and GoEmotions' training splits and MELD's development split."""
    meld, comments = open_dataset("meld", root / "meld"), open_dataset("goemotions", root / "goemotions")
    return meld.split("train"), comments.split("train"), meld.split("dev")


def unlabelled(root: Path, meld: Corpus) -> tuple[Corpus, ...]:
    """EmoryNLP's training scenes without their labels (its classes are others), and MELD rewritten once."""
    emory = open_dataset("emorynlp", root / "emorynlp", split="train")
    scenes = (replace(s, label=UNLABELLED, speaker=s.speaker.partition(" ")[0]) for s in emory.samples if s.text)
    return Corpus("emorynlp", EMOTIONS, tuple(scenes)), rewritten(meld, copies=1, seed=0)


def alone(corpus: Corpus) -> Corpus:
    """Each line as a dialogue of its own: what it says without those before."""
    samples = tuple(replace(s, dialogue=s.uid, index=0, group=s.block) for s in corpus.samples)
    return Corpus(f"{corpus.name}-alone", corpus.classes, samples)


def some(corpus: Corpus, count: int, *, longest: int = 90) -> Corpus:
    """`count` labelled samples of at most `longest` letters, the same ones each time, a quarter of a class at most."""
    corpus = corpus.keep(lambda s: len(s.text or "") <= longest)
    order = np.random.default_rng(0).permutation(len(corpus))
    labels = corpus.labels()[order]
    fair = [order[labels == label][: count // 4] for label in range(len(corpus.classes))]
    chosen = set(np.concatenate(fair).tolist())
    return replace(corpus, samples=tuple(corpus.samples[i] for i in order if i in chosen)[:count])


def words(root: Path, size: str, encoder: Path, tokenizer: Path, out: Path) -> Run:
    """From the sentence encoder, on labels."""
    meld, comments, dev = corpora(root)
    medium = size == "medium"
    plain, targets = sentences(2000 if medium else 3000, seed=0)
    torch.manual_seed(0)
    initial = AmEmoje(model(size)).state_dict() | pretrained.start(encoder, tokenizer, ENCODERS[size])
    lines = [some(comments, 5000, longest=70)] if medium else [alone(meld), some(comments, 12_000)]
    materials = Materials(
        Corpus.join([meld, *lines, plain], "text"),
        dev,
        tokeniser_of(model(size), tokenizer),
        tokenizer,
        reword=as_spoken(s.text for s in meld.samples if s.text),
        targets=targets,
        initial=initial,
        frozen=TABLE if medium else (),
    )
    return train(model(size), WORDS_MEDIUM if medium else WORDS, materials, out, quiet=True)


def says(root: Path, run: Path, out: Path) -> None:
    """What a text run makes of every line of `distil`, as npz: `uid`, `logits` [N, 7]."""
    predictor = open_model(run)
    meld, comments, _ = corpora(root)
    out.mkdir(parents=True, exist_ok=True)
    for corpus in (meld, alone(meld), some(comments, 8000), *unlabelled(root, meld)):
        found = predictor.predict(corpus).logits.astype(np.float64)
        log_p = found - np.logaddexp.reduce(found, axis=1, keepdims=True)
        uids = np.array([f"{corpus.name}/{s.uid}" for s in corpus.samples])
        np.savez(out / f"{corpus.name}.npz", uid=uids, logits=log_p.astype(np.float32))


def read_targets(folder: Path, also: Targets) -> Targets:
    """What `says` wrote, and the targets of made sentences."""
    rows, logits = dict(also.rows), [also.logits]
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            first = sum(map(len, logits))
            rows |= {str(uid): first + i for i, uid in enumerate(file["uid"])}
            logits.append(torch.from_numpy(file["logits"]))
    return Targets(rows, torch.cat(logits))


def distil(root: Path, start: Path, targets: Path, out: Path) -> Run:
    """From a `words` run, on labels and on what another run said."""
    meld, comments, dev = corpora(root)
    plain, made = sentences(2500, seed=1)
    run = load_run(start)
    lines = [meld, alone(meld), some(comments, 5000), plain, *unlabelled(root, meld)]
    materials = Materials(
        Corpus.join(lines, "text"),
        dev,
        tokeniser_of(run.config, run.tokenizer),
        run.tokenizer,
        reword=as_spoken(s.text for s in meld.samples if s.text),
        targets=read_targets(targets, made),
        initial=begin(run.config, run.network, meld, seed=0),
    )
    return train(run.config, DISTIL, materials, out, quiet=True)


def main(stage: str, *given: str) -> None:
    if stage == "words":
        root, encoder, tokenizer, out = map(Path, given[1:])
        words(root, given[0], encoder, tokenizer, out)
    elif stage == "says":
        root, run, out = map(Path, given)
        says(root, run, out)
    else:
        root, start, targets, out = map(Path, given)
        distil(root, start, targets, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
