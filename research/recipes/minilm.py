"""The text branches that ship, small and medium: from a sentence encoder, on labels and on the teachers' word.

    python -m research.recipes.minilm SIZE DATA ENCODER TOKENIZER TARGETS OUT [SEED]
    python -m research.recipes.minilm settle DATA RUN TARGETS OUT

ENCODER is the folder of all-MiniLM-L6-v2 (`recipes.pretrained`), TOKENIZER what `recipes.minilm_tokenizer` wrote,
TARGETS what `recipes.teacher` says of MELD in context and line by line, of comments, of EmoryNLP's scenes and of MELD
rewritten.  The teachers read lines as they stand; the student reads half of them with other marks or none, a fifth with
words lost or taken for others (`augmentation.rewording`), and learns to say the same.  Plain sentences
(`recipes.plain`) have their targets by rule.  `settle` goes on with a medium branch, on MELD's labels.
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
from emoje_edge.training.datasets import UNLABELLED, Corpus, open_dataset
from emoje_edge.training.objective import Targets
from emoje_edge.training.tokens import tokenizer_of
from emoje_edge.training.train_config import TrainConfig
from emoje_edge.training.trainer import Materials, train
from research.augmentation.rewording import as_spoken
from research.augmentation.rewrite import rewritten
from research.recipes import pretrained
from research.recipes.plain import sentences

SMALL = TextEncoder(vocabulary=10752, tokens=40, width=384, layers=1, heads=12, embedding=256, post_norm=True)
MEDIUM = replace(SMALL, layers=6, embedding=0)
ENCODERS = {"small": SMALL, "medium": MEDIUM}
DISTIL = TrainConfig(
    epochs=4,
    batch_utterances=64,
    learning_rate=1e-3,
    encoder_rate=0.3,
    weight_decay=0.01,
    focal=0.4,
    focal_gamma=0.0,
    smoothing=0.05,
    nce=0.0,
    joint=0.0,
    soft=1.0,
    soft_temperature=1.5,
    patience=0,
    precision="native",
    average=0.998,
    threads=1,
)
# six layers come with more, and are moved less; their token table stays
DISTIL_MEDIUM = replace(DISTIL, epochs=2, encoder_rate=0.12)
SETTLE = replace(
    DISTIL, epochs=2, learning_rate=6e-4, encoder_rate=0.12, focal=1.0, smoothing=0.07, soft=0.3, average=0.997
)
TABLE = ("encoders.text.embedding",)
COMMENTS, LONGEST, PLAIN = 12_000, 90, 4000  # half of them for medium, which learns as much from fewer


def model(size: str) -> ModelConfig:
    """The text branch as a network of its own."""
    return ModelConfig(text=ENCODERS[size], audio=None, pose=None, cross_layers=0, dropout=0.1)


def unlabelled(root: Path, meld: Corpus) -> tuple[Corpus, ...]:
    """EmoryNLP's training scenes without their labels (its classes are others), and MELD rewritten once."""
    emory = open_dataset("emorynlp", root / "emorynlp", split="train")
    scenes = (replace(s, label=UNLABELLED, speaker=s.speaker.partition(" ")[0]) for s in emory.samples if s.text)
    return Corpus("emorynlp", EMOTIONS, tuple(scenes)), rewritten(meld, copies=1, seed=0)


def alone(corpus: Corpus) -> Corpus:
    """Each line as a dialogue of its own: what it says without those before."""
    samples = tuple(replace(s, dialogue=s.uid, index=0, group=s.block) for s in corpus.samples)
    return Corpus(f"{corpus.name}-alone", corpus.classes, samples)


def subsample(corpus: Corpus, count: int, *, longest: int = LONGEST) -> Corpus:
    """`count` samples of at most `longest` letters, the same ones each time, a quarter of a class at most."""
    corpus = corpus.keep(lambda s: s.label >= 0 and len(s.text or "") <= longest)
    order = np.random.default_rng(0).permutation(len(corpus))
    labels = corpus.labels()[order]
    fair = [order[labels == label][: count // 4] for label in range(len(corpus.classes))]
    chosen = set(np.concatenate(fair).tolist())
    return replace(corpus, samples=tuple(corpus.samples[i] for i in order if i in chosen)[:count])


def unjudged(corpus: Corpus) -> Corpus:
    """Without labels: what people call neutral in comments is not what MELD does, so the teachers alone judge them."""
    return replace(corpus, samples=tuple(replace(s, label=UNLABELLED) for s in corpus.samples))


def read_targets(folder: Path, also: Targets) -> Targets:
    """What the teachers wrote, and the targets of made sentences."""
    rows, logits = dict(also.rows), [also.logits]
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            first = sum(map(len, logits))
            rows |= {str(uid): first + i for i, uid in enumerate(file["uid"])}
            logits.append(torch.from_numpy(file["logits"]))
    return Targets(rows, torch.cat(logits))


def distill(
    size: str,
    root: Path,
    encoder: Path,
    tokenizer: Path,
    targets: Path,
    out: Path,
    *,
    seed: int = 0,
    resume: bool = False,
    quick: bool = False,
) -> Run:
    """The branch of one size, as a run of its own; `quick`: one epoch of a few lines, to see that it runs."""
    meld, comments = (open_dataset(name, root / name) for name in ("meld", "goemotions"))
    lines, dev = meld.split("train"), meld.split("dev")
    share = 2 if size == "medium" else 1
    plain, made = sentences(PLAIN // share, seed=seed)
    others = unjudged(subsample(comments.split("train"), COMMENTS // share))
    scenes = unlabelled(root, lines)[: 1 if size == "medium" else 2]
    everything = Corpus.join([lines, alone(lines), others, plain, *scenes], "text")
    if quick:
        everything, dev = (replace(corpus, samples=corpus.samples[:240]) for corpus in (everything, dev))
    torch.manual_seed(seed)
    materials = Materials(
        everything,
        dev,
        tokenizer_of(model(size), tokenizer),
        tokenizer,
        reword=as_spoken(s.text for s in lines.samples if s.text),
        targets=read_targets(targets, made),
        initial=AmEmoje(model(size)).state_dict() | pretrained.start(encoder, tokenizer, ENCODERS[size]),
        frozen=TABLE if size == "medium" else (),
    )
    config = replace(DISTIL_MEDIUM if size == "medium" else DISTIL, seed=seed)
    config = replace(config, epochs=1) if quick else config
    return train(model(size), config, materials, out, resume=resume, quiet=True)


def settle(root: Path, start: Path, targets: Path, out: Path, *, resume: bool = False, quick: bool = False) -> Run:
    """A medium branch further, on the labels of MELD; `quick` as in `distill`."""
    meld, comments = (open_dataset(name, root / name) for name in ("meld", "goemotions"))
    lines, dev, run = meld.split("train"), meld.split("dev"), load_run(start)
    assert run.tokenizer is not None
    plain, made = sentences(PLAIN // 2, seed=2)
    others = unjudged(subsample(comments.split("train"), COMMENTS // 4))
    everything = Corpus.join([lines, others, plain], "text")
    if quick:
        everything, dev = (replace(corpus, samples=corpus.samples[:240]) for corpus in (everything, dev))
    materials = Materials(
        everything,
        dev,
        tokenizer_of(run.config, run.tokenizer),
        run.tokenizer,
        reword=as_spoken(s.text for s in lines.samples if s.text),
        targets=read_targets(targets, made),
        initial=run.network.state_dict(),
        frozen=TABLE,
    )
    config = replace(SETTLE, epochs=1) if quick else SETTLE
    return train(run.config, config, materials, out, resume=resume, quiet=True)


def main(size: str, *given: str) -> None:
    if size == "settle":
        settle(*map(Path, given))
        return
    root, encoder, tokenizer, targets, out = map(Path, given[:5])
    distill(size, root, encoder, tokenizer, targets, out, seed=int(given[5]) if len(given) > 5 else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
